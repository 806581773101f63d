// All that listens and all that is connected: opens listeners, lets clients in, looks after idle and slow ones, and stops
// in order. What a connection does with its bytes is in connection.ts.
import type { Env, Socket } from '../base/env.ts';
import type { InvariantError } from '../base/invariant.ts';
import { rateLimited, type Logger } from '../base/log.ts';
import { Metrics } from '../base/metrics.ts';
import type { Broker } from '../broker/broker.ts';
import type { Api, ConnectionView } from '../handlers/handler.ts';
import type { Listener as ListenerConfig } from '../config/listeners.ts';
import { formatAddress, unmapped } from './addresses.ts';
import { Admission, type AdmissionLimits } from './admission.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import { openListener, type Listener } from './listener.ts';
import { RequestMemory } from './request-memory.ts';
import { ServedApis } from './served-apis.ts';
import { defaultServerConfig, type ServerConfig } from './server-config.ts';
import { ServerMetrics } from './server-metrics.ts';

export interface ServerOptions {
  readonly env: Pick<Env, 'monotonicMs' | 'timer' | 'defer' | 'network'>;
  readonly listeners: readonly ListenerConfig[];
  readonly apis: ReadonlyMap<number, Api>;
  readonly broker: Broker;
  /** What is left out has its default. */
  readonly config?: Partial<ServerConfig>;
  readonly log: Logger;
  /** Where the server's figures are shown; without it only `Server.metrics` has them. */
  readonly metrics?: Metrics;
  /** A promise of our own is broken: nothing that this server holds can be trusted. */
  readonly onFatal: (error: InvariantError) => void;
}

/** A connection as shown to people. Times in ms. */
export interface ConnectionSummary extends Readonly<ConnectionView> {
  readonly clientId: string | null;
  readonly principal: string;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly requestsInFlight: number;
  readonly paused: boolean;
}

export interface Server {
  /** As bound: a port of 0 has become a real one. */
  readonly listeners: readonly (ListenerConfig & { readonly port: number })[];
  readonly metrics: ServerMetrics;
  /** Bytes of requests in hand, waiting or under way, over all connections. */
  readonly requestMemoryBytes: number;
  connections(): ConnectionSummary[];
  /** Other limits for those who come from now on. */
  configure(limits: AdmissionLimits): void;
  /**
   * Lets nobody in any more; requests in hand are finished and answered, then their connections close. What is not done
   * after `graceMs` is cut off. Resolves when no connection and no request is left. Whoever holds requests back (fetches, joins) should
   * release them now.
   */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/** @throws ListenError when a listener cannot be opened; none is left open then */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = new BrokerServer(options);
  await server.open(options.listeners);
  return server;
}

const NOTICE_EVERY_MS = 10_000;
const LONGEST_SWEEP_MS = 5_000;
/** The same while connections wait for memory. */
const CROWDED_SWEEP_MS = 1_000;
const DEFAULT_GRACE_MS = 10_000;

class BrokerServer implements Server {
  readonly metrics: ServerMetrics;
  readonly #env: ServerOptions['env'];
  readonly #notices: Logger;
  readonly #log: Logger;
  readonly #host: ConnectionHost;
  readonly #admission: Admission;
  readonly #connections = new Set<Connection>();
  readonly #sweepMs: number;
  #listeners: readonly Listener[] = [];
  #sweep: Disposable | undefined = undefined;
  #nextId = 1;
  #stopping: Promise<void> | undefined = undefined;
  #graceOver = false;
  #resolveStop: (() => void) | undefined = undefined;

  constructor(options: ServerOptions) {
    const { env, broker, log, onFatal } = options;
    const config = { ...defaultServerConfig, ...options.config };
    const registry = options.metrics ?? new Metrics();
    this.metrics = new ServerMetrics(registry);
    this.#env = env;
    this.#log = log;
    this.#notices = rateLimited(log, { everyMs: NOTICE_EVERY_MS, monotonicMs: () => env.monotonicMs() });
    this.#admission = new Admission(config, env.monotonicMs());
    this.#sweepMs = Math.min(LONGEST_SWEEP_MS, Math.max(10, Math.min(config.connectionsMaxIdleMs, config.frameTimeoutMs) / 4));
    this.#host = {
      env,
      broker,
      apis: new ServedApis(options.apis, this.metrics),
      limits: config,
      memory: new RequestMemory(config.queuedMaxRequestBytes, (run) => env.defer(run)),
      metrics: this.metrics,
      log,
      notices: this.#notices,
      onFatal,
      onClosed: (connection) => this.#onClosed(connection),
      onNothingInFlight: () => this.#resolveWhenDone(),
    };
    registry.measure('bucketrider_connections', 'Open connections', () => this.#connections.size);
    registry.measure('bucketrider_request_memory_bytes', 'Bytes of requests in hand, waiting or under way', () => this.requestMemoryBytes);
  }

