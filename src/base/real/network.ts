// Sockets of the machine over node:net. One list of buffers is one system call, no error event is ever left unhandled,
// and what a socket tells its owner ends with `closed`, once. What the bytes mean, and who may connect, others decide.
import net from 'node:net';
import type { ListenOptions, ListeningSocket, Network, Socket, SocketEvents } from '../env.ts';
import { guarded, type OnThrown } from './clock.ts';

const { createServer, createConnection } = net;
const { _createServerHandle: bind } = net as { _createServerHandle?: (host: string, port: number, family: number) => unknown };

/** Above this many queued bytes `write` says that the peer does not keep up. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Probes start after a minute of silence; libuv then probes every second, ten times. Finds peers that are gone without a word. */
const KEEP_ALIVE_AFTER_MS = 60_000;
const BACKLOG = 1024;

/**
 * `onThrown` receives what the owner's callbacks throw; left out, it becomes an uncaught exception. With `unref` neither
 * listeners nor the connections they accept keep the process alive.
 */
export function makeRealNetwork(onThrown?: OnThrown, { unref = false }: { unref?: boolean } = {}): Network {
  return {
    listen: (options, onConnection) => listen(options, onConnection, onThrown, unref),
    connect: (options) => connect(options, onThrown),
  };
}

function listen(
  options: ListenOptions,
  onConnection: (socket: Socket) => void,
  onThrown: OnThrown | undefined,
  unref: boolean,
): Promise<ListeningSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
      highWaterMark: HIGH_WATER_BYTES,
    });
    if (unref) server.unref();
    server.on('connection', (socket) => {
      if (unref) socket.unref();
      guarded(() => onConnection(new RealSocket(socket, onThrown)), onThrown);
    });
    openServer(server, options, reject, () => {
      // From here on an error concerns one connection that could not be accepted (no descriptor left, or the peer has
      // gone); libuv sheds it, the listener goes on.
      server.on('error', (error) => guarded(() => options.onAcceptError?.(error), onThrown));
      const address = server.address();
      if (address === null || typeof address === 'string') {
        reject(new Error('a listener without a port'));
        return;
      }
      resolve({
        host: address.address,
        port: address.port,
        // The port is free when this returns; node would tell us only after the last connection has ended.
        close: () => {
          if (server.listening) server.close();
          return Promise.resolve();
        },
      });
    });
  });
}

/**
 * Node looks every host up before it listens, an address in digits too, and the expression by which it tells IPv6 takes 6 ms to
 * compile: more than all else of listening. So the loopback addresses are bound as node:cluster binds them. That function is
 * not documented; where it is missing, or what it gives cannot be listened on, the documented way is taken, and says what is wrong.
 */
function openServer(server: net.Server, { host, port }: ListenOptions, onError: (error: Error) => void, onListening: () => void): void {
  const listenByName = (): void => {
    server.once('error', onError);
    server.listen({ host, port, backlog: BACKLOG, exclusive: true });
  };
  server.once('listening', () => {
    server.removeAllListeners('error');
    onListening();
  });
  const handle = loopbackHandle(host, port);
  if (handle === undefined) listenByName();
  else server.once('error', listenByName).listen(handle, BACKLOG);
}

const loopback = new Map([
  ['127.0.0.1', 4],
  ['::1', 6],
]);

function loopbackHandle(host: string, port: number): object | undefined {
  const family = loopback.get(host);
  const handle = family === undefined ? undefined : bind?.(host, port, family);
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}

function connect(options: { host: string; port: number; signal?: AbortSignal }, onThrown: OnThrown | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted === true) {
      reject(reasonOf(options.signal));
      return;
    }
    const settings = {
      host: options.host,
      port: options.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
      highWaterMark: HIGH_WATER_BYTES,
    };
    const socket = createConnection(settings);
    const { signal } = options;
    const onAbort = (): void => {
      if (signal !== undefined) reject(reasonOf(signal));
      socket.destroy();
    };
    socket.on('error', reject); // the first one; later ones are the open socket's
    socket.once('connect', () => {
      signal?.removeEventListener('abort', onAbort);
      if (!socket.destroyed) resolve(new RealSocket(socket, onThrown));
    });
    socket.once('close', () => signal?.removeEventListener('abort', onAbort));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the connection attempt was given up');
}

class RealSocket implements Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: net.Socket;
  readonly #onThrown: OnThrown | undefined;
  #error: Error | undefined;
  #waitsForDrain = false;
  #ending = false;

  constructor(socket: net.Socket, onThrown: OnThrown | undefined) {
    // Read now: a connection that is gone has no addresses any more, and the owner still wants to name it.
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    this.#socket = socket;
    this.#onThrown = onThrown;
    // Before the owner listens and after it has heard `closed`, an error must find a listener too.
    socket.on('error', (error) => {
      this.#error ??= error;
    });
  }

  listen(events: SocketEvents): void {
    const socket = this.#socket;
    const tell = (run: () => void): void => guarded(run, this.#onThrown);
    socket.on('data', (chunk: Buffer) => tell(() => events.data(chunk)));
    socket.on('end', () => tell(() => events.ended()));
    socket.on('drain', () => {
      if (!this.#waitsForDrain) return;
      this.#waitsForDrain = false;
      tell(() => events.drained());
    });
    socket.on('close', () => tell(() => events.closed(this.#error)));
  }

  write(buffers: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#ending || socket.destroyed) return false;
    if (buffers.length === 1 && buffers[0] !== undefined) {
      socket.write(buffers[0]);
    } else {
      socket.cork();
      for (const buffer of buffers) socket.write(buffer);
      socket.uncork();
    }
    // Node asks for a pause once the list is longer than its mark, also when the kernel has taken all of it: look again.
    if (socket.writableLength < HIGH_WATER_BYTES) return true;
    this.#waitsForDrain = true;
    return false;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#ending = true;
    this.#socket.end();
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }
}
