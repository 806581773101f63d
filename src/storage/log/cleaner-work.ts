// The arithmetic of one cleaning: it is given pieces of segments, and gives back what is left of them. First the dirty part
// of the log is read into a map of keys, then the whole of it is filtered through that map. No files and no clock: it runs
// in a thread of its own where there are threads, and in turns of the event loop where there are none.
import type { Compute } from '../../base/env.ts';
import { present } from '../../base/invariant.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { RECORD_BATCH_OVERHEAD, LOG_OVERHEAD, magicOf, sizeInBytesOf } from '../../protocol/record-batch.ts';
import { RecordReader } from '../../protocol/records-varint.ts';
import {
  cleanBatch,
  headerOf,
  markerOutcomeOf,
  plainRecordsOf,
  RecordPlace,
  type CleaningRules,
  type CleaningState,
} from './clean-batch.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import { OffsetMap } from './offset-map.ts';
import type { AbortedTransaction } from './transaction-index.ts';

export interface BeginCleaning {
  readonly kind: 'begin';
  readonly hashKey: Uint8Array;
  readonly maxMapBytes: number;
  readonly loadFactor: number;
  /** Keys below are in the clean part, and their records go where the map knows a later one. */
  readonly firstDirtyOffset: number;
  /** Of the walk through the dirty part. */
  readonly aborted: readonly AbortedTransaction[];
}

/** Whole batches from the start of `bytes` are read into the map, as many as there are. */
export interface IndexPiece {
  readonly kind: 'index';
  readonly bytes: Uint8Array;
}

export interface BeginFiltering {
  readonly kind: 'beginFiltering';
  readonly rules: CleaningRules;
  /** The map holds every key up to and with this offset. */
  readonly latestOffset: number;
  /** Of the walk through the whole log. */
  readonly aborted: readonly AbortedTransaction[];
}

/** Whole batches from the start of `bytes` are filtered, as many as there are. */
export interface FilterPiece {
  readonly kind: 'filter';
  readonly bytes: Uint8Array;
}

export type CleanerAsk = BeginCleaning | IndexPiece | BeginFiltering | FilterPiece;

export interface PieceDone {
  /** Bytes of whole batches that were taken. */
  readonly consumedBytes: number;
  /** What the next batch needs, when `bytes` does not hold it whole; 0 when it could not be seen. */
  readonly nextBatchBytes: number;
}

export interface IndexedPiece extends PieceDone {
  /** The map takes no more: the batch at `consumedBytes` is not in it, or not whole. */
  readonly full: boolean;
  /** Of the last batch that is in the map with all its keys; -1 for none. */
  readonly latestOffset: number;
  readonly recordsRead: number;
  readonly mapCount: number;
}

export interface FilteredPiece extends PieceDone {
  readonly bytes: Uint8Array;
  /** Something is not as it was. */
  readonly changed: boolean;
  /** Of the markers in the piece, those of the aborted transactions that still have batches. */
  readonly aborted: readonly AbortedTransaction[];
  readonly recordsRead: number;
  readonly recordsKept: number;
  readonly withoutKey: number;
}

export class CleanerWork {
  readonly #compute: Compute;
  #map: OffsetMap | undefined;
  #firstDirtyOffset = 0;
  #indexed: CleanedTransactions | undefined;
  #filtering: CleaningState | undefined;

  constructor(compute: Compute) {
    this.#compute = compute;
  }

  /** One question at a time. @throws KafkaError CORRUPT_MESSAGE where a segment is damaged */
  async answer(ask: CleanerAsk): Promise<IndexedPiece | FilteredPiece | undefined> {
    if (ask.kind === 'index') return this.#index(asBuffer(ask.bytes));
    if (ask.kind === 'filter') return this.#filter(asBuffer(ask.bytes));
    if (ask.kind === 'begin') this.#begin(ask);
    else this.#beginFiltering(ask);
    return undefined;
  }

