// A segment's transaction index: the aborted transactions whose markers lie in the segment, in the order of the markers.
// read_committed consumers are told of them. Memory and file form only; absent on disk until a transaction is aborted.
import { invariant } from '../../base/invariant.ts';
import { int64At } from '../../protocol/reader.ts';
import { putInt64 } from '../../protocol/writer.ts';
import { DamagedIndexError, viewOf } from './offset-index.ts';

//  0         2             10             18            26                   34
//  | version | producer id | first offset | last offset | last stable offset |
//  | int16 0 | int64       | int64        | int64       | int64              |
const ENTRY_BYTES = 34;
const VERSION = 0;

export interface AbortedTransaction {
  readonly producerId: number;
  /** Of the transaction's first batch in this partition. */
  readonly firstOffset: number;
  /** Of its marker, inclusive. */
  readonly lastOffset: number;
  /** The last stable offset once this transaction was decided: later entries may begin below it, but end at or above. */
  readonly lastStableOffset: number;
}

export interface CollectedTransactions {
  readonly transactions: AbortedTransaction[];
  /** True when no later segment can add to them. */
  readonly complete: boolean;
}

export class TransactionIndex {
  readonly baseOffset: number;
  #entries: AbortedTransaction[] | undefined;

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset;
  }

  /** Entries held. */
  get count(): number {
    return this.#entries?.length ?? 0;
  }

  /** In the order of the markers. */
  get entries(): readonly AbortedTransaction[] {
    return this.#entries ?? [];
  }

  /** Size of the whole file form; no file is made for 0. */
  get bytes(): number {
    return this.count * ENTRY_BYTES;
  }

  /** Markers come in the order of the log: each `lastOffset` lies above the one before. */
  append(transaction: AbortedTransaction): void {
    const last = this.#entries?.at(-1);
    invariant(!last || transaction.lastOffset > last.lastOffset, 'aborted transactions are indexed in the order of their markers');
    this.#entries ??= [];
    this.#entries.push(transaction);
  }

  /**
   * The aborted transactions that touch offsets from `fetchOffset` (inclusive) to `upperBoundOffset` (exclusive), in the
   * order of the markers. A reader goes on to the next segments until one is `complete`, then puts them into
   * `byFirstOffset` order.
   */
  collectAborted(fetchOffset: number, upperBoundOffset: number): CollectedTransactions {
    const transactions: AbortedTransaction[] = [];
    for (const entry of this.#entries ?? []) {
      if (entry.lastOffset >= fetchOffset && entry.firstOffset < upperBoundOffset) transactions.push(entry);
      if (entry.lastStableOffset >= upperBoundOffset) return { transactions, complete: true };
    }
    return { transactions, complete: false };
  }

  /** Forgets the transactions whose marker lies at `offset` or above. */
  truncateTo(offset: number): void {
    while (this.#entries && (this.#entries.at(-1)?.lastOffset ?? -1) >= offset) this.#entries.pop();
    if (this.#entries?.length === 0) this.#entries = undefined;
  }

  /** The file form of the entries from number `fromEntry` on: what is to be added to a file that holds those before. */
  encode(fromEntry = 0): Buffer {
    const entries = this.#entries?.slice(fromEntry) ?? [];
    const bytes = Buffer.allocUnsafe(entries.length * ENTRY_BYTES);
    const view = viewOf(bytes);
    let at = 0;
    for (const entry of entries) {
      bytes.writeInt16BE(VERSION, at);
      putInt64(view, at + 2, entry.producerId);
      putInt64(view, at + 10, entry.firstOffset);
      putInt64(view, at + 18, entry.lastOffset);
      putInt64(view, at + 26, entry.lastStableOffset);
      at += ENTRY_BYTES;
    }
    return bytes;
  }

  /**
   * Reads a whole file.
   * @throws DamagedIndexError for a part of an entry, another version, offsets before the segment, or entries out of order
   */
  static decode(baseOffset: number, bytes: Buffer): TransactionIndex {
    const name = `transaction index of base offset ${baseOffset}`;
    if (bytes.length % ENTRY_BYTES !== 0)
      throw new DamagedIndexError(name, `its ${bytes.length} bytes are no whole number of entries of ${ENTRY_BYTES}`);
    const index = new TransactionIndex(baseOffset);
    const view = viewOf(bytes);
    let previous = baseOffset - 1;
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const entry = at / ENTRY_BYTES;
      const version = bytes.readInt16BE(at);
      if (version !== VERSION) throw new DamagedIndexError(name, `entry ${entry} has version ${version}, known is ${VERSION}`);
      const producerId = int64At(view, at + 2);
      const firstOffset = int64At(view, at + 10);
      const lastOffset = int64At(view, at + 18);
      const lastStableOffset = int64At(view, at + 26);
      if (producerId < 0 || firstOffset < 0 || lastOffset < firstOffset || lastStableOffset < 0)
        throw new DamagedIndexError(name, `entry ${entry} (offsets ${firstOffset} to ${lastOffset}) cannot be a transaction`);
      if (lastOffset <= previous)
        throw new DamagedIndexError(name, `entry ${entry} ends at offset ${lastOffset}, not above ${previous} as it must`);
      previous = lastOffset;
      index.append({ producerId, firstOffset, lastOffset, lastStableOffset });
    }
    return index;
  }
}

/**
 * Sort order for an answer: some clients (kafkajs) take an aborted transaction from the list only once they meet its
 * first offset, and look at nothing but the head.
 */
export const byFirstOffset = (one: AbortedTransaction, other: AbortedTransaction): number => one.firstOffset - other.firstOffset;
