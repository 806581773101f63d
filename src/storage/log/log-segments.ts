// Which segments a log consists of, oldest first: finds the one that holds an offset, takes out those below the log start,
// puts a cleaned one in the place of several. A list in memory: the files are its callers' to write and remove.
import { invariant } from '../../base/invariant.ts';
import type { Segment } from './segment.ts';
import { byFirstOffset, type AbortedTransaction } from './transaction-index.ts';

export class LogSegments {
  #list: Segment[];
  /** How often the cleaner has put something else in the place of segments. */
  replacements = 0;

  constructor(list: Segment[]) {
    this.#list = list;
  }

  /** Other segments altogether: the log was reopened. */
  reset(list: Segment[]): void {
    this.#list = list;
  }

  get all(): readonly Segment[] {
    return this.#list;
  }

  /** The newest, which batches are appended to; undefined while there is none. */
  get active(): Segment | undefined {
    return this.#list[this.#list.length - 1];
  }

  get bytes(): number {
    return this.#list.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  add(segment: Segment): void {
    this.#list.push(segment);
  }

  /** The segment that holds the offset: the last whose base is not above it. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#list[middle] as Segment).baseOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Where neighbours end: the next one's base, exclusive; the log end for the newest, -1 where they are none of the log's. */
  endOf(segments: readonly Segment[], logEndOffset: number): number {
    const last = segments.at(-1);
    const at = last === undefined ? -1 : this.#list.indexOf(last);
    return at < 0 ? -1 : (this.#list[at + 1]?.baseOffset ?? logEndOffset);
  }

  /** Those before the one given, and as many of them as end at or below the offset: oldest first, up to the first that does not. */
  settled(settledTo: number, unwritten: Segment | undefined): Segment[] {
    const end = this.#list.findIndex(
      (segment, index) => segment === unwritten || (this.#list[index + 1]?.baseOffset ?? Infinity) > settledTo,
    );
    return this.#list.slice(0, Math.max(0, end));
  }

  /** The segments follow each other, and are those that are read now. */
  has(segments: readonly Segment[]): boolean {
    const from = this.#list.indexOf(segments[0] as Segment);
    return from >= 0 && segments.every((segment, index) => this.#list[from + index] === segment);
  }

  /** Puts one in the place of neighbours; returns the base of the segment behind it, 0 when it is the newest. */
  replace(replaced: readonly Segment[], by: Segment): number {
    invariant(this.has(replaced), 'what the cleaner replaces is there');
    const from = this.#list.indexOf(replaced[0] as Segment);
    this.#list.splice(from, replaced.length, by);
    this.replacements += 1;
    for (const segment of replaced) segment.gone = true;
    return this.#list[from + 1]?.baseOffset ?? 0;
  }

  /** Takes those out that lie wholly below the offset. The newest always stays. */
  takeBelow(offset: number): Segment[] {
    const taken: Segment[] = [];
    for (let next = this.#list[1]; next !== undefined && next.baseOffset <= offset; next = this.#list[1]) {
      const oldest = this.#list.shift();
      if (oldest !== undefined) taken.push(oldest);
    }
    for (const segment of taken) segment.gone = true;
    return taken;
  }

  /** All that the segments know of, in the order of their markers. */
  get abortedTransactions(): AbortedTransaction[] {
    return this.#list.flatMap(({ aborted }) => aborted?.entries ?? []);
  }

  /** The aborted transactions that have records in [from, endOffset), in the order of their first offsets. */
  abortedBetween(from: number, endOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = [];
    for (let index = this.indexOf(from); index < this.#list.length; index += 1) {
      const collected = this.#list[index]?.aborted?.collectAborted(from, endOffset);
      if (collected === undefined) continue;
      found.push(...collected.transactions);
      if (collected.complete) break;
    }
    return found.sort(byFirstOffset);
  }
}
