// bootstrap.checkpoint: what the first start on a formatted log dir says in the metadata log before anything else: the features
// of the cluster, and users that `kafka-storage format --add-scram` made. Kafka's formatter leaves it, and so does a start that makes a new log dir.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { readFileIfThere, replaceFile } from '../../base/files.ts';
import { DamagedFileError } from '../damaged-file.ts';
import { FoldedMetadata, InconsistentMetadataError } from './folded-metadata.ts';
import { metadataVersions, type MetadataRecord, type NewMetadataRecord } from './metadata-records.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-format.ts';

export const BOOTSTRAP_FILE = 'bootstrap.checkpoint';
const FORMAT_AGAIN = 'format the log dir again, or remove the file: the metadata then begins with the defaults';

/** Undefined where there is none. @throws DamagedFileError */
export async function readBootstrapFile(env: Env, directory: string): Promise<readonly MetadataRecord[] | undefined> {
  const file = join(directory, BOOTSTRAP_FILE);
  const bytes = await readFileIfThere(env.files, file);
  if (bytes === undefined) return undefined;
  const { records } = decodeSnapshot(env.compute, bytes, file, FORMAT_AGAIN);
  try {
    const folded = new FoldedMetadata();
    for (const record of records) folded.apply(record);
    if (folded.metadataVersion === undefined) throw new InconsistentMetadataError('it does not say the metadata.version');
  } catch (thrown) {
    if (thrown instanceof InconsistentMetadataError) throw new DamagedFileError(file, thrown.message, FORMAT_AGAIN);
    throw thrown;
  }
  return records;
}

/** `records` are of the newest metadata.version. */
export async function writeBootstrapFile(env: Env, directory: string, records: readonly NewMetadataRecord[]): Promise<void> {
  const chunks = encodeSnapshot(env.compute, {
    records,
    metadataVersion: metadataVersions.newest,
    lastContainedLogTimestamp: 0,
    voters: undefined,
    epoch: 0,
    nowMs: env.wallMs(),
  });
  await replaceFile(env.files, join(directory, BOOTSTRAP_FILE), Buffer.concat([...chunks]));
}
