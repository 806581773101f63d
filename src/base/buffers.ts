// Memory that others would leave to chance: small batches copied together into slabs, so that they do not pin the network's
// chunks; the bytes that are really held, counted by underlying buffer; and a budget that makes the next one wait.
import { Fifo } from './fifo.ts';
import { invariant } from './invariant.ts';

const SLAB_BYTES = 1024 * 1024;
/** What is larger gets a buffer of its own: so that no slab ends with more than an eighth of it unused. */
const LARGEST_SHARE = 8;
/** Slabs that wait to be used again; beyond them the garbage collector may have them. */
const MOST_FREE = 16;

interface Slab {
  readonly bytes: Buffer;
  /** Handed out and not given back. */
  slices: number;
  /** Somebody who does not give back may still look at a slice of it. */
  lent: boolean;
}

/**
 * Hands out slices of large buffers. A slab all of whose slices have been given back is filled again: V8 counts a new one as
 * growth of its heap, and would collect all of that heap for every few dozen. Whoever keeps a slice and never gives it
 * back does no harm, the slab lives as long as the slice. Slices are not zeroed.
 */
export class Slabs {
  readonly #slabBytes: number;
  /** Those with slices that are not given back, by their underlying buffer. */
  readonly #inUse = new WeakMap<ArrayBufferLike, Slab>();
  readonly #free: Buffer[] = [];
  #slab: Slab;
  #used: number;

  constructor(slabBytes = SLAB_BYTES) {
    this.#slabBytes = slabBytes;
    this.#slab = { bytes: Buffer.alloc(0), slices: 0, lent: true };
    this.#used = 0;
  }

  /** A slice of that length for the caller to fill. */
  take(bytes: number): Buffer {
    if (bytes * LARGEST_SHARE > this.#slabBytes) return Buffer.allocUnsafeSlow(bytes);
    if (this.#used + bytes > this.#slab.bytes.length) this.#begin();
    const slice = this.#slab.bytes.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    this.#slab.slices += 1;
    return slice;
  }

  copy(bytes: Uint8Array): Buffer {
    const slice = this.take(bytes.length);
    slice.set(bytes);
    return slice;
  }

  /** The slice goes to somebody who will not give it back: its slab is left to the garbage collector. */
  lend(slice: Uint8Array): void {
    const slab = this.#inUse.get(slice.buffer);
    if (slab !== undefined) slab.lent = true;
  }

  /** Once for each slice, by the last who looks at it: its bytes will be others'. */
  giveBack(slice: Uint8Array): void {
    const slab = this.#inUse.get(slice.buffer);
    if (slab === undefined) return; // a buffer of its own
    invariant(slab.slices > 0, 'a slice is given back once');
    slab.slices -= 1;
    if (slab.slices === 0 && slab !== this.#slab) this.#end(slab);
  }

  #begin(): void {
    const full = this.#slab;
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#slabBytes);
    this.#slab = { bytes, slices: 0, lent: false };
    this.#used = 0;
    this.#inUse.set(bytes.buffer, this.#slab);
    if (full.slices === 0) this.#end(full);
  }

  #end({ bytes, lent }: Slab): void {
    this.#inUse.delete(bytes.buffer);
    if (!lent && this.#free.length < MOST_FREE) this.#free.push(bytes);
  }
}

/** The same bytes in fewer pieces: neighbours in one underlying buffer become one slice. Nothing is copied. */
export function joinNeighbours(pieces: Buffer[]): Buffer[] {
  if (pieces.length < 2) return pieces;
  const joined: Buffer[] = [];
  let first = pieces[0] as Buffer;
  let bytes = first.length;
  for (let index = 1; index < pieces.length; index += 1) {
    const next = pieces[index] as Buffer;
    if (next.buffer === first.buffer && next.byteOffset === first.byteOffset + bytes) bytes += next.length;
    else {
      joined.push(bytes === first.length ? first : Buffer.from(first.buffer, first.byteOffset, bytes));
      first = next;
      bytes = next.length;
    }
  }
  joined.push(bytes === first.length ? first : Buffer.from(first.buffer, first.byteOffset, bytes));
  return joined;
}

/**
 * The bytes a collection of slices keeps alive: each underlying buffer counts once and whole, however small the slice.
 * `bytes` is what the process really cannot free.
 */
export class PinnedBytes {
  readonly #slices = new Map<ArrayBufferLike, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(slice: Uint8Array): void {
    const known = this.#slices.get(slice.buffer);
    this.#slices.set(slice.buffer, (known ?? 0) + 1);
    if (known === undefined) this.#bytes += slice.buffer.byteLength;
  }

  /** Once for each `add`. */
  remove(slice: Uint8Array): void {
    const known = this.#slices.get(slice.buffer);
    invariant(known !== undefined, 'only a slice that was added is removed');
    if (known > 1) {
      this.#slices.set(slice.buffer, known - 1);
      return;
    }
    this.#slices.delete(slice.buffer);
    this.#bytes -= slice.buffer.byteLength;
  }
}

interface Waiter {
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * So many bytes may be in use at once; who wants more waits, first come first served, also when a later one would fit.
 * A share above the whole budget is granted when nothing else is in use, since it could never be granted otherwise.
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  readonly #waiting = new Fifo<Waiter>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a share if it is free and nobody waits; false otherwise. */
  tryTake(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  /**
   * Takes a share when its turn comes; aborting gives the place in the queue up.
   * @throws the signal's reason
   */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.tryTake(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        go: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiting.remove(waiter);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('waiting was given up'));
        this.#serve(); // those behind may fit
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    invariant(bytes <= this.#used, 'no more is given back than was taken');
    this.#used -= bytes;
    this.#serve();
  }

  #fits(bytes: number): boolean {
    return this.#used + bytes <= this.limit || this.#used === 0;
  }

  #serve(): void {
    for (let next = this.#waiting.peek(); next !== undefined && this.#fits(next.bytes); next = this.#waiting.peek()) {
      this.#waiting.shift();
      this.#used += next.bytes; // taken before anybody else can ask
      next.go();
    }
  }
}
