// One directory of `log.dirs`: which partitions lie in it, how far each is known to be durable, the commit loop they
// share, and what happens when the disk refuses. Kafka's layout, so that either broker can open what the other left.
import { join } from 'node:path';
import type { Env } from '../base/env.ts';
import { makeDurableDirectory, removeDurably, replaceFile } from '../base/files.ts';
import { inParallel } from '../base/in-parallel.ts';
import type { Logger } from '../base/log.ts';
import { codeOf } from '../base/posix-error.ts';
import type { TopicConfig } from '../config/topic-configs.ts';
import { CheckpointSchedule } from './checkpoint-schedule.ts';
import { CLEAN_SHUTDOWN_FILE, encodeCleanShutdown } from './clean-shutdown.ts';
import type { Commit } from './commit/commit.ts';
import { CommitFailedError, CommitLog, isDiskFull } from './commit/commit-log.ts';
import { Journal, JOURNAL_FILE } from './commit/journal.ts';
import { DamagedFileError } from './damaged-file.ts';
import { Descriptors } from './descriptors.ts';
import { DiskRoom } from './disk-room.ts';
import { FullDiskLogs } from './full-disk-logs.ts';
import { checkpointFiles, encodeOffsetCheckpoint } from './log/checkpoints.ts';
import type { DirToClean } from './log/cleaner.ts';
import { LoadedIndexes } from './log/index-files.ts';
import { LeaderEpochs } from './log/leader-epochs.ts';
import { parsePartitionDirectoryName, partitionDirectoryName } from './log/log-names.ts';
import { PartitionLog, type LogSurroundings } from './log/partition-log.ts';
import { ProducerState } from './log/producer-state.ts';
import { recoverLog, type RecoveredLog, type RecoveryInput } from './log/recovery.ts';
import type { TailCache } from './log/tail-cache.ts';
import { OffsetCheckpoint, type OffsetChanges } from './offset-checkpoint.ts';
import { OpenFiles } from './open-files.ts';
import { PartitionFolders } from './partition-folders.ts';
import { replayJournal } from './replay-journal.ts';

export interface PartitionIdentity {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Never begun anew beside records that may be its own: a start that cannot tell whose they are is refused. */
  readonly irreplaceable?: true;
}

export interface LogDirOptions {
  readonly env: Env;
  readonly directory: string;
  readonly log: Logger;
  readonly tailCache: TailCache;
  readonly openFileLimit: number;
  readonly producerIdExpirationMs: number;
  /** False where a sync costs nothing (memory): every write is then synced in its segment. */
  readonly journaled: boolean;
  /** Kept for a full disk; none when left out. */
  readonly reserveBytes?: number;
  /** Of one of the journal's two halves; 64 MiB when left out. */
  readonly journalHalfBytes?: number;
  /** The dir takes no more writes until a restart; its partitions answer KAFKA_STORAGE_ERROR. */
  readonly onOffline: (dir: LogDir, error: Error) => void;
  readonly onFatal: (error: unknown) => void;
  readonly onGroup?: (group: { members: number; bytes: number; milliseconds: number }) => void;
}

/** Logs whose files beside the segments are written at the same time: enough that the syncs of some meet in the disk. */
const LOGS_AT_ONCE = 16;
const JOURNAL_HALF_BYTES = 64 * 1024 * 1024;
/** How long a full disk is left alone before a checkpoint is tried again. */
const DISK_FULL_RETRY_MS = 1000;

export class LogDir {
  readonly directory: string;
  readonly #options: LogDirOptions;
  readonly #env: Env;
  readonly #log: Logger;
  readonly #openFiles: OpenFiles;
  readonly #descriptors: Descriptors;
  readonly #commits: CommitLog;
  readonly #checkpoints: CheckpointSchedule;
  readonly #refused: FullDiskLogs;
  readonly #around: LogSurroundings;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #irreplaceable = new Set<string>();
  readonly #folders: PartitionFolders;
  readonly #room: DiskRoom;
  /** Everything below these is synced in its segments. */
  readonly #recoveryPoints: OffsetCheckpoint;
  readonly #logStarts: OffsetCheckpoint;
  /** Everything below these has been cleaned. */
  readonly #cleaned: OffsetCheckpoint;
  /** Nothing beyond the recovery points was acknowledged, of logs whose acks wait for the sync. */
  #promiseKnown = false;
  /** A journal lay here: the last broker was ours, and was killed. */
  #journalFound = false;
  /** Frames of this start or the last one may still speak of files that are there. */
  #journalInUse = false;
  /** What the last stop left beside the segments can be believed. */
  #clean = false;
  #offline: Error | undefined;
  #closing = false;