  #begin({ hashKey, maxMapBytes, loadFactor, firstDirtyOffset, aborted }: BeginCleaning): void {
    this.#map = new OffsetMap({ hashKey, maxBytes: maxMapBytes, loadFactor });
    this.#firstDirtyOffset = firstDirtyOffset;
    this.#indexed = new CleanedTransactions(aborted);
    this.#filtering = undefined;
  }

  #beginFiltering({ rules, latestOffset, aborted }: BeginFiltering): void {
    const map = present(this.#map, 'the map of a cleaning');
    this.#filtering = { compute: this.#compute, map, latestOffset, transactions: new CleanedTransactions(aborted), rules };
  }

  async #index(bytes: Buffer): Promise<IndexedPiece> {
    const map = present(this.#map, 'the map of a cleaning');
    const transactions = present(this.#indexed, 'what is known of transactions');
    let at = 0;
    let latestOffset = -1;
    let recordsRead = 0;
    for (let size = wholeBatchAt(bytes, at); size > 0; size = wholeBatchAt(bytes, at)) {
      const batch = bytes.subarray(at, at + size);
      const header = headerOf(this.#compute, batch);
      recordsRead += header.recordCount;
      if (header.isControl) transactions.takeControl(header, markerOutcomeOf(batch));
      // What was aborted hides nothing.
      else if (!transactions.takeData(header) && header.lastOffset >= this.#firstDirtyOffset) {
        const plain = plainRecordsOf(this.#compute, batch, header);
        const records = plain instanceof Promise ? await plain : plain;
        if (!this.#indexRecords(map, records, header))
          return { consumedBytes: at, nextBatchBytes: size, full: true, latestOffset, recordsRead, mapCount: map.count };
      }
      if (header.lastOffset >= this.#firstDirtyOffset) latestOffset = header.lastOffset;
      at += size;
    }
    return { consumedBytes: at, nextBatchBytes: nextSize(bytes, at), full: false, latestOffset, recordsRead, mapCount: map.count };
  }

  /** False when the map has no room for all of them. */
  #indexRecords(map: OffsetMap, records: Buffer, { baseOffset, recordCount }: { baseOffset: number; recordCount: number }): boolean {
    const reader = new RecordReader(records, 0, records.length);
    const place = new RecordPlace();
    for (let left = recordCount; left > 0; left -= 1) {
      place.read(reader);
      const offset = baseOffset + place.offsetDelta;
      if (place.keyFrom < 0 || offset < this.#firstDirtyOffset) continue;
      if (map.isFull) return false;
      map.put(records, place.keyFrom, place.keyTo, offset);
    }
    return true;
  }

  async #filter(bytes: Buffer): Promise<FilteredPiece> {
    const state = present(this.#filtering, 'the rules of the filter');
    const kept: Buffer[] = [];
    let at = 0;
    let changed = false;
    let keptBytes = 0;
    const counts = { recordsRead: 0, recordsKept: 0, withoutKey: 0 };
    for (let size = wholeBatchAt(bytes, at); size > 0; size = wholeBatchAt(bytes, at)) {
      const batch = bytes.subarray(at, at + size);
      const cleaning = cleanBatch(state, batch);
      const cleaned = cleaning instanceof Promise ? await cleaning : cleaning;
      if (cleaned.bytes !== batch) changed = true;
      counts.recordsRead += cleaned.recordsRead;
      counts.recordsKept += cleaned.recordsKept;
      counts.withoutKey += cleaned.withoutKey;
      if (cleaned.bytes !== undefined) {
        kept.push(cleaned.bytes);
        keptBytes += cleaned.bytes.length;
      }
      at += size;
    }
    // A buffer of its own: what was asked with goes back to whoever asked.
    const out = new Uint8Array(keptBytes);
    let to = 0;
    for (const batch of kept) {
      out.set(batch, to);
      to += batch.length;
    }
    return {
      consumedBytes: at,
      nextBatchBytes: nextSize(bytes, at),
      bytes: out,
      changed,
      aborted: state.transactions.takeRetained(),
      ...counts,
    };
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Its size; 0 when the bytes end before it does. @throws KafkaError CORRUPT_MESSAGE when what stands there is no batch */
function wholeBatchAt(bytes: Buffer, at: number): number {
  if (at + RECORD_BATCH_OVERHEAD > bytes.length) return 0;
  const size = nextSize(bytes, at);
  return at + size > bytes.length ? 0 : size;
}

function nextSize(bytes: Buffer, at: number): number {
  if (at + LOG_OVERHEAD + 5 > bytes.length) return 0;
  const size = sizeInBytesOf(bytes, at);
  if (magicOf(bytes, at) !== 2) throw new KafkaError('CORRUPT_MESSAGE', `magic ${magicOf(bytes, at)} is not 2`);
  if (size < RECORD_BATCH_OVERHEAD) throw new KafkaError('CORRUPT_MESSAGE', `a batch of ${size} bytes is too small`);
  return size;
}
