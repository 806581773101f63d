// Sockets between programs of one process. Bytes take turns of the event loop, and time and odd pieces where a test wants it;
// what is under way is bounded, so that a reader who stops slows the writer down, as with TCP. The same calls and the same
// seed give the same chunks in the same order.
import type { Env, ListenOptions, ListeningSocket, Network, Socket } from '../env.ts';
import { posixError, type PosixCode } from '../posix-error.ts';
import { guarded, type OnThrown } from '../real/clock.ts';
import type { SeededRandom } from './random.ts';
import { MemorySocket } from './socket.ts';

const FIRST_FREE_PORT = 32_768;

export interface MemoryNetworkOptions {
  clock: Pick<Env, 'defer' | 'timer'>;
  /** How long a chunk is on its way; chunks of a connection never overtake each other. None when left out. */
  latencyMs?: () => number;
  /** Cuts what is sent into chunks of any size, each in a turn of its own: no reader may count on where a chunk ends. */
  fragments?: SeededRandom;
  /** Bytes that are on their way or wait for a reader; beyond it they stay in the writer's queue. 64 KiB when left out. */
  windowBytes?: number;
}

/** The wire between programs. Each joins it and gets a Network of its own. */
export class MemoryNetwork {
  readonly clock: Pick<Env, 'defer' | 'timer'>;
  readonly windowBytes: number;
  readonly fragments: SeededRandom | undefined;
  readonly latencyMs: (() => number) | undefined;
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #sockets = new Set<MemorySocket>();
  #nextPort = FIRST_FREE_PORT;
  #stalls = 0;

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.latencyMs = options.latencyMs;
    this.fragments = options.fragments;
    this.windowBytes = options.windowBytes ?? 64 * 1024;
  }

  /** The network as one program sees it. `onThrown` receives what its callbacks throw; left out, it becomes an uncaught exception. */
  join(onThrown?: OnThrown): JoinedNetwork {
    return new JoinedNetwork(this, onThrown);
  }

  /** Sockets that are open, both ends of a connection counted. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Ends every connection, or those at a port, with an error on both sides: a cable, a firewall, a restarted router. */
  breakAll(code: PosixCode = 'ECONNRESET', { port }: { port?: number } = {}): void {
    for (const socket of this.#sockets) {
      if (port === undefined || socket.localPort === port || socket.remotePort === port) socket.fail(code);
    }
  }

  /** Nothing arrives until it is disposed; nothing is lost either. */
  stall(): Disposable {
    this.#stalls += 1;
    let over = false;
    return {
      [Symbol.dispose]: () => {
        if (over) return;
        over = true;
        this.#stalls -= 1;
        for (const socket of this.#sockets) socket.wake();
      },
    };
  }

  get stalled(): boolean {
    return this.#stalls > 0;
  }

  /** For JoinedNetwork. */
  bind(host: string, port: number, listener: MemoryListener): { host: string; port: number } {
    const address = addressesOf(host)[0] ?? host;
    const bound = port === 0 ? this.#freePort() : port;
    for (const other of this.#listeners.values()) {
      if (other.port === bound && overlap(other.host, address)) throw posixError('EADDRINUSE', 'listen', `${host}:${port}`);
    }
    this.#listeners.set(`${address} ${bound}`, listener);
    return { host: address, port: bound };
  }

  unbind(listener: MemoryListener): void {
    this.#listeners.delete(`${listener.host} ${listener.port}`);
  }

  #freePort(): number {
    for (let tries = 0; tries < 32_768; tries += 1) {
      const port = this.#nextPort;
      this.#nextPort = port === 65_535 ? FIRST_FREE_PORT : port + 1;
      if (Array.from(this.#listeners.values()).every((listener) => listener.port !== port)) return port;
    }
    throw posixError('EADDRINUSE', 'listen', 'any port');
  }

  /** Connects to a listener; the accepting program hears of it first. */
  open(host: string, port: number, onThrown: OnThrown | undefined): MemorySocket {
    for (const address of addressesOf(host)) {
      const listener = this.#listeners.get(`${address} ${port}`) ?? this.#wildcard(address, port);
      if (listener === undefined) continue;
      // A listener for both families sees IPv4 addresses mapped into IPv6, as on the machine.
      const seen = listener.host === '::' && !address.includes(':') ? `::ffff:${address}` : address;
      const clientPort = this.#freePort();
      const client = new MemorySocket(this, { local: address, localPort: clientPort, remote: address, remotePort: port }, onThrown);
      const server = new MemorySocket(this, { local: seen, localPort: port, remote: seen, remotePort: clientPort }, listener.onThrown);
      client.peer = server;
      server.peer = client;
      this.#sockets.add(client);
      this.#sockets.add(server);
      listener.accept(server);
      return client;
    }
    throw posixError('ECONNREFUSED', 'connect', `${host}:${port}`);
  }

  #wildcard(address: string, port: number): MemoryListener | undefined {
    const v4 = address.includes(':') ? undefined : this.#listeners.get(`0.0.0.0 ${port}`);
    return v4 ?? this.#listeners.get(`:: ${port}`);
  }

  forget(socket: MemorySocket): void {
    this.#sockets.delete(socket);
  }
}

