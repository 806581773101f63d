// The journal of a log dir: one preallocated, recycled file that is synced once for all the files a group commit
// touches. Small batches lie in it whole, large ones are named only; either way its last frame says which bytes of
// which segments the last group wrote, and so which bytes a crash may have torn and which it may not.
//
// Frames are written here; journal-format.ts has their layout, journal-reader.ts finds them again. Recovery writes their
// data to its place (the same bytes: it may be done any number of times), syncs it and keeps how far it went; only then
// is the journal begun anew.
import type { Compute, FileHandle, FileSystem } from '../../base/env.ts';
import { invariant } from '../../base/invariant.ts';
import { encodeFrame, encodeHead, frameBytesOf, HEAD_BYTES, JOURNAL_ID_BYTES, type JournalEntry } from './journal-format.ts';

export const JOURNAL_FILE = 'bucketrider.journal';

/** Blocks that the file does not have yet are written as zeros, so many at a time: an overwrite syncs almost twice as fast as an append. */
const ZEROS = Buffer.alloc(1024 * 1024);

interface Half {
  readonly startsAt: number;
  filledBytes: number;
  /** The sequence of the last frame in it; -1 while it has none. */
  lastSequence: number;
}

export class Journal {
  readonly #handle: FileHandle;
  readonly #compute: Compute;
  readonly #halfBytes: number;
  readonly #id: Buffer;
  #active: Half;
  #other: Half;
  #nextSequence = 0;
  #liveFrom = 0;
  #allocatedBytes: number;
  /** Of the frame that waits for its sync. */
  #writtenBytes = 0;
  /** The disk refused a frame, and may have taken any part of it. */
  #refused = false;

  private constructor(options: { handle: FileHandle; compute: Compute; halfBytes: number; id: Buffer; allocatedBytes: number }) {
    this.#handle = options.handle;
    this.#compute = options.compute;
    this.#halfBytes = options.halfBytes;
    this.#id = options.id;
    this.#active = { startsAt: HEAD_BYTES, filledBytes: 0, lastSequence: -1 };
    this.#other = { startsAt: HEAD_BYTES + options.halfBytes, filledBytes: 0, lastSequence: -1 };
    this.#allocatedBytes = options.allocatedBytes;
  }

  /** Begins a journal where nothing of an earlier one in that file is needed any more. It is durable, but for its name. */
  static async begin(
    files: FileSystem,
    path: string,
    options: { compute: Compute; halfBytes: number; randomBytes: (count: number) => Uint8Array },
  ): Promise<Journal> {
    const id = Buffer.from(options.randomBytes(JOURNAL_ID_BYTES));
    const handle = await files.open(path, 'create');
    try {
      const allocatedBytes = Math.max(await handle.size(), HEAD_BYTES);
      await handle.write([encodeHead({ id, halfBytes: options.halfBytes }, options.compute)], 0);
      await handle.dataSync();
      return new Journal({ handle, ...options, id, allocatedBytes });
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  /** The sequence the next frame gets: what is synced by then is `releaseBelow` it. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Bytes a crash now would make the next start look at, at most. */
  get filledBytes(): number {
    return this.#active.filledBytes + (this.#otherIsFree ? 0 : this.#other.filledBytes);
  }

  /** The largest frame there can be. */
  get maxFrameBytes(): number {
    return this.#halfBytes;
  }

  /** What lies in the other half should be synced elsewhere now: once this one is full, commits would wait for it. */
  get wantsRelease(): boolean {
    return !this.#otherIsFree;
  }

  /** May a frame be written now? If not, what lies in the other half has to be synced in its segments first. */
  hasRoomFor(entries: readonly JournalEntry[]): boolean {
    return this.#fits(frameBytesOf(entries)) || this.#otherIsFree;
  }

  /** Everything in frames below the sequence is synced in its segments. */
  releaseBelow(sequence: number): void {
    invariant(sequence <= this.#nextSequence, 'only frames that were written are released');
    this.#liveFrom = Math.max(this.#liveFrom, sequence);
  }

  /** Writes a frame behind the last synced one. A disk that is full refuses it, and can be asked again. */
  async write(entries: readonly JournalEntry[]): Promise<void> {
    const bytes = frameBytesOf(entries);
    invariant(bytes <= this.#halfBytes, 'a frame fits into half of the journal');
    if (!this.#fits(bytes)) {
      invariant(this.#otherIsFree, 'what lies in the other half of the journal is synced elsewhere');
      // What the disk took of a refused frame would stay behind, with the sequence of the next one: an empty frame takes its place.
      if (this.#refused) await this.#writeFrame([]).then(() => this.sync());
      [this.#active, this.#other] = [this.#other, this.#active];
      this.#active.filledBytes = 0;
    }
    await this.#writeFrame(entries);
  }

  /** Makes the frame durable. After an error nothing is known of it, and the journal may not be used again. */
  async sync(): Promise<void> {
    await this.#handle.dataSync();
    this.#active.filledBytes += this.#writtenBytes;
    this.#active.lastSequence = this.#nextSequence;
    this.#nextSequence += 1;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  get #otherIsFree(): boolean {
    return this.#other.lastSequence < this.#liveFrom;
  }

  #fits(bytes: number): boolean {
    return this.#active.filledBytes + bytes <= this.#halfBytes;
  }

  async #writeFrame(entries: readonly JournalEntry[]): Promise<void> {
    const head = encodeFrame({ sequence: this.#nextSequence, liveFrom: this.#liveFrom, entries }, this.#id, this.#compute);
    const buffers: Buffer[] = [head];
    for (const { data } of entries) for (const buffer of data ?? []) buffers.push(buffer);
    const bytes = frameBytesOf(entries);
    const position = this.#active.startsAt + this.#active.filledBytes;
    await this.#allocate(position + bytes);
    this.#refused = true;
    await this.#handle.write(buffers, position);
    this.#refused = false;
    this.#writtenBytes = bytes;
  }

  /** By itself, before the frame: a disk that has no room for more refuses here, and has taken nothing that could be read as a frame. */
  async #allocate(end: number): Promise<void> {
    const fileBytes = HEAD_BYTES + 2 * this.#halfBytes;
    while (this.#allocatedBytes < end) {
      const bytes = Math.min(ZEROS.length, fileBytes - this.#allocatedBytes);
      await this.#handle.write([ZEROS.subarray(0, bytes)], this.#allocatedBytes);
      this.#allocatedBytes += bytes;
    }
  }
}
