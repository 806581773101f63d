// The log of one partition on the local disk: assigns offsets, says what may be read, and keeps the promise of the
// commit. Appends are synchronous and touch memory only; files are written by the commit loop of the log dir, and
// read through the open files. What a batch means (topics, clients, answers) is decided above.
import { join } from 'node:path';
import { invariant } from '../../base/invariant.ts';
import type { TopicConfig } from '../../config/topic-configs.ts';
import { check, KafkaError } from '../../protocol/errors.ts';
import { stampBatch } from '../../protocol/record-batch.ts';
import { Commit } from '../commit/commit.ts';
import { CommitFailedError, type CommitLog, type CommitMember, type StagedWrite } from '../commit/commit-log.ts';
import type { DiskRoom } from '../disk-room.ts';
import { ColdReads } from './cold-reads.ts';
import { FilesBeside } from './files-beside.ts';
import type { IndexSurroundings } from './index-files.ts';
import type { EpochEnd, LeaderEpochs } from './leader-epochs.ts';
import { LogSegments } from './log-segments.ts';
import { PARTITION_METADATA_FILE } from './partition-metadata.ts';
import type { PreparedBatch } from './prepare.ts';
import type { SnapshotToWrite } from './producer-files.ts';
import { encodeProducers } from './producer-snapshot.ts';
import type { ProducerState, RetainedBatch } from './producer-state.ts';
import type { RecoveredLog } from './recovery.ts';
import { Segment, type BatchPlace } from './segment.ts';
import type { OffsetAtTimestamp } from './segment-reader.ts';
import { StagedWrites } from './staged-writes.ts';
import { PartitionTail, type TailCache } from './tail-cache.ts';
import type { AbortedTransaction } from './transaction-index.ts';

export type Isolation = 'readUncommitted' | 'readCommitted';

/** What an append came to. The client may be told once `committed` has settled without failing this log. */
export interface Ticket {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** -1 unless the topic stamps LogAppendTime. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** The batch had been appended before; these are the offsets it got then (KIP-98). */
  readonly duplicate: boolean;
  readonly committed: Commit;
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** The first batch comes even when it is larger than `maxBytes` (KIP-74). */
  readonly atLeastOneBatch: boolean;
  readonly isolation: Isolation;
  /** -1 skips the check (KIP-320). */
  readonly currentLeaderEpoch: number;
}

export interface ReadResult {
  /** Whole batches, one after the other; immutable. */
  readonly buffers: Buffer[];
  readonly bytes: number;
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
  /** Null unless the read was `readCommitted`. */
  readonly abortedTransactions: AbortedTransaction[] | null;
}

export type AdvanceListener = (highWatermark: number, lastStableOffset: number) => void;

export type AppendOrigin =
  | { readonly origin: 'client'; readonly expectedLeaderEpoch: number }
  | { readonly origin: 'coordinator'; readonly expectedLeaderEpoch: number };

/** What all partitions of a log dir share. */
export interface LogSurroundings extends IndexSurroundings {
  /** Of the log dir. */
  readonly directory: string;
  readonly commits: CommitLog;
  readonly room: Pick<DiskRoom, 'refusalOf'>;
  readonly tailCache: TailCache;
  /** Makes the folder of a log with what must be in it before the first record, and names what has to be synced of it. */
  readonly makeFolder: (log: PartitionLog) => Promise<{ files: string[]; directories: string[] }>;
  /** The disk has refused a commit: the log takes no more records until it is reopened. */
  readonly onLogFailed: (log: PartitionLog, error: CommitFailedError) => void;
}

/** What Kafka's 2^63 - 1 stands for. */
const NEVER_MS = 2 ** 52;

type State = typeof OPEN | { kind: 'readOnly'; why: string } | { kind: 'failed'; error: CommitFailedError } | { kind: 'closed' };

const OPEN = { kind: 'open' } as const;

