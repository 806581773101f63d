// One entry of `listeners`, open: binds its addresses and lets clients in or turns them away. What they say is the
// connection's affair.
import type { ListeningSocket, Network, Socket } from '../base/env.ts';
import { formatAddress, type ListenerConfig } from './addresses.ts';

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

/** How often another free port is tried when the one that 127.0.0.1 got is taken on ::1. */
const PORT_TRIES = 10;

/** @throws ListenError when an address cannot be bound; nothing is left open then */
export async function openListener(network: Network, config: ListenerConfig, events: ListenerEvents): Promise<Listener> {
  for (let left = PORT_TRIES; ; left -= 1) {
    const opened: ListeningSocket[] = [];
    try {
      const [first, ...others] = hostsOf(config.host);
      opened.push(await listen(network, first, config.port, events));
      const port = opened[0]?.port ?? config.port;
      for (const host of others) opened.push(...(await listenIfThere(network, host, port, events)));
      return new Listener(config, opened);
    } catch (thrown) {
      for (const socket of opened) await socket.close();
      if (opened.length > 0 && config.port === 0 && codeOf(thrown) === 'EADDRINUSE' && left > 1) continue;
      throw explained(thrown, config);
    }
  }
}

/** Clients resolve `localhost` to either family, some to ::1 first: both must lead here. */
function hostsOf(host: string): [string, ...string[]] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
}

async function listen(network: Network, host: string, port: number, events: ListenerEvents): Promise<ListeningSocket> {
  const onSocket = (socket: Socket): void => events.onSocket(socket);
  const onAcceptError = (error: Error): void => events.onAcceptError(error);
  if (host !== '') return network.listen({ host, port, onAcceptError }, onSocket);
  try {
    return await network.listen({ host: '::', port, onAcceptError }, onSocket); // takes IPv4 as well
  } catch (thrown) {
    if (!hasNoSuchAddress(thrown)) throw thrown;
    return network.listen({ host: '0.0.0.0', port, onAcceptError }, onSocket);
  }
}

/** A machine without IPv6 has no ::1, and needs none. */
async function listenIfThere(network: Network, host: string, port: number, events: ListenerEvents): Promise<ListeningSocket[]> {
  try {
    return [await listen(network, host, port, events)];
  } catch (thrown) {
    if (hasNoSuchAddress(thrown)) return [];
    throw thrown;
  }
}

const codeOf = (thrown: unknown): string | undefined => {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : undefined;
};

const hasNoSuchAddress = (thrown: unknown): boolean => ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(thrown) ?? '');

function explained(thrown: unknown, config: ListenerConfig): ListenError {
  const advice = adviceFor(codeOf(thrown), config) ?? `cannot be opened: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  return new ListenError(`listener ${config.name} (${formatAddress(config.host, config.port)}): ${advice}`, thrown);
}

function adviceFor(code: string | undefined, { host, port }: ListenerConfig): string | undefined {
  if (code === 'EADDRINUSE')
    return `port ${port} is in use by another process, perhaps another broker; stop that, or choose another port in listeners (0 takes a free one)`;
  if (code === 'EACCES') return `this user may not bind port ${port}; choose one above 1023 in listeners`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `this machine has no address ${host}; listeners names an address of this machine, advertised.listeners the one that clients are told`;
  return undefined;
}
