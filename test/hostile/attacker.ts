// A client that keeps to no rule: sends the bytes it is given, and notes what comes back. Over any Network, so the same
// attack runs against a broker in memory and one behind real sockets.
import type { Network, Socket } from '../../src/base/env.ts';

export class Attacker {
  /** Whole frames that came back, without their size. */
  readonly answers: Buffer[] = [];
  /** The broker has closed its side, or the connection is gone. */
  closed = false;
  bytesReceived = 0;
  readonly #socket: Socket;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const over = (): void => {
      this.closed = true;
      this.#wake?.();
    };
    socket.listen({ data: (chunk) => this.#take(chunk), ended: over, drained: () => undefined, closed: over });
  }

  static async connect(network: Network, port: number, host = '127.0.0.1'): Promise<Attacker> {
    return new Attacker(await network.connect({ host, port }));
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  send(...bytes: readonly Uint8Array[]): void {
    this.#socket.write(bytes);
  }

  /** Closes our side only. */
  end(): void {
    this.#socket.end();
  }

  /** Reads no more of what the broker sends. */
  stopReading(): void {
    this.#socket.pause();
  }

  leave(): void {
    this.#socket.destroy();
  }

  /** Resolves when so many answers are here, or the connection is closed. */
  async until(answers: number): Promise<void> {
    while (this.answers.length < answers && !this.closed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #take(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    while (this.#pendingBytes >= 4) {
      if ((this.#pending[0] as Buffer).length < 4) this.#join();
      const end = 4 + (this.#pending[0] as Buffer).readInt32BE(0);
      if (this.#pendingBytes < end) break;
      const all = this.#join();
      this.answers.push(all.subarray(4, end));
      this.#pending = [all.subarray(end)];
      this.#pendingBytes -= end;
    }
    this.#wake?.();
  }

  #join(): Buffer {
    const all = Buffer.concat(this.#pending);
    this.#pending = [all];
    return all;
  }
}

/** The bytes with their size before them. */
export function sized(frame: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(frame.length);
  return Buffer.concat([size, frame]);
}

export function requestHead(
  apiKey: number,
  version: number,
  correlationId: number,
  clientId: Buffer | null = Buffer.from('enemy'),
): Buffer {
  const head = Buffer.alloc(10);
  head.writeInt16BE(apiKey, 0);
  head.writeInt16BE(version, 2);
  head.writeInt32BE(correlationId, 4);
  head.writeInt16BE(clientId?.length ?? -1, 8);
  return clientId === null ? head : Buffer.concat([head, clientId]);
}

export const NO_TAGS = Buffer.from([0]);

/** A request that every broker answers at once: whoever gets its answer has been heard, and answered before. */
export const PROBE_ID = 0x0abc_def0;
export const probe: Buffer = sized(requestHead(18, 0, PROBE_ID));
export const isProbeAnswer = (answer: Buffer | undefined): boolean =>
  answer !== undefined && answer.length >= 4 && answer.readInt32BE(0) === PROBE_ID;
