// Listeners in Kafka's syntax: where to bind, which protocol is spoken there, and what clients are told to connect to.
// Turns settings into plain data and refuses what cannot work, saying why and what to write instead. Opens nothing.

import type { BrokerConfig } from './broker-configs.ts';
import { ConfigError } from './config-value.ts';
import { securityProtocols } from './network-configs.ts';

export type SecurityProtocol = (typeof securityProtocols)[number];

export interface Listener {
  /** In capitals, as Kafka compares names. */
  readonly name: string;
  readonly protocol: SecurityProtocol;
  /** Null: every interface. `localhost`: 127.0.0.1 and ::1. */
  readonly host: string | null;
  /** 0: a free one is taken. */
  readonly port: number;
  /** What clients are told; null, for either, to take it from the socket on which they arrived. */
  readonly advertised: { readonly host: string | null; readonly port: number | null };
}

export interface Listeners {
  readonly listeners: readonly Listener[];
  /** Listeners that were named for Kafka's controllers and are not opened. */
  readonly controllerListeners: readonly string[];
}

interface Endpoint {
  readonly text: string;
  readonly name: string;
  readonly host: string | null;
  readonly port: number;
}

/** @throws ConfigError for what cannot be bound, advertised, or is not built */
export function readListeners(config: BrokerConfig): Listeners {
  const endpoints = config.listeners.map((text) => parseEndpoint('listeners', text));
  checkDistinct(endpoints);
  const ofControllers = new Set(config['controller.listener.names'].map((name) => name.toUpperCase()));
  const opened = endpoints.filter(({ name }) => !ofControllers.has(name));
  if (opened.length === 0)
    throw new ConfigError(
      'listeners holds only listeners that controller.listener.names reserves for controllers; add one for clients, such as PLAINTEXT://:9092',
    );
  const protocols = parseProtocolMap(config['listener.security.protocol.map']);
  const advertised = readAdvertised(config, endpoints, ofControllers);
  const listeners = opened.map(({ name, host, port }): Listener => {
    const told = advertised.get(name);
    return { name, protocol: protocolOf(name, protocols), host, port, advertised: { host: told?.host ?? null, port: told?.port || null } };
  });
  return { listeners, controllerListeners: endpoints.filter(({ name }) => ofControllers.has(name)).map(({ name }) => name) };
}

/**
 * What to bind for a listener: the first address of `oneOf` that the machine has, and on the same port each of `also` that
 * it has. An address that exists and is taken is an error in both, or another program would answer some of the clients.
 */
export function bindAddresses({ host }: Pick<Listener, 'host'>): { readonly oneOf: readonly string[]; readonly also: readonly string[] } {
  if (host === null) return { oneOf: ['::', '0.0.0.0'], also: [] }; // :: takes IPv4 too
  if (host === 'localhost') return { oneOf: ['127.0.0.1'], also: ['::1'] };
  return { oneOf: [host], also: [] };
}

/** The address that a client is told which arrived on `socket`: the advertised one, else the one it reached us at. */
export function advertisedAddress(
  { advertised }: Pick<Listener, 'advertised'>,
  socket: { readonly localAddress: string; readonly localPort: number },
): { readonly host: string; readonly port: number } {
  return { host: advertised.host ?? reachedAt(socket.localAddress), port: advertised.port ?? socket.localPort };
}

/** A loopback address becomes `localhost`, so that certificates, containers and both IP versions agree on it. */
function reachedAt(localAddress: string): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/i, '');
  return address === '::1' || address.startsWith('127.') ? 'localhost' : address;
}

function parseEndpoint(setting: 'listeners' | 'advertised.listeners', text: string): Endpoint {
  const found = /^(.*?):\/\/(?:\[([0-9a-zA-Z:.%]*)\]|([0-9a-zA-Z\-%._:]*)):(\d{1,9})$/.exec(text);
  const name = (found?.[1] ?? '').trim().toUpperCase();
  if (found === null || name === '')
    throw new ConfigError(
      `${setting}: cannot read '${text}'; write NAME://host:port, with an IPv6 host in brackets, for instance PLAINTEXT://localhost:9092`,
    );
  const port = Number(found[4]);
  if (port > 65_535) throw new ConfigError(`${setting}: ${port} in '${text}' is not a port; ports end at 65535`);
  const host = found[2] ?? found[3] ?? '';
  return { text, name, host: host === '' ? null : host, port };
}

