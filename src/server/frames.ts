// Bytes of one connection to whole frames (protocol guide, section "Network": an int32 size, then that many bytes).
// Decides what is copied and what is sliced, and how much memory a frame may claim before its bytes have come. Knows
// nothing of what a frame holds, and never allocates from a declared size.
import { ProtocolError } from '../protocol/errors.ts';

/** Bytes a frame lies in, shared with the other frames of the same chunk: all of them are pinned until the last is released. */
interface Backing {
  readonly bytes: number;
  frames: number;
}

/** One request as it came, without its size. Whoever takes it gives it back with `release`, once. */
export interface Frame {
  readonly bytes: Buffer;
  /** Monotonic time at which its last byte came. */
  readonly arrivedMs: number;
  readonly backing: Backing;
}

/** Where held bytes are counted: those of frames that are whole, and those of frames still under way. */
export interface HeldBytes {
  whole: number;
  partial: number;
}

/** Whole frames that have arrived: a stretch of a chunk with their sizes in it, or a single one in a buffer of its own. */
interface Run {
  readonly bytes: Buffer;
  readonly sized: boolean;
  readonly arrivedMs: number;
  readonly backing: Backing;
  position: number;
  readonly end: number;
  frames: number;
}

const SIZE_BYTES = 4;

/** A frame of up to this size gets its buffer at once, whatever has arrived of it. */
const SMALL_FRAME_BYTES = 4096;

/**
 * The buffer of a larger frame is at most this many times what has arrived of it: an honest client's 1 MiB is allocated
 * in full when the first 64 KiB are there, and of 100 MiB a sixth is copied once; a liar pays a sixteenth of what it claims.
 */
const ALLOCATION_PER_RECEIVED = 16;

export class FrameReader {
  /** Frames larger than this end the connection; a gate may keep it small until the client has said who it is. */
  maxFrameBytes: number;
  /** Whole frames not taken yet. */
  waitingFrames = 0;
  waitingBytes = 0;
  /** Bytes of whole frames, waiting or taken and not released. */
  wholeBytes = 0;
  /** When the frame under way began; its owner moves it by the time in which it did not read. */
  begunMs = 0;
  readonly #memory: HeldBytes;
  readonly #runs: Run[] = [];
  /** Looked at and not taken yet. */
  #head: Frame | undefined = undefined;
  #first = true;
  /** The size being read: how many of its bytes are there, and their value. */
  #sizeBytes = 0;
  #size = 0;
  /** The frame under way; undefined between frames. */
  #partial: Buffer | undefined;
  #declared = 0;
  #received = 0;