const addressesOf = (host: string): string[] => (host === 'localhost' ? ['127.0.0.1', '::1'] : [host]);

function overlap(one: string, other: string): boolean {
  if (one === other || one === '::' || other === '::') return true;
  if (one === '0.0.0.0') return !other.includes(':');
  if (other === '0.0.0.0') return !one.includes(':');
  return false;
}

/** What one program does on the network; it can be killed alone. */
export class JoinedNetwork implements Network {
  readonly #wire: MemoryNetwork;
  readonly #onThrown: OnThrown | undefined;
  readonly #listeners = new Set<MemoryListener>();
  readonly #sockets = new Set<MemorySocket>();
  #alive = true;

  constructor(wire: MemoryNetwork, onThrown: OnThrown | undefined) {
    this.#wire = wire;
    this.#onThrown = onThrown;
  }

  async listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<ListeningSocket> {
    const accept = (socket: MemorySocket): void => {
      this.#adopt(socket);
      guarded(() => onConnection(socket), this.#onThrown);
    };
    const listener = new MemoryListener(this.#wire, options, accept, this.#onThrown);
    this.#listeners.add(listener);
    return listener;
  }

  connect({ host, port, signal }: { host: string; port: number; signal?: AbortSignal }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal?.reason instanceof Error ? signal.reason : new Error('the connection attempt was given up'));
      };
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const attempt = (): void => {
        if (!this.#alive || signal?.aborted === true) return;
        signal?.removeEventListener('abort', onAbort);
        try {
          const socket = this.#wire.open(host, port, this.#onThrown);
          this.#adopt(socket);
          resolve(socket);
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      };
      const latencyMs = this.#wire.latencyMs?.() ?? 0;
      if (latencyMs > 0) this.#wire.clock.timer(latencyMs, attempt);
      else this.#wire.clock.defer(attempt);
    });
  }

  #adopt(socket: MemorySocket): void {
    this.#sockets.add(socket);
    socket.onGone = () => this.#sockets.delete(socket);
  }

  /** The program is no more: its listeners are gone, its peers see resets, and it hears nothing of it. */
  kill(): void {
    this.#alive = false;
    for (const listener of this.#listeners) void listener.close();
    for (const socket of this.#sockets) socket.vanish();
  }
}

class MemoryListener implements ListeningSocket {
  readonly host: string;
  readonly port: number;
  readonly accept: (socket: MemorySocket) => void;
  readonly onThrown: OnThrown | undefined;
  readonly #wire: MemoryNetwork;

  constructor(
    wire: MemoryNetwork,
    where: { host: string; port: number },
    accept: (socket: MemorySocket) => void,
    onThrown: OnThrown | undefined,
  ) {
    this.#wire = wire;
    this.accept = accept;
    this.onThrown = onThrown;
    const bound = wire.bind(where.host, where.port, this);
    this.host = bound.host;
    this.port = bound.port;
  }

  close(): Promise<void> {
    this.#wire.unbind(this);
    return Promise.resolve();
  }
}
