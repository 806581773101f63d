// Puts a broker together from its parts, in the order in which each can stand on the one before: environment, log dirs,
// metadata, partitions, sockets; and takes it apart in the reverse order.
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import { Metrics } from '../base/metrics.ts';
import { Slabs } from '../base/buffers.ts';
import { BrokerSettings } from '../broker/broker-settings.ts';
import { Configs } from '../broker/configs.ts';
import { resourceTypes } from '../broker/image/metadata-image.ts';
import { MetadataController } from '../broker/metadata-controller.ts';
import { GroupCoordinator } from '../broker/groups/group-coordinator.ts';
import { FetchSessions } from '../broker/fetch-sessions.ts';
import { ProducerIds } from '../broker/producer-ids.ts';
import { Partitions } from '../broker/partitions.ts';
import { Topics } from '../broker/topics.ts';
import type { Broker } from '../broker/broker.ts';
import type { BrokerLevels } from '../config/broker-configs.ts';
import { readListeners } from '../config/listeners.ts';
import { apis } from '../handlers/index.ts';
import { serverConfigOf } from '../server/server-config.ts';
import { measureBroker, measureCleaner, measureCommits, measureEventLoop, measureStorage } from './broker-metrics.ts';
import { shareDescriptors } from './descriptor-shares.ts';
import { memoryShares } from './memory-shares.ts';
import { startServer, type Server } from '../server/server.ts';
import { LogDir } from '../storage/log-dir.ts';
import { LogCleaner } from '../storage/log-cleaner.ts';
import { TailCache } from '../storage/log/tail-cache.ts';
import type { MetadataRecord } from '../storage/metadata/metadata-records.ts';
import { acquireDirLock } from '../storage/dir-lock.ts';
import { openIdentity } from '../storage/identity.ts';
import { deregister, openMetadata, register } from './open-metadata.ts';

export interface StartOptions {
  readonly env: Env;
  readonly levels: BrokerLevels;
  readonly log: Logger;
  /** Where the figures are kept; a registry of its own when left out. */
  readonly metrics?: Metrics;
  /** The log dirs lie in memory: nobody else can have them, and a sync costs nothing. Neither lock nor journal is kept then. */
  readonly volatile?: boolean;
  /** Told when the metadata has changed. */
  readonly onMetadata?: () => void;
  /** Called once when the broker can no longer keep its promises; it has stopped answering by then. */
  readonly onFailed: (error: unknown) => void;
}

