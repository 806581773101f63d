// One connection to one Kafka broker: requests out, answers in, matched by correlation id. The thin client for the
// command line, tests and benchmarks; it knows messages and nothing of topics or retries.
import type { Network, Socket } from '../base/env.ts';
import { decode } from '../protocol/codec.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { decodeResponseHeader, encodeRequestFrame } from '../protocol/headers.ts';
import { Reader } from '../protocol/reader.ts';
import type { Decoded, Encodable, Message } from '../protocol/schema.ts';

interface Waiting {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly response: Message;
  readonly resolve: (response: never) => void;
  readonly reject: (error: Error) => void;
}

/** The broker closed the connection, or it was lost, while answers were awaited. */
export class ConnectionClosedError extends Error {
  override readonly name = 'ConnectionClosedError';
}

export interface ConnectOptions {
  readonly network: Network;
  readonly host: string;
  readonly port: number;
  readonly clientId: string | null;
}

export class Connection {
  readonly #socket: Socket;
  readonly #clientId: string | null;
  readonly #waiting = new Map<number, Waiting>();
  #nextCorrelationId = 1;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #closed: Error | undefined;

  private constructor(socket: Socket, clientId: string | null) {
    this.#socket = socket;
    this.#clientId = clientId;
    socket.listen({
      data: (chunk) => this.#take(chunk),
      ended: () => socket.end(),
      drained: () => undefined,
      closed: (error) =>
        this.#fail(
          new ConnectionClosedError(error === undefined ? 'the broker closed the connection' : `the connection was lost: ${error.message}`),
        ),
    });
  }

  /** @throws what the network says: ECONNREFUSED, ENOTFOUND, ... as `code` */
  static async connect(options: ConnectOptions): Promise<Connection> {
    return new Connection(await options.network.connect({ host: options.host, port: options.port }), options.clientId);
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Sends a request; resolves with its answer. Requests may be sent before earlier ones are answered. */
  request<Request extends Message, Response extends Message>(
    tables: { readonly request: Request; readonly response: Response },
    apiVersion: number,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>> {
    const apiKey = tables.request.apiKey ?? -1;
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      const correlationId = this.#send(tables.request, apiVersion, body);
      this.#waiting.set(correlationId, {
        apiKey,
        apiVersion,
        response: tables.response,
        resolve,
        reject,
      });
    });
  }

  /** Sends a request that gets no answer (Produce with acks=0). */
  tell<Request extends Message>(request: Request, apiVersion: number, body: Encodable<Request>): void {
    if (this.#closed !== undefined) throw this.#closed;
    this.#send(request, apiVersion, body);
  }

  close(): void {
    this.#fail(new ConnectionClosedError('the connection was closed'));
    this.#socket.destroy();
  }

  #send<Request extends Message>(request: Request, apiVersion: number, body: Encodable<Request>): number {
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (correlationId + 1) & 0x7fff_ffff;
    this.#socket.write(encodeRequestFrame(request, { version: apiVersion, correlationId, clientId: this.#clientId }, body));
    return correlationId;
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    try {
      while (this.#receivedBytes >= 4) {
        const first = this.#received[0] as Buffer;
        if (first.length < 4) this.#received = [Buffer.concat(this.#received)];
        const bytes = (this.#received[0] as Buffer).readInt32BE(0);
        if (bytes < 4) throw new ProtocolError(`an answer of ${bytes} bytes: this is not a Kafka broker`);
        if (this.#receivedBytes < 4 + bytes) return;
        const all = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
        const rest = all.subarray(4 + bytes);
        this.#received = rest.length === 0 ? [] : [rest];
        this.#receivedBytes = rest.length;
        this.#answer(all.subarray(4, 4 + bytes));
      }
    } catch (thrown) {
      this.#fail(thrown as Error);
      this.#socket.destroy();
    }
  }

  #answer(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const waiting = this.#waiting.get(correlationId);
    if (waiting === undefined) throw new ProtocolError(`an answer to request ${correlationId}, which was not asked`);
    this.#waiting.delete(correlationId);
    const reader = new Reader(frame);
    decodeResponseHeader(waiting.apiKey, waiting.apiVersion, reader);
    waiting.resolve(decode(waiting.response, waiting.apiVersion, reader) as never);
  }

  #fail(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
