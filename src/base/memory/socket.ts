// One end of a connection in memory: what was written and has not left, what has arrived and waits for its reader, and the
// ways both can end. Connections are made and broken by memory/network.ts.
import type { Socket, SocketEvents } from '../env.ts';
import { Fifo } from '../fifo.ts';
import { invariant } from '../invariant.ts';
import { posixError, type PosixCode } from '../posix-error.ts';
import { guarded, type OnThrown } from '../real/clock.ts';
import type { MemoryNetwork } from './network.ts';

/** As on the machine: above it `write` says that the peer does not keep up. */
const HIGH_WATER_BYTES = 64 * 1024;
const LARGEST_CHUNK_BYTES = 64 * 1024;

export class MemorySocket implements Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  peer: MemorySocket | undefined;
  onGone: (() => void) | undefined;
  readonly #wire: MemoryNetwork;
  readonly #onThrown: OnThrown | undefined;
  #events: SocketEvents | undefined;

  /** Given to `write`, not yet on its way. */
  readonly #outgoing = new Fifo<Uint8Array>();
  #queuedBytes = 0;
  #waitsForDrain = false;
  #ending = false;
  #endSent = false;

  /** On its way to this side or waiting for its reader; an empty chunk is the end of the stream. */
  readonly #incoming = new Fifo<Buffer>();
  #incomingBytes = 0;
  #paused = false;
  #endHeard = false;

  #lastArrival: Promise<void> | undefined;
  #awake = false;
  #closed = false;

  constructor(
    wire: MemoryNetwork,
    address: { local: string; localPort: number; remote: string; remotePort: number },
    onThrown: OnThrown | undefined,
  ) {
    this.#wire = wire;
    this.#onThrown = onThrown;
    this.localAddress = address.local;
    this.localPort = address.localPort;
    this.remoteAddress = address.remote;
    this.remotePort = address.remotePort;
  }

  listen(events: SocketEvents): void {
    invariant(this.#events === undefined, 'a socket has one owner');
    this.#events = events;
    this.wake();
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  write(buffers: readonly Uint8Array[]): boolean {
    if (this.#ending || this.#closed) return false;
    for (const buffer of buffers) {
      if (buffer.length === 0) continue;
      this.#outgoing.push(buffer);
      this.#queuedBytes += buffer.length;
    }
    this.wake();
    if (this.#queuedBytes < HIGH_WATER_BYTES) return true;
    this.#waitsForDrain = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  end(): void {
    this.#ending = true;
    this.wake();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#close(undefined);
    this.peer?.lose();
  }

  /** The other side is gone: what was on its way here is lost. */
  lose(): void {
    this.#later(() => this.fail('ECONNRESET'));
  }

  fail(code: PosixCode): void {
    if (this.#closed) return;
    this.#close(posixError(code, 'read', `${this.remoteAddress}:${this.remotePort}`));
    this.peer?.fail(code);
  }

  /** Its program was killed: nobody here hears anything more. */
  vanish(): void {
    this.#events = undefined;
    this.destroy();
  }

  #close(error: Error | undefined): void {
    this.#closed = true;
    this.#outgoing.clear();
    this.#incoming.clear();
    this.#queuedBytes = 0;
    this.#wire.forget(this);
    this.onGone?.();
    this.#wire.clock.defer(() => this.#tell((events) => events.closed(error)));
  }

  #tell(what: (events: SocketEvents) => void): void {
    const events = this.#events;
    if (events !== undefined) guarded(() => what(events), this.#onThrown);
  }

  /** Looks in the next turn what can be sent and what can be told. */
  wake(): void {
    if (this.#awake || this.#closed) return;
    this.#awake = true;
    this.#wire.clock.defer(() => {
      this.#awake = false;
      this.#deliver();
      this.#send();
    });
  }

  #send(): void {
    const { peer } = this;
    if (peer === undefined || this.#closed || this.#wire.stalled) return;
    while (this.#queuedBytes > 0) {
      const room = this.#wire.windowBytes - peer.#incomingBytes;
      // The peer wakes us when its reader has taken something. Pieces wait for half a window, or they would all become tiny.
      if (room <= 0 || (this.#wire.fragments !== undefined && room * 2 < this.#wire.windowBytes)) return;
      peer.#take(this.#nextChunk(Math.min(room, LARGEST_CHUNK_BYTES)));
    }
    if (this.#waitsForDrain) {
      this.#waitsForDrain = false;
      this.#tell((events) => events.drained());
    }
    if (this.#ending && !this.#endSent && this.#queuedBytes === 0) {
      this.#endSent = true;
      peer.#take(Buffer.alloc(0));
      this.#closeIfBothEnded();
    }
  }

  /** A copy: the writer may use its buffers again as soon as they have left the queue. */
  #nextChunk(most: number): Buffer {
    const whole = Math.min(this.#queuedBytes, most);
    const length = this.#wire.fragments === undefined ? whole : 1 + this.#wire.fragments.integer(whole);
    const chunk = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const first = this.#outgoing.peek();
      if (first === undefined) break;
      const part = first.length <= length - filled ? first : first.subarray(0, length - filled);
      chunk.set(part, filled);
      filled += part.length;
      if (part.length === first.length) this.#outgoing.shift();
      else this.#outgoing.replaceFirst(first.subarray(part.length));
    }
    this.#queuedBytes -= length;
    return chunk;
  }

  #take(chunk: Buffer): void {
    this.#incomingBytes += chunk.length;
    this.#later(() => {
      if (this.#closed) return;
      this.#incoming.push(chunk);
      this.wake();
    });
  }

  /** After the latency of the wire, and after what is on its way already. */
  #later(run: () => void): void {
    const latencyMs = this.#wire.latencyMs?.() ?? 0;
    const before = this.#lastArrival;
    if (latencyMs === 0 && before === undefined) {
      run();
      return;
    }
    const arrives = new Promise<void>((resolve) => void this.#wire.clock.timer(latencyMs, resolve));
    const arrival = Promise.all([before, arrives]).then(() => {
      if (this.#lastArrival === arrival) this.#lastArrival = undefined;
      run();
    });
    this.#lastArrival = arrival;
  }

  #deliver(): void {
    while (!this.#paused && !this.#closed && this.#events !== undefined && !this.#wire.stalled) {
      const chunk = this.#incoming.shift();
      if (chunk === undefined) return;
      if (chunk.length === 0) {
        this.#endHeard = true;
        this.#tell((events) => events.ended());
        this.#closeIfBothEnded();
        return;
      }
      this.#incomingBytes -= chunk.length;
      this.peer?.wake();
      this.#tell((events) => events.data(chunk));
      if (this.#wire.fragments !== undefined) {
        this.wake(); // the next piece comes in a turn of its own
        return;
      }
    }
  }

  #closeIfBothEnded(): void {
    if (this.#endHeard && this.#endSent && !this.#closed) this.#close(undefined);
  }
}