  constructor(memory: HeldBytes, maxFrameBytes: number) {
    this.#memory = memory;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes that have come of the frame under way. */
  get partialBytes(): number {
    return this.#received;
  }

  /** Bytes that are missing of the frame under way. */
  get missingBytes(): number {
    return this.#partial === undefined ? 0 : this.#declared - this.#received;
  }

  /** A frame, or the size of one, has begun and is not complete. */
  get midFrame(): boolean {
    return this.#partial !== undefined || this.#sizeBytes > 0;
  }

  /** More bytes would need memory that is not set aside yet: a new frame begins, or the one under way has filled its buffer. */
  get needsRoom(): boolean {
    return this.#partial === undefined || this.#received === this.#partial.length;
  }

  /**
   * Takes in a chunk, which belongs to the reader from here on.
   * @param mayGrow whether memory may be set aside for bytes that have not come yet, of the frame under way
   * @param mayGrowNext the same for a frame that begins in this chunk
   * @throws ProtocolError when a size is negative or too large; nothing more can be read then
   */
  push(chunk: Buffer, arrivedMs: number, mayGrow: boolean, mayGrowNext: boolean = mayGrow): void {
    const end = chunk.length;
    let position = 0;
    if (this.midFrame) position = this.#continue(chunk, 0, arrivedMs, mayGrow);
    const start = position;
    let frames = 0;
    while (end - position >= SIZE_BYTES) {
      const size = this.#checkedSize(chunk.readInt32BE(position));
      if (size > end - position - SIZE_BYTES) break;
      position += SIZE_BYTES + size;
      frames += 1;
    }
    if (frames > 0) {
      const backing = { bytes: end, frames };
      this.#hold({ bytes: chunk, sized: true, arrivedMs, backing, position: start, end: position, frames });
    }
    while (position < end) position = this.#continue(chunk, position, arrivedMs, mayGrowNext);
  }

  /** The oldest whole frame, or undefined; it stays. A slice of the chunk it came in where that is possible. */
  peek(): Frame | undefined {
    if (this.#head !== undefined) return this.#head;
    const run = this.#runs[0];
    if (run === undefined) return undefined;
    let bytes = run.bytes;
    if (run.sized) {
      const from = run.position + SIZE_BYTES;
      run.position = from + run.bytes.readInt32BE(run.position);
      bytes = run.bytes.subarray(from, run.position);
    }
    run.frames -= 1;
    if (run.frames === 0) this.#runs.shift();
    this.#head = { bytes, arrivedMs: run.arrivedMs, backing: run.backing };
    return this.#head;
  }

  /** Takes the oldest whole frame. */
  next(): Frame | undefined {
    const frame = this.peek();
    if (frame === undefined) return undefined;
    this.#head = undefined;
    this.waitingFrames -= 1;
    this.waitingBytes -= frame.bytes.length;
    return frame;
  }

  /** The frame's bytes are no longer needed. */
  release(frame: Frame): void {
    this.#letGo(frame.backing, 1);
  }

  /** Drops everything that has not been taken. Taken frames are still to be released. */
  dispose(): void {
    if (this.#head !== undefined) this.#letGo(this.#head.backing, 1);
    this.#head = undefined;
    for (const run of this.#runs) this.#letGo(run.backing, run.frames);
    this.#runs.length = 0;
    this.waitingFrames = 0;
    this.waitingBytes = 0;
    this.#dropPartial();
    this.#sizeBytes = 0;
  }

  #checkedSize(size: number): number {
    if (size < 0 || size > this.maxFrameBytes || this.#first) this.#judge(size);
    return size;
  }

  /** The first size of a connection tells a client that speaks something else. */
  #judge(size: number): void {
    const foreign = this.#first ? foreignProtocol(size) : undefined;
    this.#first = false;
    if (foreign !== undefined) throw new ProtocolError(`${hex(size)}: ${foreign}`);
    if (size < 0) throw new ProtocolError(`a frame declares the size ${size}`);
    if (size > this.maxFrameBytes)
      throw new ProtocolError(`a frame declares ${size} bytes, and ${this.maxFrameBytes} are allowed (socket.request.max.bytes)`);
  }

  /** Takes bytes for the size or the frame under way, and returns where it stopped. */
  #continue(chunk: Buffer, from: number, arrivedMs: number, mayGrow: boolean): number {
    let position = from;
    if (this.#partial === undefined) {
      if (this.#sizeBytes === 0) this.begunMs = arrivedMs;
      while (position < chunk.length && this.#sizeBytes < SIZE_BYTES) {
        this.#size = (this.#size << 8) | (chunk[position] as number);
        this.#sizeBytes += 1;
        position += 1;
      }
      if (this.#sizeBytes < SIZE_BYTES) return position;
      this.#declared = this.#checkedSize(this.#size);
      this.#sizeBytes = 0;
      this.#size = 0;
      this.#received = 0;
      this.#partial = EMPTY;
    }
    const count = Math.min(chunk.length - position, this.#declared - this.#received);
    if (count > 0) {
      const partial = this.#room(this.#partial, this.#received + count, mayGrow);
      chunk.copy(partial, this.#received, position, position + count);
      this.#received += count;
    }
    if (this.#received === this.#declared) this.#complete(arrivedMs);
    return position + count;
  }

  /** The buffer of the frame under way, with room for `needed` bytes. */
  #room(partial: Buffer, needed: number, mayGrow: boolean): Buffer {
    if (needed <= partial.length) return partial;
    const wanted = mayGrow ? Math.max(SMALL_FRAME_BYTES, needed * ALLOCATION_PER_RECEIVED) : needed;
    const bytes = Math.min(this.#declared, wanted);
    const larger = bytes < SMALL_FRAME_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
    partial.copy(larger, 0, 0, this.#received);
    this.#memory.partial += bytes - partial.length;
    this.#partial = larger;
    return larger;
  }

  #complete(arrivedMs: number): void {
    const bytes = this.#partial ?? EMPTY;
    this.#dropPartial();
    const backing = { bytes: bytes.length, frames: 1 };
    this.#hold({ bytes, sized: false, arrivedMs, backing, position: 0, end: bytes.length, frames: 1 });
  }

  #dropPartial(): void {
    if (this.#partial !== undefined) this.#memory.partial -= this.#partial.length;
    this.#partial = undefined;
    this.#received = 0;
    this.#declared = 0;
  }

  #hold(run: Run): void {
    this.#runs.push(run);
    this.waitingFrames += run.frames;
    this.waitingBytes += run.end - run.position - (run.sized ? run.frames * SIZE_BYTES : 0);
    this.wholeBytes += run.backing.bytes;
    this.#memory.whole += run.backing.bytes;
  }

  #letGo(backing: Backing, frames: number): void {
    backing.frames -= frames;
    if (backing.frames > 0) return;
    this.wholeBytes -= backing.bytes;
    this.#memory.whole -= backing.bytes;
  }
}

const EMPTY = Buffer.alloc(0);

const hex = (size: number): string => `0x${(size >>> 0).toString(16).padStart(8, '0')}`;

/** What the first four bytes of a connection are when they are not a size of a Kafka request. */
function foreignProtocol(size: number): string | undefined {
  // A TLS record: type 22 (handshake), then the version 3.0 to 3.4, then the record's length.
  if (size >>> 16 === 0x1603 && ((size >>> 8) & 0xff) <= 4) {
    return 'a TLS client hello on a PLAINTEXT listener; set security.protocol=PLAINTEXT in the client, or connect to a TLS listener';
  }
  const text = Buffer.from([size >>> 24, size >>> 16, size >>> 8, size]).toString('latin1');
  if (httpMethods.has(text)) return 'an HTTP request on a Kafka listener; this port speaks the Kafka protocol only';
  if (text === 'SSH-') return 'an SSH client on a Kafka listener';
  return undefined;
}

const httpMethods = new Set(['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC', 'PRI ']);
