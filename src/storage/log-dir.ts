// One directory of `log.dirs`: who it belongs to, which partitions lie in it, how far each is known to be durable, and
// the commit loop they share. Kafka's layout, so that either broker can open what the other left behind.
import type { Env } from '../base/env.ts';
import { readFileIfThere, replaceFile } from '../base/replace-file.ts';
import type { Logger } from '../base/log.ts';
import { join } from '../base/paths.ts';
import type { TopicConfig } from '../config/topic-configs.ts';
import { CommitLog } from './commit/commit-log.ts';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from './log/checkpoints.ts';
import { partitionDirectoryName } from './log/log-names.ts';
import { encodePartitionMetadata } from './log/partition-metadata.ts';
import { PartitionLog } from './log/partition-log.ts';
import { recoverLog, type RecoveredLog } from './log/recovery.ts';
import { LeaderEpochs } from './log/leader-epochs.ts';
import { ProducerState } from './log/producer-state.ts';
import type { TailCache } from './log/tail-cache.ts';
import { OpenFiles } from './open-files.ts';

export interface PartitionIdentity {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export interface LogDirOptions {
  readonly env: Env;
  readonly directory: string;
  readonly log: Logger;
  readonly tailCache: TailCache;
  readonly openFileLimit: number;
  readonly onFatal: (error: unknown) => void;
  readonly onGroup?: (members: number, milliseconds: number) => void;
}

const RECOVERY_POINTS = 'recovery-point-offset-checkpoint';
const CHECKPOINT_MS = 1000;

export class LogDir {
  readonly directory: string;
  readonly commits: CommitLog;
  readonly #env: Env;
  readonly #log: Logger;
  readonly #openFiles: OpenFiles;
  readonly #tailCache: TailCache;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #existing = new Set<string>();
  #recoveryPoints = new Map<string, number>();
  #checkpointTimer: Disposable | undefined;
  #checkpointing: Promise<void> = Promise.resolve();

  private constructor(options: LogDirOptions) {
    this.directory = options.directory;
    this.#env = options.env;
    this.#log = options.log;
    this.#tailCache = options.tailCache;
    this.#openFiles = new OpenFiles(options.env.files, options.openFileLimit);
    this.commits = new CommitLog({
      env: options.env,
      openFiles: this.#openFiles,
      directory: options.directory,
      onFatal: options.onFatal,
      ...(options.onGroup && { onGroup: options.onGroup }),
    });
  }

  static async open(options: LogDirOptions): Promise<LogDir> {
    const dir = new LogDir(options);
    await options.env.files.makeDirectory(options.directory);
    for (const { name, isDirectory } of await options.env.files.readDirectory(options.directory)) if (isDirectory) dir.#existing.add(name);
    const checkpoint = await readFileIfThere(options.env.files, join(options.directory, RECOVERY_POINTS));
    if (checkpoint !== undefined) dir.#recoveryPoints = new Map(decodeOffsetCheckpoint(checkpoint, RECOVERY_POINTS));
    dir.#scheduleCheckpoint();
    return dir;
  }

  get openFileCount(): number {
    return this.#openFiles.count;
  }

  /** Names of the partition folders that lie here. */
  get partitionDirectories(): ReadonlySet<string> {
    return this.#existing;
  }

  find(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(partitionDirectoryName(topic, partition));
  }

  /** True when the partition has files here, which `openLog` must read before it can be used. */
  has(topic: string, partition: number): boolean {
    return this.#existing.has(partitionDirectoryName(topic, partition));
  }

  /** Reads what the partition's files hold, and opens its log. */
  async openLog(identity: PartitionIdentity, config: TopicConfig, leaderEpoch: number): Promise<PartitionLog> {
    const name = partitionDirectoryName(identity.topic, identity.partition);
    const recovered = await recoverLog({
      env: this.#env,
      openFiles: this.#openFiles,
      log: this.#log,
      name,
      directory: join(this.directory, name),
      recoveryPoint: this.#recoveryPoints.get(name) ?? 0,
      logStartOffset: 0,
      indexIntervalBytes: config['index.interval.bytes'],
    });
    return this.#add(name, identity, config, leaderEpoch, recovered);
  }

  /** The log of a partition that has no files yet; its folder is made with its first append. */
  startLog(identity: PartitionIdentity, config: TopicConfig, leaderEpoch: number): PartitionLog {
    const name = partitionDirectoryName(identity.topic, identity.partition);
    return this.#add(name, identity, config, leaderEpoch, {
      segments: [],
      logStartOffset: 0,
      endOffset: 0,
      producers: new ProducerState(),
      leaderEpochs: new LeaderEpochs(),
      damage: undefined,
    });
  }

  /** Finishes what is staged, and leaves the folder as a clean stop does. */
  async close(): Promise<void> {
    this.#checkpointTimer?.[Symbol.dispose]();
    for (const log of this.#logs.values()) await log.close();
    await this.commits.idle();
    await this.#checkpoint();
    await this.#openFiles.close();
  }

  #add(name: string, identity: PartitionIdentity, config: TopicConfig, leaderEpoch: number, recovered: RecoveredLog): PartitionLog {
    const log = new PartitionLog({
      name,
      directory: join(this.directory, name),
      config,
      leaderEpoch,
      recovered,
      around: { env: this.#env, openFiles: this.#openFiles, commits: this.commits, tailCache: this.#tailCache, log: this.#log },
      makeFirst: (directory) => this.#makePartitionDirectory(directory, name, identity),
    });
    this.#logs.set(name, log);
    return log;
  }

  /** Kafka takes a folder without `partition.metadata` for a stray: it is durable before the first record. */
  async #makePartitionDirectory(directory: string, name: string, identity: PartitionIdentity): Promise<boolean> {
    const made = !this.#existing.has(name);
    await this.#env.files.makeDirectory(directory);
    await replaceFile(this.#env.files, join(directory, 'partition.metadata'), encodePartitionMetadata(identity.topicId));
    this.#existing.add(name);
    return made;
  }

  #scheduleCheckpoint(): void {
    this.#checkpointTimer = this.#env.timer(
      CHECKPOINT_MS,
      () => {
        this.#checkpointing = this.#checkpoint().catch((error: unknown) => {
          // A stale checkpoint costs time at the next start and nothing else.
          this.#log.warn('the recovery points could not be written', { directory: this.directory, error });
        });
        void this.#checkpointing.then(() => this.#scheduleCheckpoint());
      },
      { unref: true },
    );
  }

  async #checkpoint(): Promise<void> {
    let changed = false;
    for (const [name, log] of this.#logs) {
      const point = log.syncedOffset;
      if (point === (this.#recoveryPoints.get(name) ?? 0)) continue;
      this.#recoveryPoints.set(name, point);
      changed = true;
    }
    if (changed) await replaceFile(this.#env.files, join(this.directory, RECOVERY_POINTS), encodeOffsetCheckpoint(this.#recoveryPoints));
  }
}
