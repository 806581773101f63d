// Addresses as people and clients write them, and the address a listener tells its clients to connect to.
import type { ConnectionView } from '../handlers/handler.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** One entry of `listeners`, with what belongs to it of `advertised.listeners`. */
export interface ListenerConfig {
  readonly name: string;
  /** `localhost`: 127.0.0.1, and ::1 where there is IPv6. Empty: every interface. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What clients are told; undefined: where they reached us. A port of 0 stands for the port the listener got. */
  readonly advertised?: HostAndPort | undefined;
}

/** An IPv4 address that came through an IPv6 socket, as IPv4; others as they are, without a zone. */
export function unmapped(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice('::ffff:'.length);
  return address.split('%', 1)[0] ?? address;
}

export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/**
 * Where a client of this connection is told to find the broker. Not set in the configuration, it is the end of the
 * socket through which this client came: an address that works for it. Loopback is called `localhost`, which every
 * container port mapping and both address families understand.
 */
export function advertisedFor(
  listener: Pick<ListenerConfig, 'advertised'>,
  connection: Pick<ConnectionView, 'localAddress' | 'localPort'>,
): HostAndPort {
  const { advertised } = listener;
  if (advertised !== undefined) return { host: advertised.host, port: advertised.port === 0 ? connection.localPort : advertised.port };
  const address = unmapped(connection.localAddress);
  return { host: isLoopback(address) ? 'localhost' : address, port: connection.localPort };
}

/** `host:port`, an IPv6 address in brackets. */
export const formatAddress = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
