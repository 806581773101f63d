// One connection to one Kafka broker: requests out, answers in, matched by correlation id. The thin client for the
// command line, tests and benchmarks; it knows messages and nothing of topics or retries.
import type { Network, Socket } from '../base/env.ts';
import { decode } from '../protocol/codec.ts';
import { kafkaErrors, ProtocolError } from '../protocol/errors.ts';
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

/** Somebody answered who speaks another protocol than Kafka's in plain text. */
export class ForeignProtocolError extends ProtocolError {
  readonly speaks: 'TLS' | 'HTTP' | 'something else';

  constructor(speaks: 'TLS' | 'HTTP' | 'something else', message: string) {
    super(message);
    this.speaks = speaks;
  }
}

export interface ConnectOptions {
  readonly network: Network;
  readonly host: string;
  readonly port: number;
  readonly clientId: string | null;
  /** Aborting gives the attempt up with the signal's reason. */
  readonly signal?: AbortSignal;
}

const API_VERSIONS = 18;
const UNSUPPORTED_VERSION = kafkaErrors.UNSUPPORTED_VERSION[0];
/** No broker answers with more: a fetch asks for 50 MiB, and a batch beyond that is at most what Kafka takes for a request. */
const MOST_ANSWER_BYTES = 512 * 1024 * 1024;
const CORRELATION_ID_BYTES = 4;

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
    const { network, host, port, clientId, signal } = options;
    return new Connection(await network.connect({ host, port, ...(signal && { signal }) }), clientId);
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
        checkAnswerSize(bytes);
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
    decodeResponseHeader(waiting.response, waiting.apiVersion, reader);
    waiting.resolve(decode(waiting.response, answeredVersion(waiting, frame), reader) as never);
  }

  #fail(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** A broker that lacks the asked version of ApiVersions answers in version 0, with the error first (KIP-511). */
function answeredVersion({ apiKey, apiVersion }: Waiting, frame: Buffer): number {
  if (apiKey !== API_VERSIONS || frame.length < CORRELATION_ID_BYTES + 2) return apiVersion;
  return frame.readInt16BE(CORRELATION_ID_BYTES) === UNSUPPORTED_VERSION ? 0 : apiVersion;
}

/** The size is the first that a peer says, so it is where another protocol shows. */
function checkAnswerSize(bytes: number): void {
  if (bytes >>> 16 === 0x1503) throw new ForeignProtocolError('TLS', 'it answered with a TLS alert: the port expects TLS');
  if (bytes === 0x48545450) throw new ForeignProtocolError('HTTP', 'it answered in HTTP: this is a web server');
  if (bytes < CORRELATION_ID_BYTES || bytes > MOST_ANSWER_BYTES)
    throw new ForeignProtocolError('something else', `it announced an answer of ${bytes} bytes: this is not a Kafka broker`);
}
