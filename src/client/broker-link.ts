// A connection to one broker that knows which versions the broker speaks and does not wait for ever. Picks for each
// request the newest version that both sides know; retries and the choice of the broker are cluster.ts's.
import type { Env } from '../base/env.ts';
import { errorNameOf, KafkaError, NONE } from '../protocol/errors.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../protocol/messages/api-versions.ts';
import type { Decoded, Encodable, Message, Versions } from '../protocol/schema.ts';
import { ConnectTimeoutError, RequestTimeoutError, UnsupportedApiError } from './client-errors.ts';
import { Connection } from './connection.ts';

export type ClientEnv = Pick<Env, 'network' | 'timer' | 'monotonicMs' | 'wallMs' | 'random'>;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface LinkOptions {
  readonly env: ClientEnv;
  readonly clientId: string;
  /** As told to brokers in ApiVersions. */
  readonly software: { readonly name: string; readonly version: string };
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** The two tables of an API. */
export interface ApiTables<Request extends Message = Message, Response extends Message = Message> {
  readonly request: Request;
  readonly response: Response;
}

export interface RequestOptions {
  /** The newest version that will do, where a newer one would need more than the caller has. */
  readonly mostVersion?: number;
  /** Time that the request itself may take, such as the wait of a fetch; on top of the usual timeout. */
  readonly waitMs?: number;
}

const apiVersions = { request: apiVersionsRequest, response: apiVersionsResponse };

export const formatAddress = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
export const apiNameOf = ({ request }: ApiTables): string => request.name.replace(/Request$/, '');

export class BrokerLink {
  readonly address: Address;
  readonly #options: LinkOptions;
  readonly #connection: Connection;
  #ranges: ReadonlyMap<number, Versions> = new Map();
  /** Finalized features by name, as the broker told them (KIP-584). */
  features: ReadonlyMap<string, number> = new Map();

  private constructor(address: Address, connection: Connection, options: LinkOptions) {
    this.address = address;
    this.#connection = connection;
    this.#options = options;
  }

  /** @throws what the network says, ConnectTimeoutError, RequestTimeoutError, ConnectionClosedError, ForeignProtocolError */
  static async open(address: Address, options: LinkOptions): Promise<BrokerLink> {
    const { env, clientId, connectTimeoutMs } = options;
    const giveUp = new AbortController();
    using _ = env.timer(connectTimeoutMs, () => giveUp.abort(new ConnectTimeoutError(connectTimeoutMs)));
    const connection = await Connection.connect({ network: env.network, ...address, clientId, signal: giveUp.signal });
    const link = new BrokerLink(address, connection, options);
    try {
      await link.#askVersions();
    } catch (thrown) {
      link.close();
      throw thrown;
    }
    return link;
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  /** Every API that the broker serves, by key. */
  get ranges(): ReadonlyMap<number, Versions> {
    return this.#ranges;
  }

  serves(tables: ApiTables): boolean {
    return this.#ranges.has(keyOf(tables));
  }

  /** @throws UnsupportedApiError */
  versionOf(tables: ApiTables, mostVersion = Infinity): number {
    const { versions } = tables.request;
    const theirs = this.#ranges.get(keyOf(tables));
    const version = Math.min(versions.max, theirs?.max ?? -1, mostVersion);
    if (theirs === undefined || version < Math.max(versions.min, theirs.min)) {
      const text = theirs && `${theirs.min} to ${theirs.max}`;
      throw new UnsupportedApiError(formatAddress(this.address), apiNameOf(tables), `${versions.min} to ${versions.max}`, text);
    }
    return version;
  }

  /**
   * Asks in the newest version that both sides know; `body` may depend on it. When no answer comes in time the link is closed.
   * @throws UnsupportedApiError, RequestTimeoutError, ConnectionClosedError
   */
  request<Request extends Message, Response extends Message>(
    tables: ApiTables<Request, Response>,
    body: Encodable<Request> | ((version: number) => Encodable<Request>),
    { mostVersion, waitMs = 0 }: RequestOptions = {},
  ): Promise<Decoded<Response>> {
    const version = this.versionOf(tables, mostVersion);
    return this.#ask(tables, version, typeof body === 'function' ? body(version) : body, this.#options.requestTimeoutMs + waitMs);
  }

  /** Sends a request that gets no answer (Produce with acks=0). */
  tell<Request extends Message>(tables: ApiTables<Request>, body: Encodable<Request>, { mostVersion }: RequestOptions = {}): void {
    this.#connection.tell(tables.request, this.versionOf(tables, mostVersion), body);
  }

  /**
   * Resolves when the broker has dealt with everything sent before: it answers in order.
   * @throws ConnectionClosedError when it closed the connection instead, as it does over a refused Produce with acks=0
   */
  async passBy(): Promise<void> {
    await this.#ask(apiVersions, 0, { clientSoftwareName: '', clientSoftwareVersion: '' }, this.#options.requestTimeoutMs);
  }

  close(): void {
    this.#connection.close();
  }

  async #ask<Request extends Message, Response extends Message>(
    tables: ApiTables<Request, Response>,
    version: number,
    body: Encodable<Request>,
    timeoutMs: number,
  ): Promise<Decoded<Response>> {
    let late = false;
    using _ = this.#options.env.timer(timeoutMs, () => {
      late = true;
      this.close(); // answers come in order: whatever follows would wait behind this one
    });
    try {
      return await this.#connection.request(tables, version, body);
    } catch (thrown) {
      throw late ? new RequestTimeoutError(formatAddress(this.address), apiNameOf(tables), timeoutMs) : thrown;
    }
  }

  /** From our newest version down to what the broker says it has, or 0 (KIP-511). */
  async #askVersions(): Promise<void> {
    const { name, version: softwareVersion } = this.#options.software;
    const body = { clientSoftwareName: name, clientSoftwareVersion: softwareVersion };
    let version = apiVersionsRequest.versions.max;
    let answer = await this.#ask(apiVersions, version, body, this.#options.connectTimeoutMs);
    if (errorNameOf(answer.errorCode) === 'UNSUPPORTED_VERSION') {
      version = Math.min(answer.apiKeys.find(({ apiKey }) => apiKey === apiVersionsRequest.apiKey)?.maxVersion ?? 0, version);
      answer = await this.#ask(apiVersions, version, body, this.#options.connectTimeoutMs);
    }
    if (answer.errorCode !== NONE) throw kafkaErrorOf(answer.errorCode, null);
    this.#ranges = new Map(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]));
    this.features = new Map(answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
  }
}

const keyOf = ({ request }: ApiTables): number => request.apiKey ?? -1;

/** The error behind a code; `message` is what the broker said with it. */
export function kafkaErrorOf(code: number, message: string | null): KafkaError {
  const name = errorNameOf(code);
  if (name === undefined || name === 'NONE')
    return new KafkaError('UNKNOWN_SERVER_ERROR', `error code ${code}, which this client does not know${message ? `: ${message}` : ''}`);
  return message ? new KafkaError(name, message) : new KafkaError(name);
}
