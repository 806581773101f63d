// One entry of `listeners`, open: binds its addresses and lets clients in or turns them away. What they say is the
// connection's affair.
import type { ListeningSocket, Network, Socket } from '../base/env.ts';
import { present } from '../base/invariant.ts';
import { bindAddresses, type Listener as ListenerConfig } from '../config/listeners.ts';
import { formatAddress } from './addresses.ts';

/** A listener that could not be opened, in words that say what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** Of the system: EADDRINUSE, EACCES, ... */
  readonly code: string | undefined;

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.code = codeOf(cause);
  }
}

export interface ListenerEvents {
  onSocket(socket: Socket): void;
  onAcceptError(error: Error): void;
}

export class Listener {
  readonly config: ListenerConfig;
  /** The port that was bound: the same on all addresses. */
  readonly port: number;
  readonly #sockets: readonly ListeningSocket[];

  constructor(config: ListenerConfig, sockets: readonly ListeningSocket[]) {
    this.config = config;
    this.#sockets = sockets;
    this.port = sockets[0]?.port ?? config.port;
  }

  get name(): string {
    return this.config.name;
  }

  /** Stops letting clients in; those that are in stay. */
  async close(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => socket.close()));
  }
}

/** How often another free port is tried when the one that the first address got is taken on another. */
const PORT_TRIES = 10;

/** @throws ListenError when an address cannot be bound; nothing is left open then */
export async function openListener(network: Network, config: ListenerConfig, events: ListenerEvents): Promise<Listener> {
  const { oneOf, also } = bindAddresses(config);
  const onAcceptError = (error: Error): void => events.onAcceptError(error);
  const listen = (host: string, port: number): Promise<ListeningSocket> =>
    network.listen({ host, port, onAcceptError }, (socket) => events.onSocket(socket));
  for (let left = PORT_TRIES; ; left -= 1) {
    const opened: ListeningSocket[] = [];
    try {
      const first = await firstThatExists(oneOf, (host) => listen(host, config.port));
      opened.push(first);
      // Clients resolve `localhost` to either family, some to ::1 first: both must lead here. A machine may have only one.
      for (const host of also) {
        const socket = await unlessMissing(listen(host, first.port));
        if (socket !== undefined) opened.push(socket);
      }
      return new Listener(config, opened);
    } catch (thrown) {
      for (const socket of opened) await socket.close();
      if (opened.length > 0 && config.port === 0 && codeOf(thrown) === 'EADDRINUSE' && left > 1) continue;
      throw explained(thrown, config);
    }
  }
}

async function firstThatExists(hosts: readonly string[], listen: (host: string) => Promise<ListeningSocket>): Promise<ListeningSocket> {
  for (const host of hosts.slice(0, -1)) {
    const socket = await unlessMissing(listen(host));
    if (socket !== undefined) return socket;
  }
  return listen(present(hosts.at(-1), 'an address to bind'));
}

/** Undefined when the machine has no such address. */
async function unlessMissing(listening: Promise<ListeningSocket>): Promise<ListeningSocket | undefined> {
  try {
    return await listening;
  } catch (thrown) {
    if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(thrown) ?? '')) return undefined;
    throw thrown;
  }
}

const codeOf = (thrown: unknown): string | undefined => {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : undefined;
};

function explained(thrown: unknown, config: ListenerConfig): ListenError {
  const advice = adviceFor(codeOf(thrown), config) ?? `cannot be opened: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  return new ListenError(`listener ${config.name} (${formatAddress(config.host ?? '*', config.port)}): ${advice}`, thrown);
}

function adviceFor(code: string | undefined, { host, port }: ListenerConfig): string | undefined {
  if (code === 'EADDRINUSE')
    return `port ${port} is in use by another process, perhaps another broker; stop that, or choose another port in listeners (0 takes a free one)`;
  if (code === 'EACCES') return `this user may not bind port ${port}; choose one above 1023 in listeners`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `this machine has no address ${host}; listeners names an address of this machine, advertised.listeners the one that clients are told`;
  return undefined;
}
