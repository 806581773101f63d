// The bytes that requests of all connections may hold together, and who reads on when they are used up. A connection
// that finds the memory full stops reading and waits here; places come free in the order of waiting. Counts bytes and
// decides turns; pausing and reading are the connection's.
import type { HeldBytes } from './frames.ts';

/** A connection that has stopped reading until there is memory. */
export interface MemoryWaiter {
  /** Bytes missing of the frame it is in the middle of; 0 between frames. */
  readonly missingBytes: number;
  /** It may read again. `toFrameEnd`: even above the limit, until the frame it is in the middle of is whole. */
  readOn(toFrameEnd: boolean): void;
  /** It holds a turn to the end of its frame and has not used it: it reads no more and waits anew. */
  giveUpTurn(): void;
  /** Others wait, and so far nobody knows whether its client still sends: it should find out, and close when it does not. */
  probe(nowMs: number): void;
}

/** Guess of what a connection brings that may read again between frames: one chunk of a socket. */
const CHUNK_BYTES = 64 * 1024;

/** Share of the limit that whole requests must hold for the rest to wait for them; below it, unfinished frames block each other. */
const WHOLE_SHARE = 1 / 4;

/** Each may bring one more chunk. */
const PROBES_AT_A_TIME = 64;

/**
 * The limit is passed by what is under way when it is reached: at most one chunk of a socket (64 KiB) for each connection
 * that sends at that moment, and the frames that are read to their end.
 */
export class RequestMemory implements HeldBytes {
  readonly limitBytes: number;
  /** Held by requests that have arrived whole: it comes back when they are answered. */
  whole = 0;
  /** Set aside for frames under way: it comes back only when these are completed and answered, or their connections end. */
  partial = 0;
  readonly #between = new Set<MemoryWaiter>();
  readonly #midFrame = new Set<MemoryWaiter>();
  /** Those who may read above the limit, with the bytes that were missing when they were last looked at. */
  readonly #turns = new Map<MemoryWaiter, number>();
  #turnBytes = 0;
  readonly #defer: (run: () => void) => void;
  #admitting = false;

  constructor(limitBytes: number, defer: (run: () => void) => void) {
    this.limitBytes = limitBytes;
    this.#defer = defer;
  }

  get usedBytes(): number {
    return this.whole + this.partial;
  }

  get full(): boolean {
    return this.whole + this.partial >= this.limitBytes;
  }

  get waiting(): number {
    return this.#between.size + this.#midFrame.size;
  }

  wait(waiter: MemoryWaiter): void {
    if (waiter.missingBytes > 0) this.#midFrame.add(waiter);
    else this.#between.add(waiter);
    this.admitSoon();
  }

  /** The waiter is closed, or its turn is used: its frame is whole. */
  forget(waiter: MemoryWaiter): void {
    this.#between.delete(waiter);
    this.#midFrame.delete(waiter);
    const turn = this.#turns.get(waiter);
    if (turn === undefined) return;
    this.#turns.delete(waiter);
    this.#turnBytes -= turn;
  }

  /** Lets as many read as there is memory for, later in this turn. To be called when bytes have come free, or a waiter has come or gone. */
  admitSoon(): void {
    if (this.#admitting || this.#between.size + this.#midFrame.size === 0) return;
    this.#admitting = true;
    this.#defer(() => {
      this.#admitting = false;
      this.#admit();
    });
  }

  #admit(): void {
    // Whoever is in the middle of a frame goes first: a completed frame is answered and gives back what it holds.
    let room = this.limitBytes - this.usedBytes;
    while (room > 0) {
      const waiter = first(this.#midFrame) ?? first(this.#between);
      if (waiter === undefined) return;
      room -= Math.max(CHUNK_BYTES, waiter.missingBytes);
      this.forget(waiter);
      waiter.readOn(false);
    }
    // When unfinished frames hold nearly all there is, nothing would ever come free by itself: some are read to their
    // end above the limit, oldest first, until requests that will be answered hold their share again.
    const share = this.limitBytes * WHOLE_SHARE;
    while (this.whole + this.#turnBytes < share) {
      const waiter = first(this.#midFrame);
      if (waiter === undefined) return;
      this.#midFrame.delete(waiter);
      this.#turns.set(waiter, waiter.missingBytes);
      this.#turnBytes += waiter.missingBytes;
      waiter.readOn(true);
    }
  }

  /**
   * Takes turns from those who sent nothing since the last call, and has some of the waiters look whether their clients
   * are still there: silent ones would hold the memory for ever. To be called every second while there are waiters.
   */
  tick(nowMs: number): void {
    for (const [waiter, missing] of this.#turns) {
      const now = waiter.missingBytes;
      if (now < missing) {
        this.#turnBytes += now - missing;
        this.#turns.set(waiter, now);
      } else {
        this.forget(waiter);
        waiter.giveUpTurn();
      }
    }
    let probes = PROBES_AT_A_TIME;
    for (const waiter of this.#midFrame) {
      if (probes === 0) break;
      probes -= 1;
      waiter.probe(nowMs);
    }
    this.admitSoon();
  }
}

const first = (waiters: ReadonlySet<MemoryWaiter>): MemoryWaiter | undefined => waiters.values().next().value;
