// What the cleaner knows of transactions while it walks a log from its start: which batches belong to aborted ones, and
// which markers have outlived all batches of theirs. By the rules of Kafka's cleaner: a marker goes after its batches, never before.
import { byFirstOffset, type AbortedTransaction } from './transaction-index.ts';

export type Outcome = 'commit' | 'abort';

interface OpenAborted {
  readonly transaction: AbortedTransaction;
  /** A batch of it, or the shell of one, is still there. */
  seen: boolean;
}

export class CleanedTransactions {
  /** Those that have not begun yet, by first offset. */
  readonly #aborted: readonly AbortedTransaction[];
  #next = 0;
  readonly #openAborted = new Map<number, OpenAborted>();
  readonly #openCommitted = new Set<number>();
  #retained: AbortedTransaction[] = [];

  /** All aborted transactions that may touch what is walked. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = [...aborted].sort(byFirstOffset);
  }

  /** A batch of data comes by. True when it is of an aborted transaction: nobody may read it, so it can go. */
  takeData(batch: { producerId: number; lastOffset: number; isTransactional: boolean }): boolean {
    this.#beginUpTo(batch.lastOffset);
    if (!batch.isTransactional) return false;
    const aborted = this.#openAborted.get(batch.producerId);
    if (aborted === undefined) {
      this.#openCommitted.add(batch.producerId);
      return false;
    }
    aborted.seen = true;
    return true;
  }

  /** A control batch comes by; `outcome` of the marker in it. True when it has nothing to say any more. */
  takeControl(batch: { producerId: number; lastOffset: number }, outcome: Outcome | 'other' | 'emptied'): boolean {
    this.#beginUpTo(batch.lastOffset);
    if (outcome === 'emptied') return true;
    if (outcome === 'commit') return !this.#openCommitted.delete(batch.producerId);
    if (outcome === 'other') return false;
    const aborted = this.#openAborted.get(batch.producerId);
    this.#openAborted.delete(batch.producerId);
    if (aborted?.seen !== true) return true;
    this.#retained.push(aborted.transaction);
    return false;
  }

  /** The aborted transactions whose markers have come by since the last call and that still have batches: for the new index. */
  takeRetained(): AbortedTransaction[] {
    const retained = this.#retained;
    this.#retained = [];
    return retained;
  }

  #beginUpTo(offset: number): void {
    for (let next = this.#aborted[this.#next]; next !== undefined && next.firstOffset <= offset; next = this.#aborted[++this.#next])
      if (!this.#openAborted.has(next.producerId)) this.#openAborted.set(next.producerId, { transaction: next, seen: false });
  }
}
