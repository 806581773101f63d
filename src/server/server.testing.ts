// A server under a clock and sockets that a test holds in its hands: what a client sends, in which pieces, how fast it
// reads and when it hangs up. For the tests of this folder.
import type { ListeningSocket, Network, Socket, SocketEvents } from '../base/env.ts';
import type { InvariantError } from '../base/invariant.ts';
import { CollectingLogger } from '../base/log.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { Metrics } from '../base/metrics.ts';
import type { Broker } from '../broker/broker.ts';
import type { Listener } from '../config/listeners.ts';
import type { Api, RequestContext } from '../handlers/handler.ts';
import { decode } from '../protocol/codec.ts';
import { decodeResponseHeader, encodeRequestFrame } from '../protocol/headers.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { metadataRequest, metadataResponse } from '../protocol/messages/metadata.ts';
import { produceRequest, produceResponse, type ProduceRequest } from '../protocol/messages/produce.ts';
import { Reader, ZERO_UUID } from '../protocol/reader.ts';
import type { Decoded } from '../protocol/schema.ts';
import type { ServerConfig } from './server-config.ts';
import { startServer, type Server, type ServerOptions } from './server.ts';

/** The server's end of a connection; the test plays the client. */
export class TestSocket implements Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What the server has written, write by write. */
  readonly writes: Buffer[] = [];
  paused = false;
  ended = false;
  destroyed = false;
  closed = false;
  /** The client does not read: writes are taken and queued. */
  stuck = false;
  queuedBytes = 0;
  #events: SocketEvents | undefined;
  #unread: Buffer[] = [];
  #hungUp = false;

  constructor(addresses: { localAddress?: string; localPort?: number; remoteAddress?: string; remotePort?: number } = {}) {
    this.localAddress = addresses.localAddress ?? '127.0.0.1';
    this.localPort = addresses.localPort ?? 9092;
    this.remoteAddress = addresses.remoteAddress ?? '127.0.0.1';
    this.remotePort = addresses.remotePort ?? 40_000;
  }

  listen(events: SocketEvents): void {
    this.#events = events;
  }

  // --- the server's side ---

  write(buffers: readonly Uint8Array[]): boolean {
    if (this.ended || this.closed) return false;
    const bytes = Buffer.concat(buffers);
    this.writes.push(bytes);
    if (!this.stuck) return true;
    this.queuedBytes += bytes.length;
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#deliver();
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.#close();
  }

  // --- the client's side ---

  send(...chunks: Buffer[]): void {
    this.#unread.push(...chunks);
    this.#deliver();
  }

  /** Sent and not taken by the server. */
  get unreadBytes(): number {
    return this.#unread.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** The client closes its end; the server hears of it behind what was sent. */
  hangUp(): void {
    this.#hungUp = true;
    this.#deliver();
  }

  /** Nothing is left of the client. */
  vanish(error?: Error): void {
    this.#close(error);
  }

  readAll(): void {
    this.stuck = false;
    this.queuedBytes = 0;
    this.#events?.drained();
  }

  get received(): Buffer {
    return Buffer.concat(this.writes);
  }

  /** The bodies of all answers so far, without sizes. */
  get frames(): Buffer[] {
    const frames: Buffer[] = [];
    const bytes = this.received;
    let at = 0;
    while (at < bytes.length) {
      const size = bytes.readInt32BE(at);
      frames.push(bytes.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
    return frames;
  }

  get correlationIds(): number[] {
    return this.frames.map((frame) => frame.readInt32BE(0));
  }

  #deliver(): void {
    while (!this.paused && !this.closed && this.#unread.length > 0) {
      const chunk = this.#unread.shift();
      if (chunk !== undefined) this.#events?.data(chunk);
    }
    if (!this.#hungUp || this.paused || this.closed) return;
    this.#hungUp = false;
    this.#events?.ended();
  }

  #close(error?: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.#events?.closed(error);
  }
}

/** Listens wherever it is asked to, except at addresses in `refused`. */
export class TestNetwork implements Network {
  /** Errors by `host` or `host:port`. */
  readonly refused = new Map<string, string>();
  readonly open = new Map<string, (socket: Socket) => void>();
  #nextPort = 50_000;

  listen({ host, port }: { host: string; port: number }, onConnection: (socket: Socket) => void): Promise<ListeningSocket> {
    const bound = port === 0 ? this.#nextPort++ : port;
    const name = `${host}:${bound}`;
    const code = this.refused.get(name) ?? this.refused.get(host) ?? (this.open.has(name) ? 'EADDRINUSE' : undefined);
    if (code !== undefined) return Promise.reject(Object.assign(new Error(`listen ${code}`), { code }));
    this.open.set(name, onConnection);
    return Promise.resolve({
      host,
      port: bound,
      close: () => {
        this.open.delete(name);
        return Promise.resolve();
      },
    });
  }

  connect(): Promise<Socket> {
    return Promise.reject(new Error('a test connects through the server'));
  }

  accept(name: string, socket: TestSocket): TestSocket {
    this.open.get(name)?.(socket);
    return socket;
  }
}

/** What a test does with a request: answers it at once, later, or never. */
export interface HeldProduce {
  readonly request: ProduceRequest;
  readonly context: RequestContext;
  answer(): void;
  fail(error: Error): void;
}

export const produceAnswer = { responses: [], throttleTimeMs: 0 };
export const metadataAnswer = { brokers: [], topics: [], clusterId: 'test', controllerId: 1, throttleTimeMs: 0 };

/** Produce is held until the test answers; Metadata and ApiVersions answer at once. */
export function testApis(overrides: { [key: number]: Partial<Api> } = {}): { apis: Map<number, Api>; held: HeldProduce[] } {
  const held: HeldProduce[] = [];
  const list: Api[] = [
    {
      key: 0,
      name: 'Produce',
      request: produceRequest,
      response: produceResponse,
      minVersion: 3,
      maxVersion: 13,
      overlapping: true,
      handle: (request: ProduceRequest, context: RequestContext) =>
        new Promise((resolve, reject) => {
          held.push({ request, context, answer: () => resolve(request.acks === 0 ? undefined : produceAnswer), fail: reject });
        }),
    },
    {
      key: 3,
      name: 'Metadata',
      request: metadataRequest,
      response: metadataResponse,
      minVersion: 0,
      maxVersion: 13,
      handle: () => metadataAnswer,
    },
    {
      key: 18,
      name: 'ApiVersions',
      request: apiVersionsRequest,
      response: apiVersionsResponse,
      minVersion: 0,
      maxVersion: 4,
      handle: () => ({ errorCode: 0, apiKeys: [], throttleTimeMs: 0 }),
    },
  ];
  return { apis: new Map(list.map((api) => [api.key, { ...api, ...overrides[api.key] }])), held };
}

export const produce = (correlationId: number, options: { acks?: number; bytes?: number; clientId?: string } = {}): Buffer =>
  Buffer.concat(
    encodeRequestFrame(
      produceRequest,
      { version: 9, correlationId, clientId: options.clientId ?? 'test' },
      {
        transactionalId: null,
        acks: options.acks ?? -1,
        timeoutMs: 1000,
        topicData: [{ name: 'topic', topicId: ZERO_UUID, partitionData: [{ index: 0, records: Buffer.alloc(options.bytes ?? 10, 1) }] }],
      },
    ),
  );

export const metadata = (correlationId: number, version = 9): Buffer =>
  Buffer.concat(
    encodeRequestFrame(
      metadataRequest,
      { version, correlationId, clientId: 'test' },
      { topics: [], allowAutoTopicCreation: false, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false },
    ),
  );

export const apiVersions = (correlationId: number, version = 3): Buffer =>
  Buffer.concat(
    encodeRequestFrame(
      apiVersionsRequest,
      { version, correlationId, clientId: 'test' },
      { clientSoftwareName: 'tests', clientSoftwareVersion: '1' },
    ),
  );

export function decodeApiVersions(frame: Buffer, version: number): Decoded<typeof apiVersionsResponse> {
  const reader = new Reader(frame);
  decodeResponseHeader(apiVersionsResponse, version, reader);
  return decode(apiVersionsResponse, version, reader);
}

export const plaintext = (host: string | null, port: number): Listener => ({
  name: 'PLAINTEXT',
  protocol: 'PLAINTEXT',
  host,
  port,
  advertised: { host: null, port: null },
});

export function testEnv(clock: FakeClock, network: Network): ServerOptions['env'] {
  return {
    monotonicMs: () => clock.monotonicMs(),
    timer: (ms, run) => clock.timer(ms, run),
    defer: (run) => clock.defer(run),
    network,
  };
}

export class TestServer {
  readonly clock = new FakeClock();
  readonly network = new TestNetwork();
  readonly log = new CollectingLogger();
  readonly metrics = new Metrics();
  readonly fatal: InvariantError[] = [];
  readonly held: HeldProduce[];
  readonly #apis: Map<number, Api>;
  #server: Server | undefined;
  #remotePort = 40_000;

  constructor(apis: { apis: Map<number, Api>; held: HeldProduce[] } = testApis()) {
    this.#apis = apis.apis;
    this.held = apis.held;
  }

  async start(config: Partial<ServerConfig> = {}, protocol: Listener['protocol'] = 'PLAINTEXT'): Promise<this> {
    const { clock, network, log, metrics } = this;
    const env = testEnv(clock, network);
    const listeners = [{ ...plaintext('127.0.0.1', 9092), protocol }];
    const onFatal = (error: InvariantError): void => void this.fatal.push(error);
    const broker: unknown = { nodeId: 1 }; // no handler here asks for more
    this.#server = await startServer({ env, listeners, apis: this.#apis, broker: broker as Broker, config, log, metrics, onFatal });
    return this;
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('the server is not started');
    return this.#server;
  }

  connect(remoteAddress = '127.0.0.1'): TestSocket {
    return this.network.accept('127.0.0.1:9092', new TestSocket({ remoteAddress, remotePort: this.#remotePort++ }));
  }
}