  get listeners(): readonly ListenerConfig[] {
    return this.#listeners.map(({ config, port }) => ({ ...config, port }));
  }

  get requestMemoryBytes(): number {
    return this.#host.memory.usedBytes;
  }

  async open(configs: readonly ListenerConfig[]): Promise<void> {
    const opened: Listener[] = [];
    try {
      for (const config of configs) {
        opened.push(
          await openListener(this.#env.network, config, {
            onSocket: (socket) => this.#onSocket(socket, config),
            onAcceptError: (error) => this.#onAcceptError(error),
          }),
        );
      }
    } catch (thrown) {
      for (const listener of opened) await listener.close();
      for (const connection of this.#connections) connection.destroy();
      throw thrown;
    }
    this.#listeners = opened;
  }

  connections(): ConnectionSummary[] {
    const nowMs = this.#env.monotonicMs();
    return Array.from(this.#connections, (connection) => ({
      id: connection.id,
      listenerName: connection.listenerName,
      localAddress: connection.localAddress,
      localPort: connection.localPort,
      advertised: connection.advertised,
      remoteAddress: connection.remoteAddress,
      remotePort: connection.remotePort,
      clientSoftwareName: connection.clientSoftwareName,
      clientSoftwareVersion: connection.clientSoftwareVersion,
      clientId: connection.clientId,
      principal: connection.principal,
      ageMs: nowMs - connection.openedMs,
      idleMs: connection.idleMs,
      bytesIn: connection.bytesIn,
      bytesOut: connection.bytesOut,
      requestsInFlight: connection.requestsInFlight,
      paused: connection.paused,
    }));
  }

  configure(limits: AdmissionLimits): void {
    this.#admission.configure(limits);
  }

  stop({ graceMs = DEFAULT_GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    const done = new Promise<void>((resolve) => {
      this.#resolveStop = resolve;
    });
    for (const connection of this.#connections) connection.finish();
    this.#resolveWhenDone();
    using _ = this.#env.timer(graceMs, () => {
      this.#graceOver = true;
      const { requestsInFlight } = this.metrics;
      if (requestsInFlight > 0) this.#log.warn('requests are cut off by the stop of the server', { requestsInFlight, graceMs });
      for (const connection of this.#connections) connection.destroy();
      this.#resolveWhenDone();
    });
    await done;
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = undefined;
  }

  #onSocket(socket: Socket, listener: ListenerConfig): void {
    const address = unmapped(socket.remoteAddress);
    const refusal = this.#stopping === undefined ? this.#admission.enter(address, this.#env.monotonicMs()) : 'stopping';
    if (refusal !== undefined) {
      this.metrics.connectionsRefused[refusal] = (this.metrics.connectionsRefused[refusal] ?? 0) + 1;
      if (refusal !== 'stopping')
        this.#notices.warn(`a connection is refused: ${refusal} is reached`, {
          listener: listener.name,
          client: formatAddress(address, socket.remotePort),
          open: this.#admission.open,
        });
      socket.listen(refused);
      socket.destroy();
      return;
    }
    const connection = new Connection(this.#host, socket, { id: this.#nextId, listener });
    this.#nextId += 1;
    this.#connections.add(connection);
    this.metrics.connectionsOpened += 1;
    socket.listen(connection);
    this.#sweepLater();
  }

  #onClosed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#admission.leave(connection.remoteAddress);
    this.#resolveWhenDone();
  }

  /** Requests of clients that have gone already are waited for too: their work goes on. */
  #resolveWhenDone(): void {
    if (this.#connections.size === 0 && (this.#graceOver || this.metrics.requestsInFlight === 0)) this.#resolveStop?.();
  }

  #onAcceptError(error: Error): void {
    this.metrics.acceptErrors += 1;
    this.#notices.error('a connection could not be accepted; the limit of open files may be too low', error);
  }

  /** One timer for all connections, and none when there are none: an idle broker in somebody's test process never wakes up. */
  #sweepLater(): void {
    this.#sweep ??= this.#env.timer(
      this.#host.memory.waiting > 0 ? Math.min(this.#sweepMs, CROWDED_SWEEP_MS) : this.#sweepMs,
      () => {
        this.#sweep = undefined;
        const nowMs = this.#env.monotonicMs();
        for (const connection of this.#connections) connection.sweep(nowMs);
        this.#host.memory.tick(nowMs);
        if (this.#connections.size > 0) this.#sweepLater();
      },
      { unref: true },
    );
  }
}

/** Nobody listens to a connection that was refused. */
const refused = { data(): void {}, ended(): void {}, drained(): void {}, closed(): void {} };
