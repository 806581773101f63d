// Two brokers that are asked the same: ours and Apache Kafka. Each answer is stripped of what must differ (ids, addresses,
// times), and what is left has to be equal, field by field.
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import { apis } from '../../src/handlers/index.ts';
import { errorNameOf } from '../../src/protocol/errors.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';

export type Body = Readonly<Record<string, unknown>>;
export type Answer = Record<string, unknown> | 'closed' | 'no answer';

const ANSWER_WITHIN_MS = 15_000;
const network = makeRealNetwork();

/** One of the two, with what has been learned of its own names for things. */
export class Party {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What stands in an answer for this party alone, and what it is shown as. */
  readonly aliases = new Map<unknown, string>();
  #connection: Connection | undefined;

  constructor(name: string, bootstrap: string) {
    this.name = name;
    const colon = bootstrap.lastIndexOf(':');
    this.host = bootstrap.slice(0, colon);
    this.port = Number(bootstrap.slice(colon + 1));
  }

  /** From here on `value` is shown as `alias`. */
  learn(alias: string, value: unknown): void {
    if (value !== undefined) this.aliases.set(value, alias);
  }

  /** The value that this party has for an alias. */
  valueOf(alias: string): unknown {
    for (const [value, known] of this.aliases) if (known === alias) return value;
    throw new Error(`${this.name} has no ${alias}`);
  }

  async ask(apiKey: number, version: number, body: Body): Promise<Answer> {
    const tables = apis.get(apiKey);
    if (tables === undefined) throw new Error(`there is no API ${apiKey}`);
    if (this.#connection === undefined || this.#connection.closed)
      this.#connection = await Connection.connect({ network, host: this.host, port: this.port, clientId: 'differential' });
    const connection = this.#connection;
    const late = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => late.resolve('no answer'), ANSWER_WITHIN_MS);
    try {
      const asked = connection.request(tables, version, body) as Promise<Record<string, unknown>>;
      const answer = await Promise.race([asked, late.promise]);
      if (answer === 'no answer') connection.close();
      return answer;
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'ConnectionClosedError') return 'closed';
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#connection?.close();
  }
}

export interface Difference {
  readonly api: string;
  readonly version: number;
  readonly what: string;
  readonly path: string;
  readonly ours: unknown;
  readonly kafka: unknown;
}

/** Settings of an answer that no two brokers have in common. */
const neverCompared = new Set(['clusterId', 'host', 'port', 'throttleTimeMs']);

export class Duel {
  readonly ours: Party;
  readonly kafka: Party;
  readonly differences: Difference[] = [];
  asked = 0;
  readonly #ignored: ReadonlySet<string>;

  constructor(ours: Party, kafka: Party, ignored: readonly string[] = []) {
    this.ours = ours;
    this.kafka = kafka;
    this.#ignored = new Set(ignored);
  }

  /**
   * Puts one request to both, and notes where the answers differ. A function makes the body for a party, with its own ids.
   * Returns both answers as they came.
   */
  async ask(
    apiKey: number,
    version: number,
    what: string,
    body: Body | ((party: Party) => Body),
    options: { ignore?: readonly string[] } = {},
  ): Promise<{ ours: Answer; kafka: Answer }> {
    this.asked += 1;
    const put = (party: Party): Promise<Answer> => party.ask(apiKey, version, typeof body === 'function' ? body(party) : body);
    const [ours, kafka] = await Promise.all([put(this.ours), put(this.kafka)]);
    const ignored = new Set([...this.#ignored, ...(options.ignore ?? [])]);
    const api = apis.get(apiKey)?.name ?? String(apiKey);
    this.#compare({ api, version, what, ignored }, '', shown(ours, this.ours), shown(kafka, this.kafka));
    return { ours, kafka };
  }

  #compare(
    about: { api: string; version: number; what: string; ignored: ReadonlySet<string> },
    path: string,
    ours: unknown,
    kafka: unknown,
  ): void {
    if (Array.isArray(ours) && Array.isArray(kafka) && ours.length === kafka.length) {
      for (const [at, item] of ours.entries()) this.#compare(about, `${path}[${at}]`, item, kafka[at]);
      return;
    }
    if (isObject(ours) && isObject(kafka)) {
      for (const key of new Set([...Object.keys(ours), ...Object.keys(kafka)]))
        if (!neverCompared.has(key) && !about.ignored.has(key)) this.#compare(about, `${path}.${key}`, ours[key], kafka[key]);
      return;
    }
    if (JSON.stringify(ours) === JSON.stringify(kafka)) return;
    this.differences.push({ api: about.api, version: about.version, what: about.what, path, ours, kafka });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** An answer as it can be compared: errors by name, bytes as hex, own ids by their aliases, lists of things with names in their order. */
function shown(value: unknown, party: Party, key = ''): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return sorted(value.map((item) => shown(item, party, key)));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(inner, party, name)]));
  if (/errorCode$/i.test(key)) return errorNameOf(value as number);
  // The words are everybody's own; whether there are any is compared.
  if (/message$/i.test(key)) return value === null ? null : 'some words';
  if (value === ZERO_UUID) return 'no id';
  return party.aliases.get(value) ?? value;
}

const sortedBy = [
  'name',
  'topic',
  'topicName',
  'groupId',
  'resourceName',
  'key',
  'partitionIndex',
  'partition',
  'index',
  'apiKey',
  'topicId',
];

/** What has a name, an index or a key is listed in the order of it: neither protocol nor Kafka promises another. */
function sorted(list: unknown[]): unknown[] {
  const keyOf = (item: unknown): string | undefined => {
    if (!isObject(item)) return undefined;
    const fields = sortedBy.filter((field) => ['string', 'number'].includes(typeof item[field]));
    return fields.length === 0 ? undefined : fields.map((field) => String(item[field]).padStart(6, '0')).join('/');
  };
  if (!list.every((item) => keyOf(item) !== undefined)) return list;
  return list.toSorted((one, other) => ((keyOf(one) as string) < (keyOf(other) as string) ? -1 : 1));
}