export class PartitionLog implements CommitMember {
  readonly name: string;
  readonly topicId: string;
  #config: TopicConfig;
  readonly #around: LogSurroundings;
  readonly #segments: LogSegments;
  #producers: ProducerState<Commit>;
  #leaderEpochs: LeaderEpochs;
  readonly #tail: PartitionTail;
  #listeners: Set<AdvanceListener> | undefined;
  #coldReads: ColdReads | undefined;
  #state: State;
  /** Why a commit was refused, while what it may have left in the files is still there. */
  #uncut: CommitFailedError | undefined;
  #leaderEpoch: number;
  #logStartOffset: number;
  #advancing: Promise<void> | undefined;
  #changingFiles: Promise<void> | undefined;
  #cleaning: Promise<unknown> | undefined;
  #highWatermark: number;
  #endOffset: number;
  /** Everything below it has been synced in its segments. */
  #syncedOffset: number;
  /** Everything below it is durable: synced, or in the journal. */
  #durableOffset: number;
  #syncedMs: number;
  #stagedWrites: StagedWrites | undefined;
  #directoryMade: boolean;
  readonly #filesBeside: FilesBeside;

  constructor(options: {
    name: string;
    topicId: string;
    config: TopicConfig;
    leaderEpoch: number;
    recovered: RecoveredLog;
    around: LogSurroundings;
  }) {
    const { recovered } = options;
    this.name = options.name;
    this.topicId = options.topicId;
    this.#config = options.config;
    this.#around = options.around;
    this.#leaderEpoch = options.leaderEpoch;
    this.#segments = new LogSegments(recovered.segments);
    this.#producers = recovered.producers;
    this.#leaderEpochs = recovered.leaderEpochs;
    this.#logStartOffset = recovered.logStartOffset;
    this.#endOffset = recovered.endOffset;
    this.#highWatermark = recovered.endOffset;
    this.#syncedOffset = recovered.endOffset;
    this.#durableOffset = recovered.endOffset;
    this.#syncedMs = options.around.env.monotonicMs();
    this.#state = recovered.damage === undefined ? OPEN : { kind: 'readOnly', why: recovered.damage };
    this.#directoryMade = recovered.segments.length > 0;
    const { sealed, clean } = recovered;
    this.#filesBeside = new FilesBeside(this, options.around, { sealed, clean, isEmpty: recovered.segments.length === 0 });
    this.#tail = new PartitionTail(options.around.tailCache, recovered.endOffset);
    this.#noteEpoch(options.leaderEpoch);
    this.#assertOffsetOrder();
  }

