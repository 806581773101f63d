// The flags that every command for a cluster shares, as options of the client: which brokers, who asks, how long it may
// take. Flags win over -X, -X over --command-config, and that over the environment.
import { readFileSync } from 'node:fs';
import type { Address } from '../client/broker-link.ts';
import { parseProperties } from '../config/properties.ts';
import { usageError } from './exit-codes.ts';

export interface GlobalFlags {
  readonly brokers?: string;
  readonly bootstrapServer?: string;
  readonly property?: readonly string[];
  readonly commandConfig?: string;
  readonly timeout?: string;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly jsonErrors?: boolean;
}

export interface ClientSettings {
  readonly brokers: readonly Address[];
  /** As it was written, for messages and commands to type. */
  readonly brokersText: string;
  readonly clientId: string;
  readonly timeoutMs: number;
  /** What was said for producers and consumers: `acks`, `compression.type`, `isolation.level`. */
  readonly properties: ReadonlyMap<string, string>;
  /** Properties that other clients know and that mean nothing here. */
  readonly ignored: readonly string[];
}

const DEFAULT_BROKERS = 'localhost:9092';
const DEFAULT_PORT = 9092;
const DEFAULT_TIMEOUT_MS = 10_000;

/** Names in the words of Kafka's Java clients and of librdkafka. */
const known: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'bootstrap.servers',
  'metadata.broker.list': 'bootstrap.servers',
  'client.id': 'client.id',
  'request.timeout.ms': 'request.timeout.ms',
  'default.api.timeout.ms': 'request.timeout.ms',
  'security.protocol': 'security.protocol',
  acks: 'acks',
  'request.required.acks': 'acks',
  'compression.type': 'compression.type',
  'compression.codec': 'compression.type',
  'isolation.level': 'isolation.level',
};

/** @throws CommandError */
export function readClientSettings(flags: GlobalFlags, environment: Readonly<Record<string, string | undefined>>): ClientSettings {
  const properties = new Map<string, string>();
  const ignored: string[] = [];
  const take = (name: string, value: string): void => {
    // What is asked for in the name of safety is refused, never passed over.
    if (/^(ssl|sasl)\./.test(name)) throw usageError(`${name} asks for TLS or a login, which this client cannot do yet`);
    const meaning = Object.hasOwn(known, name) ? known[name] : undefined;
    if (meaning === undefined) ignored.push(name);
    else properties.set(meaning, value);
  };
  if (flags.commandConfig !== undefined) for (const { key, value } of readProperties(flags.commandConfig)) take(key, value);
  for (const pair of flags.property ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw usageError(`-X takes key=value, not '${pair}'`);
    take(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
  const protocol = properties.get('security.protocol') ?? 'PLAINTEXT';
  if (protocol.toUpperCase() !== 'PLAINTEXT')
    throw usageError(`security.protocol is ${protocol}, and this client can only do PLAINTEXT yet`);

  const brokersText =
    flags.brokers ??
    flags.bootstrapServer ??
    properties.get('bootstrap.servers') ??
    environment['BUCKETRIDER_BROKERS'] ??
    environment['KAFKA_BROKERS'] ??
    DEFAULT_BROKERS;
  return {
    brokers: parseBrokers(brokersText),
    brokersText,
    clientId: properties.get('client.id') ?? 'bucketrider-cli',
    timeoutMs:
      flags.timeout === undefined
        ? numberOf(properties, 'request.timeout.ms', DEFAULT_TIMEOUT_MS)
        : parseDuration('--timeout', flags.timeout),
    properties,
    ignored,
  };
}

function readProperties(path: string) {
  try {
    return parseProperties(readFileSync(path, 'utf8'));
  } catch (thrown) {
    throw usageError(`--command-config: cannot read ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

function numberOf(properties: ReadonlyMap<string, string>, name: string, fallback: number): number {
  const text = properties.get(name);
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw usageError(`${name} is a number of milliseconds, not '${text}'`);
  return Number(text);
}

/** `host`, `host:port`, `[::1]:port`, `PLAINTEXT://host:port`, several with commas. @throws CommandError */
export function parseBrokers(text: string): Address[] {
  const addresses = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseBroker);
  if (addresses.length === 0) throw usageError('no broker is named', 'write -b host:port');
  return addresses;
}

function parseBroker(text: string): Address {
  const found = /^(?:([a-z_]+):\/\/)?(?:\[([0-9a-f:.%]+)\]|([^\s:/@[\]]+)|([0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*))(?::(\d{1,5}))?$/i.exec(text);
  const [, protocol = 'PLAINTEXT', bracketed, name, bare, port] = found ?? [];
  const host = bracketed ?? name ?? bare;
  if (host === undefined || Number(port ?? 1) > 65_535 || Number(port ?? 1) === 0)
    throw usageError(`'${text}' is not the address of a broker`, 'write host:port, with an IPv6 address in brackets');
  if (protocol.toUpperCase() !== 'PLAINTEXT') throw usageError(`'${text}' asks for ${protocol}, and this client can only do PLAINTEXT yet`);
  return { host, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `500ms`, `10s`, `1.5h`. @throws CommandError */
export function parseDuration(flag: string, text: string): number {
  const [, amount, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([a-z]+)$/.exec(text) ?? [];
  const factor = unitMs[unit];
  if (amount === undefined || factor === undefined)
    throw usageError(`${flag} takes a time with its unit, such as 500ms, 10s or 1h, not '${text}'`);
  return Math.round(Number(amount) * factor);
}