/** Kafka's rule: names differ, and so do ports, except that one IPv4 and one IPv6 address may share one. Port 0 is always a port of its own. */
function checkDistinct(endpoints: readonly Endpoint[]): void {
  for (const [index, one] of endpoints.entries())
    for (const other of endpoints.slice(index + 1)) {
      if (one.name === other.name)
        throw new ConfigError(
          `listeners: '${one.text}' and '${other.text}' have the same name; give each its own and say its protocol in listener.security.protocol.map, for instance ${one.name}2:PLAINTEXT`,
        );
      if (one.port === 0 || one.port !== other.port) continue;
      const versions = [ipVersion(one.host), ipVersion(other.host)];
      if (versions.includes(4) && versions.includes(6) && endpoints.filter(({ port }) => port === one.port).length === 2) continue;
      throw new ConfigError(
        `listeners: '${one.text}' and '${other.text}' have the same port; only one IPv4 and one IPv6 address may share one. Change a port`,
      );
    }
}

function ipVersion(host: string | null): 4 | 6 | undefined {
  if (host === null) return undefined;
  if (host.includes(':')) return 6;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) ? 4 : undefined;
}

function parseProtocolMap(text: string): ReadonlyMap<string, SecurityProtocol> {
  const protocols = new Map<string, SecurityProtocol>();
  for (const entry of text.trim() === '' ? [] : text.split(/\s*,\s*/)) {
    const colon = entry.lastIndexOf(':');
    const name = entry.slice(0, Math.max(colon, 0)).trim().toUpperCase();
    const protocol = securityProtocols.find(
      (known) =>
        known ===
        entry
          .slice(colon + 1)
          .trim()
          .toUpperCase(),
    );
    if (name === '') throw new ConfigError(`listener.security.protocol.map: cannot read '${entry}'; write NAME:PROTOCOL`);
    if (protocol === undefined)
      throw new ConfigError(
        `listener.security.protocol.map: '${entry}' does not end in a protocol; it is one of ${securityProtocols.join(', ')}`,
      );
    protocols.set(name, protocol);
  }
  return protocols;
}

/** Only what is built may be opened: a listener that was to be encrypted or guarded must not come up open instead. */
function protocolOf(name: string, protocols: ReadonlyMap<string, SecurityProtocol>): SecurityProtocol {
  const protocol = protocols.get(name);
  if (protocol === undefined)
    throw new ConfigError(
      `listener.security.protocol.map does not say which protocol listener ${name} speaks; add ${name}:PLAINTEXT to it`,
    );
  if (protocol !== 'PLAINTEXT')
    throw new ConfigError(
      `listener ${name} is to speak ${protocol}, which is not built yet; only PLAINTEXT is. Remove the listener, or map it to PLAINTEXT where everybody who reaches its port may be trusted`,
    );
  return protocol;
}

function readAdvertised(
  config: BrokerConfig,
  endpoints: readonly Endpoint[],
  ofControllers: ReadonlySet<string>,
): ReadonlyMap<string, Endpoint> {
  const texts = config['advertised.listeners'];
  if (texts === null || (texts.length === 1 && texts[0]?.toLowerCase() === 'auto')) return new Map();
  const advertised = new Map<string, Endpoint>();
  for (const text of texts) {
    const endpoint = parseEndpoint('advertised.listeners', text);
    if (ofControllers.has(endpoint.name)) continue;
    if (advertised.has(endpoint.name))
      throw new ConfigError(`advertised.listeners names ${endpoint.name} twice; clients of a listener are told one address`);
    if (!endpoints.some(({ name }) => name === endpoint.name))
      throw new ConfigError(
        `advertised.listeners: there is no listener ${endpoint.name} for '${text}'; listeners has ${endpoints.map(({ name }) => name).join(', ')}`,
      );
    if (endpoint.host === '0.0.0.0' || endpoint.host === '::')
      throw new ConfigError(
        `advertised.listeners: nobody can connect to ${endpoint.host} in '${text}'; write a name or address that clients reach, or leave the host out to tell each client the address it used`,
      );
    advertised.set(endpoint.name, endpoint);
  }
  return advertised;
}
