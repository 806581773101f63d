// Addresses as people write them. What a listener binds and advertises stands in config/listeners.ts.

/** An IPv4 address that came through an IPv6 socket, as IPv4; others as they are, without a zone. */
export function unmapped(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice('::ffff:'.length);
  return address.split('%', 1)[0] ?? address;
}

export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** `host:port`, an IPv6 address in brackets. */
export const formatAddress = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
