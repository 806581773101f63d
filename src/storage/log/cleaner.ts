// Cleans one compacted log: reads its dirty part into a map of keys, then writes each group of its segments anew without the
// records that a later one of the same key has outlived, and puts the new segment in their place. Reading, writing and
// order are here; the arithmetic is the work's (cleaner-work.ts), the choice of logs log-cleaner.ts's.
import { join } from 'node:path';
import type { FileHandle } from '../../base/env.ts';
import { iterateBatches } from '../../protocol/record-batch.ts';
import { DamagedFileError } from '../damaged-file.ts';
import { placeOfBatch } from './batch-facts.ts';
import type { LastRecord } from './clean-batch.ts';
import { groupSegments, type CleaningPlan } from './cleaner-plan.ts';
import { CleaningAbandonedError, removeCleaned, swapIn } from './cleaner-swap.ts';
import type { CleanerAsk, FilteredPiece, IndexedPiece, PieceDone } from './cleaner-work.ts';
import { writeMarkedIndexFiles, type IndexSurroundings } from './index-files.ts';
import { offsetFileName } from './log-names.ts';
import { HASH_KEY_BYTES } from './offset-map.ts';
import type { PartitionLog } from './partition-log.ts';
import { Segment } from './segment.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/** What the cleaner may use of a log dir. */
export interface DirToClean {
  readonly directory: string;
  readonly logs: readonly PartitionLog[];
  readonly around: IndexSurroundings;
  /** Under the rules of the commit loop: a full disk can be waited out, any other failure is the dir's. @throws CommitFailedError */
  attempt<Result>(phase: 'write' | 'sync', path: string, work: () => Promise<Result>): Promise<Result>;
  /**
   * After it the journal speaks of no batch that is synced by now, and the recovery point on the disk lies behind it.
   * @throws CommitFailedError
   */
  settle(): Promise<void>;
  cleanedTo(log: PartitionLog): number | undefined;
  /** @throws CommitFailedError */
  keepCleanedTo(log: PartitionLog, offset: number): Promise<void>;
}

/** Where the arithmetic runs. */
export interface Worker {
  /** Bytes of a segment that are worked through in one go. */
  readonly pieceBytes: number;
  /** `ask.bytes` is given away. */
  ask(ask: CleanerAsk): Promise<IndexedPiece | FilteredPiece | undefined>;
}

export interface CleaningOptions {
  readonly dir: DirToClean;
  readonly worker: Worker;
  readonly maxMapBytes: number;
  readonly loadFactor: number;
  /** Called between pieces: waits where the cleaner is to be slower, unless `isOver`. @throws the signal's reason when the broker stops */
  readonly pace: (bytes: number, isOver: () => boolean) => Promise<void>;
  /** Waits. @throws as `pace` */
  readonly pause: (ms: number) => Promise<void>;
}

export interface CleaningFigures {
  bytesRead: number;
  bytesWritten: number;
  recordsRead: number;
  recordsKept: number;
  recordsWithoutKey: number;
  keys: number;
  segmentsReplaced: number;
  /** Everything below it is clean now. */
  cleanedTo: number;
}

/** @throws CleaningAbandonedError, CommitFailedError; DamagedFileError or KafkaError where a segment is damaged */
export async function cleanLog(options: CleaningOptions, plan: CleaningPlan): Promise<CleaningFigures> {
  return plan.log.whileCleaned(() => new Cleaning(options, plan).run());
}

class Cleaning {
  readonly #options: CleaningOptions;
  readonly #plan: CleaningPlan;
  readonly #figures: CleaningFigures;