  private constructor(
    options: LogDirOptions,
    parts: {
      folders: PartitionFolders;
      room: DiskRoom;
      recoveryPoints: OffsetCheckpoint;
      logStarts: OffsetCheckpoint;
      cleaned: OffsetCheckpoint;
    },
  ) {
    this.#folders = parts.folders;
    this.#room = parts.room;
    this.#recoveryPoints = parts.recoveryPoints;
    this.#logStarts = parts.logStarts;
    this.#cleaned = parts.cleaned;
    this.directory = options.directory;
    this.#options = options;
    this.#env = options.env;
    this.#log = options.log;
    this.#openFiles = new OpenFiles(options.env.files, options.openFileLimit);
    this.#descriptors = new Descriptors({
      ...options,
      giveUpOne: () => this.#openFiles.giveUpOne(),
      isClosing: () => this.#closing,
    });
    this.#checkpoints = new CheckpointSchedule({
      env: options.env,
      take: () => this.#checkpointNow(false),
      onFailed: (error) => this.#onCheckpointFailed(error),
      isOver: () => this.#closing || this.#offline !== undefined,
    });
    this.#commits = new CommitLog({
      env: options.env,
      openFiles: this.#openFiles,
      descriptors: this.#descriptors,
      openJournal: options.journaled ? () => this.#beginJournal() : undefined,
      checkpoint: () => this.checkpoint(),
      checkpointSoon: () => this.#checkpoints.within(0),
      onDirectoryFailed: (error) => this.#goOffline(error),
      onFatal: options.onFatal,
      onGroup: (group) => {
        this.#checkpoints.wrote(group.bytes);
        options.onGroup?.(group);
      },
    });
    this.#refused = new FullDiskLogs({
      commits: this.#commits,
      room: this.#room,
      checkpoints: this.#checkpoints,
      recover: (log) => this.#recoverCommitted(log),
      isGone: (log) => this.#closing || this.#offline !== undefined || this.#logs.get(log.name) !== log,
      onReopened: ({ name, endOffset }) => this.#log.debug('a partition was cut to what is committed', { partition: name, endOffset }),
      onFatal: options.onFatal,
    });
    this.#around = {
      directory: options.directory,
      env: options.env,
      openFiles: this.#openFiles,
      commits: this.#commits,
      room: this.#room,
      tailCache: options.tailCache,
      log: options.log,
      loadedIndexes: new LoadedIndexes(),
      makeFolder: ({ name, topicId }) => this.#makeFolder(name, topicId),
      onLogFailed: (log, error) => this.#onLogFailed(log, error),
    };
  }

  static async open(options: LogDirOptions): Promise<LogDir> {
    const { env, directory } = options;
    await makeDurableDirectory(env.files, directory);
    const recoveryPoints = await OffsetCheckpoint.open({ ...options, file: checkpointFiles.recoveryPoint });
    const logStarts = await OffsetCheckpoint.open({ ...options, file: checkpointFiles.logStartOffset });
    const cleaned = await OffsetCheckpoint.open({ ...options, file: checkpointFiles.cleaner });
    const room = await DiskRoom.open({ ...options, reserveBytes: options.journaled ? (options.reserveBytes ?? 0) : 0 });
    const clean = await takeCleanMark(env, directory);
    const replayed = await room.within(() => replayJournal({ ...options, recoveryPoints: recoveryPoints.entries }));
    // The journal is begun anew with the first commit; what it knew of promises must not go with its frames.
    const promised = [...replayed.promisedTo].filter(([name, offset]) => offset > (recoveryPoints.get(name) ?? 0));
    if (promised.length > 0) await room.within(() => recoveryPoints.keep(new Map(promised)));
    // The names of partitions that a kill left unsynced: they will be relied on from now on.
    if (!clean) await env.files.syncDirectory(directory);
    const dir = new LogDir(options, { folders: await PartitionFolders.open(options), room, recoveryPoints, logStarts, cleaned });
    dir.#clean = clean;
    dir.#promiseKnown = replayed.known;
    dir.#journalFound = replayed.found;
    dir.#journalInUse = replayed.found;
    dir.#folders.removeDropped();
    return dir;
  }

  get offline(): Error | undefined {
    return this.#offline;
  }

  /** Clients' records are refused until the disk has room again. */
  get isFull(): boolean {
    return this.#room.isFull;
  }

  get openFileCount(): number {
    return this.#openFiles.count;
  }

  /** True when the partition has files here, which `openLog` must read before it can be used. */
  has(topic: string, partition: number): boolean {
    return this.#folders.has(partitionDirectoryName(topic, partition));
  }

  /** How far the partition was kept here by an earlier start, when its folder is gone since; undefined when nothing is missing. */
  missingUpTo(topic: string, partition: number): number | undefined {
    const name = partitionDirectoryName(topic, partition);
    const offset = this.#recoveryPoints.get(name) ?? 0;
    return offset === 0 || this.#folders.has(name) || this.#logs.has(name) ? undefined : offset;
  }

  /** Sets partitions aside that the metadata does not know; `openLog` does the same with those of another topic of that name. */
  async setAsideUnknown(isKnown: (topic: string, partition: number) => boolean): Promise<void> {
    for (const name of this.#folders.names) {
      const { topic = '', partition = 0 } = parsePartitionDirectoryName(name) ?? {};
      if (!this.#logs.has(name) && !isKnown(topic, partition)) await this.#setAside(name, 'the metadata knows no such partition');
    }
  }

  /** Takes a partition that is not open out of the way, files and what is known of them; nothing is removed. */
  async setAside({ topic, partition }: { topic: string; partition: number }, why: string): Promise<void> {
    const name = partitionDirectoryName(topic, partition);
    if (this.#folders.has(name)) await this.#setAside(name, why);
    else await this.#forgetOffsets([name]);
  }

  /**
   * Reads what the partition's files hold, and opens its log; begins one where there are none. `leaderEpoch` may depend on
   * the latest that the files know of, 0 when none.
   * @throws DamagedFileError when there should be some, or it cannot be said whose they are; what the file system throws
   */
  async openLog(
    identity: PartitionIdentity,
    config: TopicConfig,
    leaderEpoch: number | ((latest: number) => number),
  ): Promise<PartitionLog> {
    const name = partitionDirectoryName(identity.topic, identity.partition);
    const recoveryPoint = this.#recoveryPoints.get(name) ?? 0;
    const missing = this.missingUpTo(identity.topic, identity.partition);
    if (missing !== undefined)
      throw new DamagedFileError(this.#folders.pathOf(name), `it is gone, and held offsets up to ${missing}`, 'restore it');
    if (!this.#folders.has(name)) return this.startLog(identity, config, epochAfter(leaderEpoch, 0));
    if (!(await this.#belongsTo(name, identity, recoveryPoint > 0))) return this.startLog(identity, config, epochAfter(leaderEpoch, 0));
    const recovered = await this.#room.within(() =>
      recoverLog({
        ...this.#recoveryInput(name, config),
        clean: this.#clean,
        recoveryPoint,
        promisedTo: recoveryPoint,
        // Where acks do not wait for the sync, nothing was promised that the recovery point does not cover.
        promiseKnown: this.#promiseKnown || config['flush.messages'] > 1,
      }),
    );
    const log = this.#add(name, identity, config, epochAfter(leaderEpoch, recovered.leaderEpochs.latestEpoch ?? 0), recovered);
    // A crash came between the moving of the log start and the removal of what lies below it.
    await this.#removeDeletable(log);
    return log;
  }

  /** The log of a partition that has no files yet; its folder is made with its first append. */
  startLog(identity: PartitionIdentity, config: TopicConfig, leaderEpoch: number): PartitionLog {
    const name = partitionDirectoryName(identity.topic, identity.partition);
    return this.#add(name, identity, config, leaderEpoch, {
      segments: [],
      logStartOffset: 0,
      endOffset: 0,
      sealed: [],
      producers: new ProducerState<Commit>(),
      leaderEpochs: new LeaderEpochs(),
      damage: undefined,
      clean: true,
    });
  }

  /**
   * Drops partitions: they take no more records, whoever waits for some is woken, and their folders go. When it resolves no
   * crash can bring them back; the bytes are removed in the background.
   */
  async dropLogs(partitions: readonly { topic: string; partition: number }[]): Promise<void> {
    const names = partitions.map(({ topic, partition }) => partitionDirectoryName(topic, partition));
    for (const name of names) {
      const log = this.#logs.get(name);
      this.#logs.delete(name);
      if (log === undefined) continue;
      await log.close();
      this.#commits.forget(log);
    }
    if (this.#offline !== undefined) return;
    await this.#forgetOffsets(names);
    const there = names.filter((name) => this.#folders.has(name));
    if (there.length === 0) return;
    // A frame of the journal must not bring back what it was written to. A crash from here on leaves folders that no topic knows.
    await this.#retireFrames();
    await this.#move(() => this.#folders.drop(there, this.#descriptors));
  }

  /**
   * Syncs what the journal stands for, keeps how far every log is durable, and sets the journal's frames free.
   * @throws CommitFailedError when the dir has failed
   */
  checkpoint(): Promise<void> {
    return this.#checkpoints.take();
  }

  /**
   * Finishes what is staged, and leaves the folder as a clean stop does. Not `inOrder`: as a kill would leave it, for a start
   * that did not get as far as looking at every partition. Idempotent.
   */
  async close({ brokerEpoch = -1, inOrder = true }: { brokerEpoch?: number; inOrder?: boolean } = {}): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const log of this.#logs.values()) await log.close();
    await this.#commits.idle();
    await this.#checkpoints.stop();
    await this.#refused.idle();
    await this.#folders.stop();
    try {
      if (!inOrder) await this.#commits.journal?.close();
      else if (this.#offline === undefined) await this.#room.within(() => this.#closeInOrder(brokerEpoch));
    } finally {
      await this.#room.close();
      await this.#openFiles.close();
    }
  }

  /** May be repeated. Each step waits for descriptors by itself, for a while: none of them is reason enough to leave the others undone. */
  async #closeInOrder(brokerEpoch: number): Promise<void> {
    const step = (work: () => Promise<void>): Promise<void> => this.#descriptors.within(work);
    const write = (file: string, bytes: Buffer): Promise<void> =>
      step(() => replaceFile(this.#env.files, join(this.directory, file), bytes));
    await this.#refused.cut(this.#logs.values());
    await this.#checkpointNow(true);
    await inParallel(LOGS_AT_ONCE, this.#logs.values(), (log) => step(() => log.writeFilesOfCleanStop()));
    await this.#commits.journal?.close();
    // Everything is synced where it belongs, and the checkpoint says so.
    if (this.#options.journaled) await step(() => removeDurably(this.#env.files, join(this.directory, JOURNAL_FILE)));
    const highWatermarks = new Map(Array.from(this.#logs, ([name, log]) => [name, log.highWatermark]));
    await write(checkpointFiles.highWatermark, encodeOffsetCheckpoint(highWatermarks));
    await write(CLEAN_SHUTDOWN_FILE, encodeCleanShutdown(brokerEpoch));
  }

  async #makeFolder(name: string, topicId: string): Promise<{ files: string[]; directories: string[] }> {
    const made = await this.#folders.make(name, topicId, this.#openFiles);
    // A start that finds others and not this one is refused before it looks into the journal, so its name must outlive the power first.
    if (this.#irreplaceable.has(name)) await this.#env.files.syncDirectory(this.directory);
    return made;
  }

  #add(name: string, identity: PartitionIdentity, config: TopicConfig, leaderEpoch: number, recovered: RecoveredLog): PartitionLog {
    const log = new PartitionLog({
      name,
      topicId: identity.topicId,
      config,
      leaderEpoch,
      recovered,
      around: this.#around,
    });
    this.#logs.set(name, log);
    if (identity.irreplaceable === true) this.#irreplaceable.add(name);
    return log;
  }

  #recoveryInput(name: string, config: TopicConfig): Omit<RecoveryInput, 'recoveryPoint' | 'promisedTo' | 'promiseKnown'> {
    return {
      env: this.#env,
      openFiles: this.#openFiles,
      log: this.#log,
      name,
      directory: join(this.directory, name),
      clean: false,
      losesUnsynced: config['flush.messages'] > 1,
      logStartOffset: this.#logStarts.get(name) ?? 0,
      indexIntervalBytes: config['index.interval.bytes'],
      producerIdExpirationMs: this.#options.producerIdExpirationMs,
    };
  }

  /** All of it is durable then, the name of its folder too. */
  #recoverCommitted(log: PartitionLog): Promise<RecoveredLog> {
    const { name, config, recoveryPoint, highWatermark } = log;
    return this.#descriptors.within(async () => {
      const recovered = await recoverLog({
        ...this.#recoveryInput(name, config),
        recoveryPoint,
        promisedTo: highWatermark,
        promiseKnown: true,
        endOffset: highWatermark,
      });
      if (recovered.segments.length > 0) await this.#env.files.syncDirectory(this.directory);
      return recovered;
    });
  }

  async #beginJournal(): Promise<Journal> {
    this.#journalInUse = true;
    const journal = await Journal.begin(this.#env.files, join(this.directory, JOURNAL_FILE), {
      compute: this.#env.compute,
      halfBytes: this.#options.journalHalfBytes ?? JOURNAL_HALF_BYTES,
      randomBytes: (count) => this.#env.randomBytes(count),
    });
    try {
      // Before a segment is written to: where a power loss leaves a torn group, and a journal without frames, nothing was promised.
      await this.#env.files.syncDirectory(this.directory);
      return journal;
    } catch (thrown) {
      await journal.close();
      throw thrown;
    }
  }

  /** Whether the folder is that topic's. If not, it is out of the way. @throws DamagedFileError when promised records may be somebody else's */
  async #belongsTo(name: string, identity: PartitionIdentity, promised: boolean): Promise<boolean> {
    const owner = await this.#folders.identify(name, identity.topicId);
    if (owner === 'same') return true;
    if (identity.irreplaceable === true && (await this.#folders.holdsRecords(name))) {
      if (owner !== 'other') throw owner;
      throw new DamagedFileError(
        this.#folders.pathOf(name),
        `it says that it belongs to another topic than ${identity.topic}`,
        'restore it',
      );
    }
    if (owner === 'other') await this.#setAside(name, `it belongs to another topic than the one that is called ${identity.topic} now`);
    else if (promised) throw owner;
    // The power went in the middle of a partition's first commit: what was promised, its journal would have known.
    else if (this.#journalFound || !(await this.#folders.holdsRecords(name))) await this.#folders.removeUnfinished(name);
    else await this.#setAside(name, owner.message);
    return false;
  }

  /** After it no frame speaks of what was synced by now: files can be removed. */
  async #retireFrames(): Promise<void> {
    if (this.#journalInUse || this.#commits.journal !== undefined) await this.#settle();
  }

  /** The same, and what is synced by now is known to be, whether or not there is a journal. */
  async #settle(): Promise<void> {
    await this.checkpoint();
    if (this.#journalInUse || this.#commits.journal !== undefined) await this.#commits.markJournal();
  }

  async #setAside(name: string, why: string): Promise<void> {
    await this.#forgetOffsets([name]);
    await this.#retireFrames();
    await this.#move(() => this.#folders.setAside(name, why, this.#descriptors));
  }

  /** A folder that will not be renamed (somebody else has it open, or owns it) is no reason to give up the others. */
  async #move(work: () => Promise<void>): Promise<void> {
    const outcome = await work().then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    if (outcome === undefined) return;
    if (codeOf(outcome.thrown) !== 'EIO') throw outcome.thrown;
    await this.#commits.attempt('write', this.directory, () => Promise.reject(outcome.thrown as Error));
  }

  /** They would be taken for those of the next partition of that name. */
  async #forgetOffsets(names: readonly string[]): Promise<void> {
    for (const checkpoint of [this.#recoveryPoints, this.#logStarts, this.#cleaned]) {
      const known = names.filter((name) => checkpoint.get(name) !== undefined);
      if (known.length > 0) await this.#keepOffsets(checkpoint, new Map(known.map((name) => [name, undefined])));
    }
  }

  /** @throws CommitFailedError: what was kept before holds */
  #keepOffsets(checkpoint: OffsetCheckpoint, changes: OffsetChanges): Promise<void> {
    return this.#commits.attempt('write', this.directory, () => this.#room.within(() => checkpoint.keep(changes)));
  }

  #onCheckpointFailed(error: unknown): void {
    if (!(error instanceof CommitFailedError)) this.#options.onFatal(error);
    else if (isDiskFull(error)) {
      this.#log.debug('a checkpoint has to wait until the disk has room again', { directory: this.directory, error });
      this.#checkpoints.within(DISK_FULL_RETRY_MS);
    } // else the dir is offline, and has said so
  }

  async #checkpointNow(everything: boolean): Promise<void> {
    this.#checkpoints.begun();
    const journal = this.#commits.journal;
    const sequence = journal?.nextSequence ?? 0;
    const nowMs = this.#env.monotonicMs();
    await this.#commits.syncUnsynced((member) => everything || member.flushDue(nowMs));
    const withFiles = [...this.#logs.values()].filter(({ hasFilesToWrite }) => hasFilesToWrite);
    await inParallel(LOGS_AT_ONCE, withFiles, (log) =>
      this.#commits.attempt('write', log.directory, () => this.#room.within(() => log.writeFiles())),
    );
    const moved = new Map<string, number>();
    for (const [name, { recoveryPoint }] of this.#logs)
      if (recoveryPoint !== (this.#recoveryPoints.get(name) ?? 0)) moved.set(name, recoveryPoint);
    // Older recovery points hold too: when this fails, the next start looks at more than it would have to, and the journal is not set free.
    if (moved.size > 0) await this.#keepOffsets(this.#recoveryPoints, moved);
    journal?.releaseBelow(sequence);
    if (!everything) this.#room.prepare();
    const { nextFlushMs } = this.#commits;
    if (nextFlushMs < Infinity) this.#checkpoints.within(Math.max(1, nextFlushMs - this.#env.monotonicMs()));
  }

  /**
   * Moves the start of a log forward, durably, and removes the segments that lie wholly below it.
   * @throws KafkaError OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR
   */
  async advanceStart(log: PartitionLog, to: number): Promise<void> {
    await log.advanceStart(to, () => this.#keepOffsets(this.#logStarts, new Map([[log.name, to]])));
    if (this.#offline !== undefined || this.#closing) return;
    await this.checkpoint();
    await this.#removeDeletable(log);
  }

  /** What the cleaner may use of the dir. */
  forCleaner(): DirToClean {
    return {
      directory: this.directory,
      logs: this.#closing || this.#offline !== undefined ? [] : [...this.#logs.values()],
      around: this.#around,
      attempt: (phase, path, work) => this.#commits.attempt(phase, path, work),
      settle: () => this.#settle(),
      cleanedTo: (log) => this.#cleaned.get(log.name),
      keepCleanedTo: (log, offset) => this.#keepOffsets(this.#cleaned, new Map([[log.name, offset]])),
    };
  }

  async #removeDeletable(log: PartitionLog): Promise<void> {
    await log.changeFiles(() => this.#removeDeletableNow(log));
  }

  async #removeDeletableNow(log: PartitionLog): Promise<void> {
    const segments = log.takeDeletableSegments();
    if (segments.length === 0) return;
    // A frame of the journal must not bring a removed segment back.
    await this.#retireFrames();
    for (const segment of segments) await this.#commits.attempt('write', segment.path, () => log.removeSegmentFiles(segment));
  }

  #onLogFailed(log: PartitionLog, error: CommitFailedError): void {
    if (!isDiskFull(error)) {
      if (this.#offline !== undefined) return; // it is said of the dir
      this.#log.error('a partition takes no more records: the disk has failed', { partition: log.name, error });
      return;
    }
    this.#refused.add(log);
  }

  #goOffline(error: CommitFailedError): void {
    if (this.#offline !== undefined) return;
    this.#offline = error;
    this.#log.error('a log dir is offline until the broker is started again: what the disk has is not known any more', {
      directory: this.directory,
      error,
    });
    for (const log of this.#logs.values()) log.commitFailed(error);
    this.#options.onOffline(this, error);
  }
}

/** The mark of a clean stop holds for one start: it goes before anything changes that it vouches for. */
async function takeCleanMark(env: Env, directory: string): Promise<boolean> {
  const path = join(directory, CLEAN_SHUTDOWN_FILE);
  if ((await env.files.stat(path)) === undefined) return false;
  await removeDurably(env.files, path);
  return true;
}

const epochAfter = (leaderEpoch: number | ((latest: number) => number), latest: number): number =>
  typeof leaderEpoch === 'number' ? leaderEpoch : leaderEpoch(latest);