  get directory(): string {
    return join(this.#around.directory, this.name);
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }
  get logStartOffset(): number {
    return this.#logStartOffset;
  }
  get highWatermark(): number {
    return this.#highWatermark;
  }
  /** Exclusive. */
  get endOffset(): number {
    return this.#endOffset;
  }
  /** Exclusive; where a reader of committed transactions stops. */
  get lastStableOffset(): number {
    return this.#producers.lastStableOffset(this.#highWatermark, this.#logStartOffset);
  }
  /** Everything below it is synced in its segments: the recovery point. */
  get recoveryPoint(): number {
    return Math.min(this.#syncedOffset, this.#highWatermark);
  }
  get durableOffset(): number {
    return this.#durableOffset;
  }
  get syncBeforeAck(): boolean {
    return this.#config['flush.messages'] <= 1;
  }
  get config(): TopicConfig {
    return this.#config;
  }
  get isCompacted(): boolean {
    return this.#config['cleanup.policy'].includes('compact');
  }
  get isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
  get producers(): ProducerState<Commit> {
    return this.#producers;
  }
  get leaderEpochs(): LeaderEpochs {
    return this.#leaderEpochs;
  }
  /** Why the log takes no records of our own now, and so none of clients; undefined when it does. */
  get refusal(): string | undefined {
    if (this.#state.kind === 'open') return this.#around.room.refusalOf('coordinator');
    if (this.#state.kind === 'readOnly') return this.#state.why;
    return this.#state.kind === 'failed' ? this.#state.error.message : 'the log is closed';
  }
  /** Bytes of all segments. */
  get bytes(): number {
    return this.#segments.bytes;
  }

  configure(config: TopicConfig): void {
    this.#config = config;
  }

  /** Batches appended from now on carry this epoch; it may only grow. */
  leadFrom(leaderEpoch: number): void {
    invariant(leaderEpoch >= this.#leaderEpoch, 'a leader epoch went back');
    this.#leaderEpoch = leaderEpoch;
    this.#noteEpoch(leaderEpoch);
  }

  /**
   * Stages a prepared batch (magic 2, KIP-98) and assigns its offsets; nothing is on disk when it returns. The log owns
   * the bytes from here on and stamps their header. Synchronous, so that check and change are one breath.
   * @throws KafkaError NOT_LEADER_OR_FOLLOWER when `expectedLeaderEpoch` is not that of the current leadership,
   * KAFKA_STORAGE_ERROR when the log takes no records, or what the producer's sequence asks for
   */
  append(batch: PreparedBatch, options: AppendOrigin): Ticket {
    check(options.expectedLeaderEpoch === this.#leaderEpoch, 'NOT_LEADER_OR_FOLLOWER');
    if (this.#state.kind !== 'open') throw new KafkaError('KAFKA_STORAGE_ERROR', `${this.name} takes no records: ${this.refusal}`);

    const seen = batch.producerId >= 0 ? this.#producers.check(batch, options.origin) : undefined;
    if (seen !== undefined) return this.#ticketOfDuplicate(seen.duplicate);
    const full = this.#around.room.refusalOf(options.origin);
    if (full !== undefined) throw new KafkaError('KAFKA_STORAGE_ERROR', `${this.name} takes no records: ${full}`);

    const baseOffset = this.#endOffset;
    const lastOffset = baseOffset + batch.lastOffsetDelta;
    const bytes = this.#around.tailCache.own(batch.bytes);
    // Both fields lie before the bytes that the CRC covers.
    stampBatch(bytes, 0, baseOffset, this.#leaderEpoch);

    const place: BatchPlace = {
      baseOffset,
      lastOffset,
      bytes: bytes.length,
      maxTimestamp: batch.maxTimestamp,
      offsetOfMaxTimestamp: baseOffset + batch.offsetDeltaOfMaxTimestamp,
    };
    const segment = this.#segmentFor(place);
    const position = segment.append(place);
    this.#writes.add(segment, position, bytes, place, this.#leaderEpoch);
    this.#tail.add({ baseOffset, endOffset: lastOffset + 1, bytes });
    this.#filesBeside.changed();
    this.#endOffset = lastOffset + 1;
    this.#assertOffsetOrder();
    // The high watermark moves only in the commit: until then a crash may take this batch back, and nobody has seen it.
    const committed = this.#around.commits.stage(this);
    const completed = this.#producers.append(batch, baseOffset, committed);
    if (completed?.isAborted === true) segment.noteAborted(completed);
    return {
      baseOffset,
      lastOffset,
      logAppendTimeMs: batch.logAppendTimeMs,
      logStartOffset: this.#logStartOffset,
      duplicate: false,
      committed,
    };
  }

  /**
   * Batches from the one that holds `from`, up to the high watermark, or to the last stable offset. Answers at once from
   * memory, with a promise from disk. At the log end the answer is empty: whoever wants to wait listens with `onAdvance`.
   * @throws KafkaError OFFSET_OUT_OF_RANGE, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH; NOT_LEADER_OR_FOLLOWER when the log is
   * closed, KAFKA_STORAGE_ERROR when the files cannot be read
   */
  read(from: number, options: ReadOptions): ReadResult | Promise<ReadResult> {
    this.checkLeaderEpoch(options.currentLeaderEpoch);
    if (from < this.#logStartOffset || from > this.#endOffset) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `offset ${from} is outside ${this.#logStartOffset}..${this.#endOffset} of ${this.name}`);
    }
    const upTo = this.#readableTo(options.isolation);
    if (from >= upTo) return this.#result([], 0, from, from, options);
    if (from >= this.#tail.startOffset) {
      const { buffers, bytes, endOffset } = this.#tail.read(from, upTo, options.maxBytes, options.atLeastOneBatch);
      return this.#result(buffers, bytes, from, endOffset, options);
    }
    const { maxBytes, atLeastOneBatch } = options;
    return this.#cold.read({ from, upTo, maxBytes, atLeastOneBatch }, ({ buffers, bytes, endOffset }) =>
      this.#result(buffers, bytes, from, endOffset, options),
    );
  }

  /**
   * The first record at or after the timestamp that a reader of that isolation may see; undefined when there is none.
   * @throws KafkaError KAFKA_STORAGE_ERROR when a file on the way is damaged, or cannot be read
   */
  offsetForTimestamp(timestamp: number, isolation: Isolation): Promise<OffsetAtTimestamp | undefined> {
    return this.#cold.offsetForTimestamp(timestamp, () => this.#readableTo(isolation));
  }

  /** The first record with the largest timestamp of the log (KIP-734); undefined when the log is empty. @throws as `offsetForTimestamp` */
  offsetOfMaxTimestamp(): Promise<OffsetAtTimestamp | undefined> {
    return this.#cold.offsetOfMaxTimestamp(() => this.#highWatermark);
  }

  /** Why an append does not count, once its commit has settled; undefined when it does. */
  failureOf({ committed }: Ticket): KafkaError | undefined {
    const failure = committed.failureOf(this);
    return failure && new KafkaError('KAFKA_STORAGE_ERROR', `the disk refused ${this.name}: ${failure.message}`, { cause: failure });
  }

  /** @throws KafkaError FENCED_LEADER_EPOCH for an older, UNKNOWN_LEADER_EPOCH for a newer epoch than ours (KIP-320); -1 passes */
  checkLeaderEpoch(currentLeaderEpoch: number): void {
    if (currentLeaderEpoch < 0 || currentLeaderEpoch === this.#leaderEpoch) return;
    throw new KafkaError(currentLeaderEpoch < this.#leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH');
  }

  /** Where the log ends for a reader that followed it up to this epoch: the largest epoch not above it, and its end (KIP-320). */
  endOfLeaderEpoch(leaderEpoch: number): EpochEnd {
    return this.#leaderEpochs.endOffsetFor(leaderEpoch, this.#endOffset);
  }

  /** Calls the listener after the high watermark has moved, and when the log closes. Returns what ends it. */
  onAdvance(listener: AdvanceListener): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  // --- what the commit loop calls

  get hasDirectory(): boolean {
    return this.#directoryMade;
  }

  async makeDirectory(): Promise<{ files: string[]; directories: string[] }> {
    const made = await this.#around.makeFolder(this);
    this.#directoryMade = true;
    return made;
  }

  takeStaged(): StagedWrite[] {
    if (this.#uncut !== undefined) throw this.#uncut;
    return this.#writes.take(this.#endOffset);
  }

  filesFrom(offset: number): string[] {
    return this.#segments.all.slice(this.#segments.indexOf(offset)).map(({ path }) => path);
  }

  durable(): void {
    this.#durableOffset = Math.max(this.#durableOffset, this.#writes.inHandEndOffset);
    this.written();
  }

  written(): void {
    const endOffset = this.#writes.inHandEndOffset;
    this.#writes.written();
    this.#tail.written(endOffset);
    this.#highWatermark = endOffset;
    this.#assertOffsetOrder();
    this.#tellListeners();
  }

  synced(endOffset: number): void {
    this.#syncedOffset = Math.max(this.#syncedOffset, endOffset);
    this.#durableOffset = Math.max(this.#durableOffset, endOffset);
    this.#syncedMs = this.#around.env.monotonicMs();
  }

  get flushDueMs(): number {
    const flushMs = this.#config['flush.ms'];
    return flushMs < NEVER_MS ? this.#syncedMs + flushMs : Infinity;
  }

  flushDue(nowMs: number): boolean {
    if (this.syncBeforeAck) return true;
    // Offsets stand for messages. A segment that is full is synced whatever the policy: recovery begins behind it.
    const active = this.#segments.active;
    return (
      this.#highWatermark - this.#syncedOffset >= this.#config['flush.messages'] ||
      nowMs >= this.flushDueMs ||
      (active !== undefined && active.baseOffset > this.#syncedOffset)
    );
  }

  commitFailed(error: CommitFailedError): void {
    if (this.#uncut !== undefined) return;
    this.#uncut = error;
    if (this.#state.kind !== 'closed') this.#state = { kind: 'failed', error };
    this.#stagedWrites?.dropInHand();
    this.#around.onLogFailed(this, error);
  }

  /** A commit was refused, and what it may have left in the files is still there. */
  get isUncut(): boolean {
    return this.#uncut !== undefined;
  }

  /**
   * Takes up again after a failed commit, with what the files hold once the end that was not committed is cut off; one that is closed
   * stays so. Whoever waits for records goes on waiting: for readers nothing has changed.
   */
  reopen(recovered: RecoveredLog): void {
    invariant(this.isUncut, 'only a log of which a commit was refused is reopened');
    invariant(recovered.endOffset >= this.#highWatermark || recovered.damage !== undefined, 'what was committed is in the files');
    this.#segments.reset(recovered.segments);
    this.#producers = recovered.producers;
    this.#leaderEpochs = recovered.leaderEpochs;
    this.#endOffset = Math.max(recovered.endOffset, this.#highWatermark);
    // What was synced beyond has been cut, and what was not synced below has been by now.
    this.#syncedOffset = Math.min(recovered.endOffset, this.#highWatermark);
    this.#durableOffset = this.#highWatermark;
    this.#noteEpoch(this.#leaderEpoch);
    this.#filesBeside.reopened(recovered.sealed);
    this.#stagedWrites?.clear();
    this.#directoryMade = recovered.segments.length > 0;
    this.#tail.clear(this.#endOffset);
    if (recovered.damage === undefined) this.#uncut = undefined;
    if (this.#state.kind !== 'closed') this.#state = recovered.damage === undefined ? OPEN : { kind: 'readOnly', why: recovered.damage };
    this.#assertOffsetOrder();
  }

  /** Files beside the segments that must be durable before the recovery point passes what they tell of. */
  get hasFilesToWrite(): boolean {
    return this.#filesBeside.areDue;
  }

  writeFiles(): Promise<void> {
    return this.#filesBeside.write();
  }

  /** What a clean stop leaves beside the segments, so that the next start need not walk them. */
  async writeFilesOfCleanStop(): Promise<void> {
    if (this.#uncut !== undefined || this.#state.kind === 'readOnly') return;
    await this.#filesBeside.writeAll(this.#segments.active, () => this.#snapshotAt(this.#endOffset));
  }

  /**
   * Moves the log start forward: nothing below it is served from now on. `keep` makes it durable, and comes first: a start
   * that somebody has seen never moves back. The segments wholly below it can be taken out afterwards.
   * @throws KafkaError OFFSET_OUT_OF_RANGE beyond the high watermark, KAFKA_STORAGE_ERROR when the disk refuses
   */
  async advanceStart(to: number, keep: () => Promise<void>): Promise<void> {
    if (to > this.#highWatermark)
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `${this.name} is committed up to ${this.#highWatermark}, not ${to}`);
    // One after the other: a smaller one that is kept after a larger one would take it back.
    const turn = (this.#advancing ?? Promise.resolve()).then(() => this.#advanceStartTo(to, keep));
    this.#advancing = turn.catch(() => undefined);
    await turn;
  }

  async #advanceStartTo(to: number, keep: () => Promise<void>): Promise<void> {
    if (to <= this.#logStartOffset) return;
    try {
      await keep();
    } catch (thrown) {
      if (!(thrown instanceof CommitFailedError)) throw thrown;
      throw new KafkaError('KAFKA_STORAGE_ERROR', `the disk refused to keep the log start of ${this.name}`, { cause: thrown });
    }
    this.#logStartOffset = to;
    this.#producers.advanceLogStartTo(Math.min(to, this.#producers.endOffset));
    if (this.#leaderEpochs.truncateFromStart(to)) this.#filesBeside.epochsChanged();
    this.#filesBeside.changed();
    this.#assertOffsetOrder();
  }

  /** Takes the segments that lie wholly below the log start, and below what is synced, out of the log; their files are the caller's to remove. */
  takeDeletableSegments(): Segment[] {
    const taken = this.#segments.takeBelow(Math.min(this.#logStartOffset, this.#syncedOffset));
    if (taken.length > 0) this.#filesBeside.forget(taken);
    return taken;
  }

  removeSegmentFiles(segment: Segment): Promise<void> {
    return this.#filesBeside.remove(segment);
  }

  /** Segments that are full, synced and have their files, oldest first: as many as there are before the first that has not. */
  get settledSegments(): Segment[] {
    return this.#segments.settled(this.recoveryPoint, this.#filesBeside.oldestWithout);
  }

  /** Where neighbouring segments end: the next one's base, exclusive. */
  endOfSegments(segments: readonly Segment[]): number {
    const endOffset = this.#segments.endOf(segments, this.#endOffset);
    return endOffset < 0 ? this.#logStartOffset : endOffset;
  }

  /** All that the log knows of, in the order of their markers. */
  get abortedTransactions(): AbortedTransaction[] {
    return this.#segments.abortedTransactions;
  }

  /** Does something to the files of segments: one at a time, and not while the log closes. */
  changeFiles<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#changingFiles ?? Promise.resolve()).then(work);
    this.#changingFiles = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** A cleaning of the log, from its first look to the end. The log does not close before it has noticed that it is to. */
  async whileCleaned<Result>(cleaning: () => Promise<Result>): Promise<Result> {
    const running = cleaning();
    this.#cleaning = running.catch(() => undefined);
    return running;
  }

  /** The segments follow each other, and are those that are read now. */
  hasSegments(segments: readonly Segment[]): boolean {
    return this.#state.kind !== 'closed' && this.#segments.has(segments);
  }

  /**
   * From here on one segment is read where several were, with what the cleaner has left of them. Whoever is reading begins
   * again; what memory holds of them goes, since aborted transactions that have no batches any more are not told of either.
   */
  replaceSegments(replaced: readonly Segment[], by: Segment): void {
    invariant(this.#state.kind !== 'closed', 'a closed log is cleaned no more');
    const behind = this.#segments.replace(replaced, by);
    for (const segment of replaced) {
      this.#around.loadedIndexes.forget(segment);
      this.#around.openFiles.forget(segment.path);
    }
    this.#tail.forgetBelow(behind);
  }

  /** No more appends; waits for what is staged, and wakes whoever waits for records. */
  async close(): Promise<void> {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed' };
    await this.#around.commits.idle();
    await this.#cleaning;
    await this.changeFiles(() => Promise.resolve());
    for (const segment of this.#segments.all) {
      segment.gone = true;
      this.#around.openFiles.forget(segment.path);
    }
    // Synced through the same handles; the next topic of this name says in a file of that path whose folder it is.
    this.#around.openFiles.forget(join(this.directory, PARTITION_METADATA_FILE));
    this.#tail.clear(this.#endOffset);
    this.#tellListeners();
    this.#listeners = undefined;
  }

  // --- below: how

  #tellListeners(): void {
    if (this.#listeners === undefined || this.#listeners.size === 0) return;
    const lastStableOffset = this.lastStableOffset;
    for (const listener of this.#listeners) listener(this.#highWatermark, lastStableOffset);
  }

  get #writes(): StagedWrites {
    return (this.#stagedWrites ??= new StagedWrites());
  }

  get #cold(): ColdReads {
    return (this.#coldReads ??= new ColdReads(this, this.#segments, this.#around));
  }

  #readableTo(isolation: Isolation): number {
    return isolation === 'readCommitted' ? this.lastStableOffset : this.#highWatermark;
  }

  #ticketOfDuplicate(duplicate: RetainedBatch<Commit>): Ticket {
    return {
      baseOffset: duplicate.baseOffset,
      lastOffset: duplicate.lastOffset,
      logAppendTimeMs: this.#config['message.timestamp.type'] === 'LogAppendTime' ? duplicate.maxTimestamp : -1,
      logStartOffset: this.#logStartOffset,
      duplicate: true,
      committed: duplicate.commit ?? Commit.kept,
    };
  }

  #segmentFor(place: BatchPlace): Segment {
    const active = this.#segments.active;
    const nowMs = this.#around.env.wallMs();
    if (active !== undefined && !active.mustRollFor(place, this.#config, nowMs)) return active;
    if (active !== undefined) this.#filesBeside.sealed(active, this.#snapshotAt(place.baseOffset));
    const segment = new Segment({
      directory: this.directory,
      baseOffset: place.baseOffset,
      createdMs: nowMs,
      indexIntervalBytes: this.#config['index.interval.bytes'],
    });
    segment.startIndexes();
    this.#segments.add(segment);
    return segment;
  }

  #snapshotAt(offset: number): SnapshotToWrite {
    return { offset, encoded: encodeProducers(this.#producers.stored(), (bytes) => this.#around.env.compute.crc32c(bytes)) };
  }

  #noteEpoch(leaderEpoch: number): void {
    if (this.#leaderEpochs.assign(leaderEpoch, this.#endOffset)) this.#filesBeside.epochsChanged();
  }

  #result(buffers: Buffer[], bytes: number, from: number, endOffset: number, options: ReadOptions): ReadResult {
    return {
      buffers,
      bytes,
      logStartOffset: this.#logStartOffset,
      lastStableOffset: this.lastStableOffset,
      highWatermark: this.#highWatermark,
      abortedTransactions: options.isolation === 'readCommitted' ? this.#segments.abortedBetween(from, endOffset) : null,
    };
  }

  /** 0 <= log start <= last stable <= high watermark <= log end; checked after every change to any of them. */
  #assertOffsetOrder(): void {
    invariant(this.#logStartOffset >= 0, 'log start offset is negative');
    invariant(this.#logStartOffset <= this.#highWatermark, 'high watermark fell below the log start');
    invariant(this.#highWatermark <= this.#endOffset, 'high watermark passed the log end');
  }
}