export interface RunningBroker {
  readonly broker: Broker;
  readonly metrics: Metrics;
  readonly server: Server;
  /** Finishes what is in hand, syncs, and closes everything. Idempotent. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

const isBrokerConfig = (record: MetadataRecord): boolean =>
  record.type === 'ConfigRecord' && record.value.resourceType === resourceTypes.broker;

export async function assembleBroker(options: StartOptions): Promise<RunningBroker> {
  const { env, levels, log, metrics = new Metrics() } = options;
  const settings = new BrokerSettings(levels, log);
  // What is needed before the metadata can be read, and does not change while the broker runs.
  const config = settings.config;
  const { listeners } = readListeners(config);
  const closers: (() => Promise<void>)[] = [];
  /** Everything is closed, also when something before it could not be: a lock that stays would keep the next start out. */
  const closeAll = async (): Promise<void> => {
    let failure: { thrown: unknown } | undefined;
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
      await close().catch((thrown: unknown) => (failure ??= { thrown }));
    }
    if (failure !== undefined) throw failure.thrown;
  };
  let failed = false;
  const onFatal = (error: unknown): void => {
    if (failed) return;
    failed = true;
    log.error('the broker failed: a promise it makes to itself is broken', error);
    options.onFailed(error);
  };

  try {
    const memory = memoryShares(config, (name) => levels.static.has(name), env.memoryLimitBytes);
    const tailCache = new TailCache({ limitBytes: memory.tailCacheBytes, slabs: new Slabs() });
    const onGroup = measureCommits(metrics);
    const logDirs: LogDir[] = [];
    /** How the log dirs are closed: until everything has been looked at they are not vouched for. */
    let stopped: { inOrder: boolean; brokerEpoch?: number } = { inOrder: false };
    measureStorage(metrics, { logDirs, tailCache });
    const eventLoop = measureEventLoop(metrics, env);
    closers.push(async () => eventLoop[Symbol.dispose]());
    const directories = config['log.dirs'] ?? config['log.dir'] ?? [];
    for (const directory of options.volatile === true ? [] : directories) {
      const lock = await acquireDirLock(env, directory, { onLost: onFatal, onWait: (why) => log.warn(why) });
      closers.push(() => lock.release());
    }
    const identity = await openIdentity(env, directories, {
      clusterId: config['cluster.id'] ?? undefined,
      nodeId: demandedNodeId(levels),
    });
    const descriptors = await shareDescriptors(env, { setting: config['storage.open.files.max'], logDirs: directories.length });
    for (const directory of directories) {
      const dir = await LogDir.open({
        env,
        directory,
        log,
        tailCache,
        openFileLimit: descriptors.filesOfLogDir,
        producerIdExpirationMs: config['producer.id.expiration.ms'],
        journaled: options.volatile !== true,
        reserveBytes: config['storage.reserve.bytes'],
        onOffline: (dir, error) => {
          if (dir.directory === identity.metadataDirectory || logDirs.every(({ offline }) => offline !== undefined))
            options.onFailed(error);
        },
        onFatal,
        onGroup,
      });
      closers.push(() => dir.close(stopped));
      logDirs.push(dir);
    }
    const about = { env, log, config, identity, logDirs };
    const { image, metadataLog } = await openMetadata(about);
    closers.push(() => metadataLog.close());
    const { nodeId } = identity;
    settings.follow(image, nodeId);
    /** Takes settings that clients have changed to where they are not asked for again. */
    let passOn = (): void => undefined;
    const partitions = new Partitions({ settings, image, nodeId, logDirs, log });
    const metadata = new MetadataController({
      env,
      log: metadataLog,
      image,
      onApplied: (records) => {
        if (records.some(isBrokerConfig)) {
          settings.follow(image, nodeId);
          passOn();
        }
        const followed = partitions.follow(records);
        options.onMetadata?.();
        if (!records.some(({ type }) => type === 'RemoveTopicRecord')) return followed;
        return Promise.all([followed, groups.forgetGoneTopics()]).then(() => undefined);
      },
    });
    await register({ ...about, image, metadataLog, metadata, listeners });
    await partitions.open();
    const stopBegins = new AbortController();
    const topics = new Topics({ env, settings, controller: metadata, image, log });
    const groups = new GroupCoordinator({
      env,
      log,
      config: () => settings.config,
      image,
      metadataOffset: () => metadata.appliedOffset,
      nodeId,
      topics,
      partitions,
      onFatal,
    });
    closers.push(() => groups.close());
    groups.start();
    const cleaner: LogCleaner = new LogCleaner({
      env,
      log,
      config: () => settings.config,
      logDirs,
      onFatal,
      onCleaned: measureCleaner(metrics, () => cleaner),
    });
    closers.push(() => cleaner.stop());
    cleaner.start();
    const broker: Broker = {
      env,
      log,
      get config() {
        return settings.config;
      },
      get levels() {
        return settings.levels;
      },
      clusterId: identity.clusterId,
      nodeId,
      image,
      metadata,
      topics,
      configs: new Configs({ settings, image, nodeId, controller: metadata }),
      partitions,
      producerIds: new ProducerIds({ controller: metadata, nodeId }),
      fetchSessions: new FetchSessions({ env, slots: () => settings.config['max.incremental.fetch.session.cache.slots'] }),
      groups,
      stopping: stopBegins.signal,
    };
    measureBroker(metrics, broker);
    const server = await startServer({
      env,
      listeners,
      config: { ...serverConfigOf(settings.config, descriptors.connections), queuedMaxRequestBytes: memory.queuedMaxRequestBytes },
      apis,
      broker,
      log,
      metrics,
      onFatal,
    });
    closers.push(() => server.stop({ graceMs: 0 }));
    passOn = () => server.configure(serverConfigOf(settings.config, descriptors.connections));
    let stopping: Promise<void> | undefined;
    return {
      broker,
      metrics,
      server,
      stop: (how = {}) =>
        (stopping ??= (async () => {
          stopBegins.abort();
          groups.stopWaiting();
          await server.stop({ graceMs: how.graceMs ?? 5000 });
          await deregister({ log, metadata, nodeId });
          stopped = { inOrder: true, brokerEpoch: image.brokers.get(nodeId)?.epoch ?? -1 };
          await closeAll();
        })()),
    };
  } catch (thrown) {
    await closeAll().catch((error: unknown) => log.warn('what had been opened by then could not be closed in order', error));
    throw thrown;
  }
}

/** Unless it is set, the node is whoever the log dirs belong to. */
function demandedNodeId({ static: texts }: BrokerLevels): number | undefined {
  const text = texts.get('node.id') ?? texts.get('broker.id');
  return text === undefined ? undefined : Number(text);
}
