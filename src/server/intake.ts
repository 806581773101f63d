// The reading side of a connection: takes chunks in, gives frames out, and stops reading at the bounds of its connection or
// when the memory for requests is full. What is done with a frame, and when it may start, the connection decides.
import type { Env, Socket } from '../base/env.ts';
import { FrameReader, type Frame } from './frames.ts';
import type { MemoryWaiter, RequestMemory } from './request-memory.ts';
import type { ServerMetrics } from './server-metrics.ts';

export interface IntakeLimits {
  /** A frame that has begun has this long to arrive, and a second more for every 16 KiB that came. */
  readonly frameTimeoutMs: number;
  /** Requests of one connection that are in hand or waiting; past it the socket is not read. */
  readonly maxRequestsInFlight: number;
  /** Bytes of such requests, likewise. */
  readonly maxBytesInFlight: number;
}

export interface IntakeHost {
  readonly env: Pick<Env, 'monotonicMs'>;
  readonly limits: IntakeLimits;
  readonly memory: RequestMemory;
  readonly metrics: ServerMetrics;
}

/** What the connection is doing, as far as reading depends on it. */
export interface IntakeOwner {
  readonly requestsInFlight: number;
  /** What arrives now would have to wait before it is started. */
  readonly held: boolean;
}

/** What may wait behind a request that runs alone, or an answer that is not taken: enough to hear a client hang up. */
const READ_AHEAD_BYTES = 64 * 1024;
/** A client that is slower than this for long does not get a large frame through. */
const SLOWEST_BYTES_PER_MS = 16;
/** `frameTimeoutMs` is no longer than this while the memory for requests is full. */
const CROWDED_FRAME_TIMEOUT_MS = 10_000;
/** What a client has sent while it was not read lies in the kernel: when it is read again, it comes at once. */
const PROBE_MS = 1_000;

export class Intake implements MemoryWaiter {
  readonly #host: IntakeHost;
  readonly #socket: Socket;
  readonly #owner: IntakeOwner;
  readonly #reader: FrameReader;
  #open = true;
  #paused = false;
  #pausedSinceMs = 0;
  #lastDataMs: number;
  #waitsForMemory = false;
  /** It may read above the limit of the memory until its frame is whole. */
  #hasTurn = false;
  /** Since when it reads only to see whether the client still sends; 0 when it does not. */
  #probedMs = 0;

  constructor(host: IntakeHost, socket: Socket, owner: IntakeOwner, maxFrameBytes: number) {
    this.#host = host;
    this.#socket = socket;
    this.#owner = owner;
    this.#reader = new FrameReader(host.memory, maxFrameBytes);
    this.#lastDataMs = host.env.monotonicMs();
  }

  get paused(): boolean {
    return this.#paused;
  }

  get midFrame(): boolean {
    return this.#reader.midFrame;
  }

  get partialBytes(): number {
    return this.#reader.partialBytes;
  }

  get missingBytes(): number {
    return this.#reader.missingBytes;
  }

  get waitingFrames(): number {
    return this.#reader.waitingFrames;
  }

  set maxFrameBytes(bytes: number) {
    this.#reader.maxFrameBytes = bytes;
  }

  /** @throws ProtocolError when the bytes are not of Kafka's protocol */
  push(chunk: Buffer, nowMs: number): void {
    this.#lastDataMs = nowMs;
    if (this.#probedMs !== 0) this.#endProbe();
    const mayGrow = !this.#host.memory.full && !this.#owner.held;
    const { waitingFrames } = this.#reader;
    this.#reader.push(chunk, nowMs, mayGrow || this.#hasTurn, mayGrow);
    // A turn ends with the frame it was given for, also when the chunk holds the beginning of the next one.
    if (!this.#hasTurn || this.#reader.waitingFrames === waitingFrames) return;
    this.#hasTurn = false;
    this.#host.memory.forget(this);
    this.#host.memory.admitSoon();
  }

  /** The oldest whole frame, which stays. */
  peek(): Frame | undefined {
    return this.#reader.peek();
  }

  /** Takes the oldest whole frame; it is given back with `release`. */
  next(): Frame | undefined {
    return this.#reader.next();
  }

  release(frame: Frame): void {
    this.#reader.release(frame);
    this.#host.memory.admitSoon();
  }

  /** Reads, or stops reading, as the bounds and the memory of all requests demand. To be called after every change. */
  update(): void {
    if (!this.#open) return;
    const bound = this.#boundReached();
    const { memory } = this.#host;
    if (!bound && !this.#waitsForMemory && !this.#hasTurn && memory.full && this.#reader.needsRoom) {
      this.#waitsForMemory = true;
      memory.wait(this);
    }
    this.#setPaused(bound || (this.#waitsForMemory && this.#probedMs === 0));
  }

  /** The frame under way has had its time, or the client has fallen silent while others wait for the memory. */
  isLate(nowMs: number): boolean {
    if (!this.#reader.midFrame || this.#paused) return false;
    if (this.#probedMs !== 0) return nowMs - this.#probedMs >= PROBE_MS;
    const { limits, memory } = this.#host;
    const patienceMs = memory.waiting > 0 ? Math.min(limits.frameTimeoutMs, CROWDED_FRAME_TIMEOUT_MS) : limits.frameTimeoutMs;
    return nowMs - this.#reader.begunMs >= patienceMs + this.#reader.partialBytes / SLOWEST_BYTES_PER_MS;
  }

  /** Drops what has not been taken. The socket is read from here on only to hear its end. Taken frames are still to be released. */
  close(): void {
    this.#open = false;
    this.#setPaused(false);
    this.#reader.dispose();
    this.#host.memory.forget(this);
    this.#host.memory.admitSoon();
  }

  // --- what the request memory tells ---

  readOn(toFrameEnd: boolean): void {
    this.#probedMs = 0;
    this.#waitsForMemory = false;
    this.#hasTurn = toFrameEnd;
    this.update();
  }

  giveUpTurn(): void {
    this.#hasTurn = false;
    this.update();
  }

  probe(nowMs: number): void {
    if (this.#probedMs !== 0 || nowMs - this.#lastDataMs < CROWDED_FRAME_TIMEOUT_MS) return;
    this.#probedMs = nowMs;
    this.update();
  }

  /** The client does still send: it waits its turn again, as the last one. */
  #endProbe(): void {
    this.#probedMs = 0;
    this.#waitsForMemory = false;
    this.#host.memory.forget(this);
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#host.metrics.connectionsPaused += paused ? 1 : -1;
    const nowMs = this.#host.env.monotonicMs();
    if (paused) {
      this.#pausedSinceMs = nowMs;
      this.#socket.pause();
    } else {
      this.#reader.begunMs += nowMs - this.#pausedSinceMs; // the client could not send meanwhile
      this.#socket.resume();
    }
  }

  /** Once stopped at a bound, reading goes on at half of it: pausing costs system calls. */
  #boundReached(): boolean {
    const { maxRequestsInFlight, maxBytesInFlight } = this.#host.limits;
    const { requestsInFlight, held } = this.#owner;
    const share = this.#paused ? 0.5 : 1;
    if (requestsInFlight + this.#reader.waitingFrames >= maxRequestsInFlight * share) return true;
    if (this.#reader.wholeBytes >= maxBytesInFlight * share) return true;
    return held && this.#reader.waitingBytes + this.#reader.partialBytes >= READ_AHEAD_BYTES;
  }
}