  constructor(options: CleaningOptions, plan: CleaningPlan) {
    this.#options = options;
    this.#plan = plan;
    this.#figures = {
      bytesRead: 0,
      bytesWritten: 0,
      recordsRead: 0,
      recordsKept: 0,
      recordsWithoutKey: 0,
      keys: 0,
      segmentsReplaced: 0,
      cleanedTo: plan.firstDirtyOffset,
    };
  }

  async run(): Promise<CleaningFigures> {
    const { dir } = this.#options;
    const { log, segments } = this.#plan;
    const cleanedTo = await this.#index();
    if (cleanedTo <= this.#plan.firstDirtyOffset)
      throw new Error('the keys of one batch are more than log.cleaner.dedupe.buffer.size has room for');
    const within = segments.filter(({ baseOffset }) => baseOffset < cleanedTo);
    await this.#beginFiltering(within, cleanedTo - 1);
    // A frame of the journal must not be written back into a segment that is no longer what it was; and from the recovery
    // point on a start takes offsets that are gone for a torn end.
    await dir.settle();
    for (const group of groupSegments(within, log.config, this.#plan.firstUncleanableOffset)) await this.#cleanGroup(group);
    await dir.keepCleanedTo(log, cleanedTo);
    this.#figures.cleanedTo = cleanedTo;
    return this.#figures;
  }

  /** Reads the dirty part into the map, as far as it has room; returns up to where (exclusive). */
  async #index(): Promise<number> {
    const { dir, worker, maxMapBytes, loadFactor } = this.#options;
    const { segments, firstDirtyOffset, firstUncleanableOffset } = this.#plan;
    const dirty = segments.filter((_, index) => (segments[index + 1]?.baseOffset ?? firstUncleanableOffset) > firstDirtyOffset);
    await worker.ask({
      kind: 'begin',
      hashKey: dir.around.env.randomBytes(HASH_KEY_BYTES),
      maxMapBytes,
      loadFactor,
      firstDirtyOffset,
      aborted: this.#abortedFrom(dirty[0]?.baseOffset ?? 0),
    });
    let latestOffset = firstDirtyOffset - 1;
    let full = false;
    for (const segment of dirty) {
      await this.#inPieces(
        segment,
        async (bytes) => {
          const done = (await worker.ask({ kind: 'index', bytes })) as IndexedPiece;
          latestOffset = Math.max(latestOffset, done.latestOffset);
          full = done.full;
          this.#figures.keys = done.mapCount;
          return done;
        },
        () => full,
      );
      if (full) return latestOffset + 1;
      // Offsets up to the next segment are gaps that an earlier cleaning has left.
      latestOffset = this.#plan.log.endOfSegments([segment]) - 1;
    }
    return latestOffset + 1;
  }

  async #beginFiltering(segments: readonly Segment[], latestOffset: number): Promise<void> {
    const { dir, worker } = this.#options;
    const { log } = this.#plan;
    const lastRecords = new Map<number, LastRecord>();
    for (const { producerId, producerEpoch, batches } of log.producers.stored())
      lastRecords.set(producerId, { producerEpoch, lastDataOffset: batches.at(-1)?.lastOffset });
    await worker.ask({
      kind: 'beginFiltering',
      latestOffset,
      aborted: this.#abortedFrom(segments[0]?.baseOffset ?? 0),
      rules: {
        nowMs: dir.around.env.wallMs(),
        deleteRetentionMs: log.config['delete.retention.ms'],
        lastRecords,
        upperBoundOffset: this.#plan.firstUncleanableOffset,
      },
    });
  }

  /** Those that are decided at or behind the offset: of others the walk from there meets neither batch nor marker. */
  #abortedFrom(offset: number): AbortedTransaction[] {
    return this.#plan.log.abortedTransactions.filter(({ lastOffset }) => lastOffset >= offset);
  }

  async #cleanGroup(group: readonly Segment[]): Promise<void> {
    const { dir } = this.#options;
    const { log } = this.#plan;
    const { env } = dir.around;
    if (group.every(({ bytes }) => bytes === 0)) return;
    const cleaned = new Segment({
      directory: log.directory,
      baseOffset: group[0]?.baseOffset ?? 0,
      createdMs: group[0]?.createdMs ?? 0,
      indexIntervalBytes: log.config['index.interval.bytes'],
      mark: '.cleaned',
    });
    cleaned.startIndexes();
    cleaned.named = true;
    try {
      const changed = await this.#write(group, cleaned);
      if (!changed && group.length === 1) return await removeCleaned(dir, cleaned);
      const { indexes } = cleaned;
      if (indexes === undefined) throw new CleaningAbandonedError(log.name);
      const indexFiles = await dir.attempt('write', cleaned.path, () =>
        writeMarkedIndexFiles(dir.around, cleaned, indexes, { mark: '.cleaned' }),
      );
      await dir.attempt('sync', log.directory, () => env.files.syncDirectory(log.directory));
      await swapIn(dir, { log, replaced: group, cleaned, indexFiles, pause: this.#options.pause });
      this.#figures.segmentsReplaced += group.length;
    } catch (thrown) {
      await removeCleaned(dir, cleaned);
      throw thrown;
    }
  }

  /** Writes what is left of the group to the cleaned segment's file and syncs it; false when that is all there was. */
  async #write(group: readonly Segment[], cleaned: Segment): Promise<boolean> {
    const { dir } = this.#options;
    const path = join(cleaned.directory, offsetFileName(cleaned.baseOffset, '.log', '.cleaned'));
    const handle = await dir.attempt('write', path, () => dir.around.env.files.open(path, 'create'));
    try {
      await dir.attempt('write', path, () => handle.truncate(0));
      let changed = false;
      for (const segment of group) if (await this.#filterSegment(segment, { cleaned, handle, path })) changed = true;
      await dir.attempt('sync', path, () => handle.dataSync());
      return changed;
    } finally {
      await handle.close();
    }
  }

  async #filterSegment(segment: Segment, into: { cleaned: Segment; handle: FileHandle; path: string }): Promise<boolean> {
    const { dir, worker, pace } = this.#options;
    let changed = false;
    await this.#inPieces(segment, async (bytes) => {
      const done = (await worker.ask({ kind: 'filter', bytes })) as FilteredPiece;
      if (done.changed) changed = true;
      const kept = Buffer.from(done.bytes.buffer, done.bytes.byteOffset, done.bytes.byteLength);
      if (kept.length > 0) await dir.attempt('write', into.path, () => into.handle.write([kept], into.cleaned.bytes));
      for (const at of iterateBatches(kept)) into.cleaned.append(placeOfBatch(kept, at));
      for (const transaction of done.aborted) into.cleaned.noteAborted(transaction);
      this.#figures.bytesWritten += kept.length;
      this.#figures.recordsRead += done.recordsRead;
      this.#figures.recordsKept += done.recordsKept;
      this.#figures.recordsWithoutKey += done.withoutKey;
      await pace(kept.length, () => this.#isOver());
      return done;
    });
    return changed;
  }

  /** Gives the segment away in pieces that begin with a batch; `visit` says how far it came. */
  async #inPieces(
    segment: Segment,
    visit: (bytes: Uint8Array) => Promise<PieceDone>,
    isEnough: () => boolean = () => false,
  ): Promise<void> {
    const { worker, pace } = this.#options;
    const { log } = this.#plan;
    let position = 0;
    let wantedBytes = worker.pieceBytes;
    while (position < segment.bytes && !isEnough()) {
      if (!log.hasSegments([segment])) throw new CleaningAbandonedError(log.name);
      const bytes = new Uint8Array(Math.min(wantedBytes, segment.bytes - position));
      const askedBytes = bytes.length;
      const readBytes = await this.#read(segment, bytes, position);
      if (readBytes < askedBytes)
        throw new DamagedFileError(segment.path, `it ends after ${position + readBytes} bytes of ${segment.bytes}`, LEAVE_IT);
      const done = await visit(bytes);
      this.#figures.bytesRead += done.consumedBytes;
      await pace(done.consumedBytes, () => this.#isOver());
      wantedBytes = worker.pieceBytes;
      position += done.consumedBytes;
      if (done.consumedBytes > 0 || isEnough()) continue;
      const leftBytes = segment.bytes - position;
      if (done.nextBatchBytes <= askedBytes || done.nextBatchBytes > leftBytes)
        throw new DamagedFileError(segment.path, `no whole batch lies at byte ${position}, where ${leftBytes} are left`, LEAVE_IT);
      wantedBytes = done.nextBatchBytes;
    }
  }

  #isOver(): boolean {
    const { log, segments } = this.#plan;
    return !log.hasSegments(segments.slice(-1));
  }

  async #read(segment: Segment, bytes: Uint8Array, position: number): Promise<number> {
    const { log } = this.#plan;
    try {
      return await this.#options.dir.around.openFiles.use(segment.path, (handle) => handle.read(bytes, position));
    } catch (thrown) {
      if (!log.hasSegments([segment])) throw new CleaningAbandonedError(log.name);
      throw thrown;
    }
  }
}

const LEAVE_IT = 'the partition is not cleaned until the broker is started again; restore the file from a copy if there is one';
