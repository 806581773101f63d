// The metadata of a broker in the making: what its log dir holds is read into the image, and this broker says in the log that
// it is here; at the end, that it is gone. The order of these steps is all that is decided here.
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import { present } from '../base/invariant.ts';
import { MetadataImage } from '../broker/image/metadata-image.ts';
import type { MetadataController } from '../broker/metadata-controller.ts';
import { checkNoDirectoryIsMissing, deregistrationRecords, firstRecords, registrationRecords } from '../broker/registration.ts';
import type { BrokerConfig } from '../config/broker-configs.ts';
import type { Listener } from '../config/listeners.ts';
import type { Identity } from '../storage/identity.ts';
import type { LogDir } from '../storage/log-dir.ts';
import { readBootstrapFile, writeBootstrapFile } from '../storage/metadata/bootstrap-file.ts';
import { MetadataLog } from '../storage/metadata/metadata-log.ts';

export interface MetadataOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly config: BrokerConfig;
  readonly identity: Identity;
  readonly logDirs: readonly LogDir[];
}

/** @throws DamagedFileError */
export async function openMetadata(options: MetadataOptions): Promise<{ image: MetadataImage; metadataLog: MetadataLog }> {
  const { env, log, config, identity, logDirs } = options;
  const { nodeId, witness, metadataDirectory } = identity;
  const dir = present(
    logDirs.find(({ directory }) => directory === metadataDirectory),
    'the log dir of the metadata',
  );
  const image = new MetadataImage();
  const metadataLog = await MetadataLog.open({ env, log, dir, config, nodeId, witness }, (record) => image.apply(record));
  // A snapshot does not tell of removed topics. Each start raises our epoch by one, and that of a partition by one: theirs were lower.
  if (metadataLog.beganBySnapshot) image.beginLeaderEpochsAt(metadataLog.epoch - 1);
  return { image, metadataLog };
}

/** @throws WrongDirectoryError when a log dir is missing that holds partitions */
export async function register(
  options: MetadataOptions & {
    readonly image: MetadataImage;
    readonly metadataLog: MetadataLog;
    readonly metadata: MetadataController;
    readonly listeners: readonly Listener[];
  },
): Promise<void> {
  const { env, config, identity, logDirs, image, metadataLog, metadata, listeners } = options;
  const { nodeId, metadataDirectory } = identity;
  const ids = new Map(identity.directories.map(({ directory, id }) => [directory, id]));
  const placement = {
    nodeId,
    directories: [...ids.values()],
    givenUp: config['storage.lost.log.dirs'],
    directoryOf: (topic: string, index: number): string | undefined => {
      const holder = logDirs.find((dir) => dir.has(topic, index));
      return holder === undefined ? undefined : ids.get(holder.directory);
    },
  };
  checkNoDirectoryIsMissing(image, placement);
  const isNew = metadataLog.folded.metadataVersion === undefined;
  const bootstrap = isNew ? await readBootstrapFile(env, metadataDirectory) : undefined;
  // Staged in one turn, so that a start costs one commit.
  await Promise.all([
    metadataLog.lead(),
    metadata.execute((current) => ({
      records: registrationRecords(current, { ...placement, env, config, listeners, bootstrap, nextOffset: metadataLog.endOffset }),
      reply: undefined,
    })),
    isNew && bootstrap === undefined ? writeBootstrapFile(env, metadataDirectory, firstRecords()) : undefined,
  ]);
}

/** Says in the log that the broker stops. Where the disk does not take it any more, the next start finds out by itself. */
export async function deregister(options: { log: Logger; metadata: MetadataController; nodeId: number }): Promise<void> {
  const { log, metadata, nodeId } = options;
  try {
    await metadata.execute((image) => ({ records: deregistrationRecords(image, nodeId), reply: undefined }));
  } catch (error) {
    log.warn('the stop could not be written to the metadata log', error);
  }
}
