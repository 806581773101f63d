// What every handler is given and gives back: the shape of an API, the context of a request, the connection as a
// handler may see it. Types only; `index.ts` lists the APIs, `server/` calls them.
import type { Logger } from '../base/log.ts';
import type { Broker } from '../broker/broker.ts';
import type { Message } from '../protocol/schema.ts';

/** A served API: its tables, the versions that are really served, and who answers. */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly request: Message;
  readonly response: Message;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** The low bound that ApiVersions names, where it is not `minVersion`. */
  readonly advertisedMinVersion?: number;
  /**
   * `overlapping`: runs of it on one connection may be prepared ahead and wait together (Produce).
   * Any other request starts when all earlier ones of its connection are answered.
   */
  readonly overlapping?: boolean;
  readonly handle: AnyHandler;
  /** The response that says this error of the request as a whole, `message` where there is room for it; without it the connection is closed. */
  readonly failure?: (errorCode: number, request: never, message: string | null) => unknown;
}

/**
 * Answers one decoded request; undefined means that no answer is sent (Produce with acks=0).
 * May answer at once: most requests need no promise.
 * @throws KafkaError for a failure of the whole request (shaped by `failure` of its API), CloseConnectionError,
 * ProtocolError (the connection is closed), InvariantError (the broker fails)
 */
export type Handler<Request, Response> = (
  request: Request,
  context: RequestContext,
) => Response | undefined | Promise<Response | undefined>;

/** A handler whose types the API table has checked already. */
export type AnyHandler = (request: never, context: RequestContext) => unknown;

/** A connection as a handler sees it. */
export interface ConnectionView {
  readonly id: number;
  readonly listenerName: string;
  /** The accepted socket's own end, `::ffff:` unmapped: where this client reached us. */
  readonly localAddress: string;
  readonly localPort: number;
  /** The address under which this client is told to reach this broker. */
  readonly advertised: { readonly host: string; readonly port: number };
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** From ApiVersions v3+ (KIP-511). */
  clientSoftwareName: string;
  clientSoftwareVersion: string;
}

export interface RequestContext {
  readonly broker: Broker;
  readonly connection: ConnectionView;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly clientId: string | null;
  readonly principal: string;
  /** Monotonic time at which the request had arrived whole. */
  readonly receivedMs: number;
  /** Aborts when the connection closes: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** @throws KafkaError when the principal may not do this; allows all until security is built */
  authorize(operation: string, resourceType: string, resourceName: string): void;
  /** Runs `stage` after every earlier request of this connection has staged, whatever preparation took; at once when nothing is ahead. */
  inArrivalOrder<Result>(stage: () => Result): Result | Promise<Result>;
}

/** The connection is closed without an answer (Produce with acks=0 that failed: the client has no other way to learn). */
export class CloseConnectionError extends Error {
  override readonly name = 'CloseConnectionError';
}
