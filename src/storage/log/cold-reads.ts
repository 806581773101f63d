// Reads of one partition that memory does not answer: batches that have left the tail, records behind a timestamp. Goes from
// segment to segment, and stands up to files that the cleaner or a moved log start takes away meanwhile. What may be read,
// and how far, the log has decided.
import { KafkaError } from '../../protocol/errors.ts';
import { baseOffsetOf, iterateBatches, recordCountOf } from '../../protocol/record-batch.ts';
import { indexesOf, type IndexSurroundings } from './index-files.ts';
import type { LogSegments } from './log-segments.ts';
import { ReadFailures } from './read-failures.ts';
import type { Segment } from './segment.ts';
import { findMaxTimestamp, findTimestamp, readBatches, type BatchesWanted, type OffsetAtTimestamp } from './segment-reader.ts';

/** What the log says of itself; asked again after every wait. */
export interface LogToRead {
  readonly name: string;
  readonly logStartOffset: number;
  readonly isClosed: boolean;
  readonly isCompacted: boolean;
}

export interface ColdBatches {
  readonly buffers: Buffer[];
  readonly bytes: number;
  /** Exclusive. */
  readonly endOffset: number;
}

/** Nothing larger than this is read from a file for one partition of one answer, whatever the client asked for. */
const MAX_COLD_READ_BYTES = 8 * 1024 * 1024;

/** Made with the first read that memory does not answer: most logs never need it. */
export class ColdReads {
  readonly #log: LogToRead;
  readonly #segments: LogSegments;
  readonly #around: IndexSurroundings;
  readonly #failures: ReadFailures;

  constructor(log: LogToRead, segments: LogSegments, around: IndexSurroundings) {
    this.#log = log;
    this.#segments = segments;
    this.#around = around;
    this.#failures = new ReadFailures(log.name, around);
  }

  /** Batches from the one that holds `from` on. @throws KafkaError OFFSET_OUT_OF_RANGE, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR */
  read<Result>(wanted: BatchesWanted, answer: (batches: ColdBatches) => Result): Promise<Result> {
    return this.#fromFiles(wanted.from, async () => answer(await this.#readFiles(wanted)));
  }

  /** The first record at or after the timestamp below the offset that `upTo` says. @throws as `read` */
  offsetForTimestamp(timestamp: number, upTo: () => number): Promise<OffsetAtTimestamp | undefined> {
    return this.#lookUp(() => this.#findTimestamp(timestamp, upTo()));
  }

  /** The first record with the largest timestamp below the offset that `upTo` says. @throws as `read` */
  offsetOfMaxTimestamp(upTo: () => number): Promise<OffsetAtTimestamp | undefined> {
    return this.#lookUp(() => this.#findMaxTimestamp(upTo));
  }

  async #findTimestamp(timestamp: number, upTo: number): Promise<OffsetAtTimestamp | undefined> {
    for (const segment of this.#segments.all.slice()) {
      await indexesOf(this.#around, segment); // tells the largest timestamp of a segment that was not walked
      if (segment.maxTimestamp < timestamp) continue;
      const found = await findTimestamp(this.#around, segment, { timestamp, from: this.#log.logStartOffset, upTo });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #findMaxTimestamp(upTo: () => number): Promise<OffsetAtTimestamp | undefined> {
    let largest: Segment | undefined;
    for (const segment of this.#segments.all.slice()) {
      await indexesOf(this.#around, segment);
      if (segment.maxTimestamp > (largest?.maxTimestamp ?? -1)) largest = segment;
    }
    if (largest === undefined) return undefined;
    return findMaxTimestamp(this.#around, largest, { from: this.#log.logStartOffset, upTo: upTo() });
  }

  async #readFiles({ from, upTo, maxBytes: askedBytes, atLeastOneBatch }: BatchesWanted): Promise<ColdBatches> {
    const maxBytes = Math.min(askedBytes, MAX_COLD_READ_BYTES);
    const buffers: Buffer[] = [];
    let bytes = 0;
    let endOffset = from;
    const first = this.#segments.indexOf(from);
    for (let index = first; index < this.#segments.all.length;) {
      const segment = this.#segments.all[index] as Segment;
      const wanted = { from: endOffset, upTo, maxBytes: Math.max(0, maxBytes - bytes), atLeastOneBatch };
      const found = await readBatches(this.#around, segment, wanted);
      if (found.bytes.length === 0) {
        if (!atLeastOneBatch && segment.bytes > 0) break; // nothing fits; the next answer begins with this partition
        index += 1;
        continue;
      }
      // Compaction leaves gaps, and may leave a segment empty; nothing else does.
      const baseOffset = baseOffsetOf(found.bytes, 0);
      if (index > first && baseOffset > endOffset && !this.#log.isCompacted) this.#failures.noteGap(endOffset, baseOffset);
      buffers.push(found.bytes);
      bytes += found.bytes.length;
      endOffset = found.endOffset;
      // The cleaner leaves batches without records, and segments of nothing else. Some clients (kafkajs) do not get past an
      // answer that holds only such: it goes on to the next record.
      if (holdsRecords(found.bytes)) break;
    }
    return { buffers, bytes, endOffset };
  }

  /**
   * Runs what reads files, from the offset on; again when the cleaner has put other files in their place meanwhile, whatever came
   * of it. Segments may also go, and other files get their names: what was read then counts for nothing.
   */
  async #fromFiles<Result>(from: number, work: () => Promise<Result>): Promise<Result> {
    const { name } = this.#log;
    for (;;) {
      const before = this.#segments.replacements;
      const segment = this.#segments.all[this.#segments.indexOf(from)];
      const outcome = await work().then(
        (result) => ({ result }),
        (thrown: unknown) => ({ thrown }),
      );
      if (this.#log.isClosed) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', `${name} was closed`);
      if (before !== this.#segments.replacements) continue;
      if ('result' in outcome && segment?.gone !== true) return outcome.result;
      const { logStartOffset } = this.#log;
      if (from < logStartOffset) throw new KafkaError('OFFSET_OUT_OF_RANGE', `${name} begins at ${logStartOffset} now`);
      if ('result' in outcome) return outcome.result;
      throw this.#failures.asKafkaError(outcome.thrown);
    }
  }

  /** Where segments have gone meanwhile, what is left is looked through again. */
  async #lookUp<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await this.#fromFiles(this.#log.logStartOffset, work);
      } catch (thrown) {
        if (!(thrown instanceof KafkaError) || thrown.errorName !== 'OFFSET_OUT_OF_RANGE') throw thrown;
      }
    }
  }
}

function holdsRecords(batches: Buffer): boolean {
  for (const at of iterateBatches(batches)) if (recordCountOf(batches, at) > 0) return true;
  return false;
}
