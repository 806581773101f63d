// The APIs as connections call them: found by key and version, decoded, handled, encoded. Decides what happens to a
// version that is not served.
import type { Histogram } from '../base/metrics.ts';
import type { Api, RequestContext } from '../handlers/handler.ts';
import { decode } from '../protocol/codec.ts';
import { kafkaErrors, ProtocolError } from '../protocol/errors.ts';
import { decodeRequestHeader, encodeResponseFrame } from '../protocol/headers.ts';
import { apiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { Reader } from '../protocol/reader.ts';
import type { Encodable, Message } from '../protocol/schema.ts';
import type { ServedRequest } from './served-request.ts';
import type { ServerMetrics } from './server-metrics.ts';

const PRODUCE = 0;
const API_VERSIONS = 18;

/**
 * What is decoded in one turn of the event loop. 100,000 partitions in one request are served; beyond that no client goes, and
 * whoever does would stop all others for the time of it (131,072 elements: some 40 ms).
 */
const MOST_ELEMENTS = 2 ** 17;
/** Names and metadata of so many things come to less; texts are copied in that same turn. */
const MOST_BYTES_WITHOUT_RECORDS = 32 * 1024 * 1024;
/** Fetch, JoinGroup, SyncGroup, ShareFetch: their clients ask them to wait. */
const waitingApis = new Set([1, 11, 14, 78]);

/** The client asks for an API or a version that nobody here answers: a foreign answer would be misread, so the connection is closed. */
export class UnservedError extends ProtocolError {}

export class ServedApi {
  readonly key: number;
  readonly name: string;
  readonly overlapping: boolean;
  readonly waits: boolean;
  readonly latency: Histogram;
  readonly #api: Api;

  constructor(api: Api, latency: Histogram) {
    this.#api = api;
    this.key = api.key;
    this.name = api.name;
    this.overlapping = api.overlapping === true;
    this.waits = waitingApis.has(api.key);
    this.latency = latency;
  }

  serves(version: number): boolean {
    return this.#api.minVersion <= version && version <= this.#api.maxVersion;
  }

  get versions(): { minVersion: number; maxVersion: number } {
    return { minVersion: this.#api.minVersion, maxVersion: this.#api.maxVersion };
  }

  /** The body of a request; what the header says is noted in the request. @throws ProtocolError */
  decode(request: ServedRequest): unknown {
    const { bytes } = request.frame;
    if (bytes.length > MOST_BYTES_WITHOUT_RECORDS && this.key !== PRODUCE)
      throw new ProtocolError(`${this.name} of ${bytes.length} bytes: only Produce may have more than ${MOST_BYTES_WITHOUT_RECORDS}`);
    const reader = new Reader(bytes, 0, bytes.length, MOST_ELEMENTS);
    request.tellClientId(decodeRequestHeader(this.#api.request, reader).clientId);
    return decode(this.#api.request, request.apiVersion, reader);
  }

  /** A response, or a promise of one; undefined when none is to be sent. */
  handle(body: unknown, context: RequestContext): unknown {
    return this.#api.handle(body as never, context);
  }

  /** The response to a request that failed as a whole; undefined when the API has no shape for that. */
  failure(errorCode: number, body: unknown, message: string | null): unknown {
    return this.#api.failure?.(errorCode, body as never, message);
  }

  encode(request: ServedRequest, response: unknown): Uint8Array[] {
    const header = { version: request.apiVersion, correlationId: request.correlationId };
    return encodeResponseFrame(this.#api.response, header, response as Encodable<Message>);
  }
}

/** ApiVersions in a version we lack: answered in version 0, with the range we have, and the client asks again (KIP-511). */
class UnservedApiVersions extends ServedApi {
  override serves(): boolean {
    return true;
  }

  override decode(): unknown {
    return undefined; // whatever the body is in that version
  }

  override handle(): unknown {
    return {
      errorCode: kafkaErrors.UNSUPPORTED_VERSION[0],
      apiKeys: [{ apiKey: API_VERSIONS, ...this.versions }],
      throttleTimeMs: 0,
    } satisfies Encodable<typeof apiVersionsResponse>;
  }

  override encode(request: ServedRequest, response: unknown): Uint8Array[] {
    const header = { version: 0, correlationId: request.correlationId };
    return encodeResponseFrame(apiVersionsResponse, header, response as Encodable<typeof apiVersionsResponse>);
  }
}

export class ServedApis {
  readonly #byKey = new Map<number, ServedApi>();
  readonly #unservedApiVersions: ServedApi | undefined;

  constructor(apis: ReadonlyMap<number, Api>, metrics: ServerMetrics) {
    for (const [key, api] of apis) this.#byKey.set(key, new ServedApi(api, metrics.latencyOf(api.name)));
    const apiVersions = apis.get(API_VERSIONS);
    if (apiVersions !== undefined) this.#unservedApiVersions = new UnservedApiVersions(apiVersions, metrics.latencyOf(apiVersions.name));
  }

  /** @throws UnservedError when the API or the version is not served */
  find(key: number, version: number): ServedApi {
    const api = this.#byKey.get(key);
    if (api === undefined) throw new UnservedError(`the API ${key} (version ${version}) is not served`);
    if (api.serves(version)) return api;
    if (key === API_VERSIONS && this.#unservedApiVersions !== undefined) return this.#unservedApiVersions;
    const { minVersion, maxVersion } = api.versions;
    throw new UnservedError(`version ${version} of ${api.name} is not served, ${minVersion} to ${maxVersion} are`);
  }
}
