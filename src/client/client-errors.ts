// Why a cluster could not be used, told apart by what a person can do about it. What a broker refuses is a KafkaError.
import { codeOf } from '../base/posix-error.ts';
import { ConnectionClosedError, ForeignProtocolError } from './connection.ts';

export type UnreachableReason =
  | 'refused' //      nobody listens there
  | 'dns' //          the name means no address
  | 'timeout' //      no answer to the attempt to connect
  | 'no-route' //     the network does not lead there
  | 'silent' //       connected, and then nothing was said
  | 'closed' //       connected, and the other side closed it at once
  | 'tls' //          a listener that expects TLS
  | 'foreign' //      something that is not Kafka
  | 'other';

export interface Attempt {
  /** host:port */
  readonly address: string;
  readonly reason: UnreachableReason;
  readonly message: string;
}

/** None of the addresses leads to a broker. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly attempts: readonly Attempt[];
  /** The broker that was reached and said that clients should connect to the address of the attempt, which cannot be reached. */
  readonly advertisedBy: string | undefined;
  /** One of them did answer earlier: it may come back. */
  readonly onceReached: boolean;

  constructor(attempts: readonly Attempt[], { advertisedBy, onceReached = false }: { advertisedBy?: string; onceReached?: boolean } = {}) {
    super(attempts.map(({ address, message }) => `${address}: ${message}`).join('; '));
    this.attempts = attempts;
    this.advertisedBy = onceReached ? undefined : advertisedBy;
    this.onceReached = onceReached;
  }
}

/** A broker did not answer a request in time; its connection is closed. */
export class RequestTimeoutError extends Error {
  override readonly name = 'RequestTimeoutError';
  readonly address: string;
  readonly apiName: string;
  readonly timeoutMs: number;

  constructor(address: string, apiName: string, timeoutMs: number) {
    super(`${address} did not answer ${apiName} within ${timeoutMs} ms`);
    this.address = address;
    this.apiName = apiName;
    this.timeoutMs = timeoutMs;
  }
}

/** The broker and this client share no version of an API. */
export class UnsupportedApiError extends Error {
  override readonly name = 'UnsupportedApiError';
  readonly apiName: string;

  constructor(address: string, apiName: string, ours: string, theirs: string | undefined) {
    super(
      theirs === undefined
        ? `${address} does not serve ${apiName}`
        : `${address} serves ${apiName} in versions ${theirs}, this client speaks ${ours}`,
    );
    this.apiName = apiName;
  }
}

const reasons: Readonly<Record<string, readonly [UnreachableReason, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused, nothing listens on this port'],
  ENOTFOUND: ['dns', 'this name is not known (DNS)'],
  EAI_AGAIN: ['dns', 'the name server does not answer (DNS)'],
  ETIMEDOUT: ['timeout', 'nothing answers at this address'],
  EHOSTUNREACH: ['no-route', 'no route to this address'],
  ENETUNREACH: ['no-route', 'no route to this address'],
  EADDRNOTAVAIL: ['no-route', 'no route to this address'],
  ECONNRESET: ['closed', 'the connection was reset'],
};

/** What it means that an attempt to connect to `address`, or the first request there, ended with `thrown`. */
export function attemptOf(address: string, thrown: unknown): Attempt {
  if (thrown instanceof ForeignProtocolError)
    return { address, reason: thrown.speaks === 'TLS' ? 'tls' : 'foreign', message: thrown.message };
  if (thrown instanceof ConnectionClosedError)
    return {
      address,
      reason: 'closed',
      message: 'it closed the connection at the first request: perhaps the port expects TLS, or is not Kafka',
    };
  if (thrown instanceof RequestTimeoutError)
    return { address, reason: 'silent', message: `it accepted the connection and did not answer within ${thrown.timeoutMs} ms` };
  if (thrown instanceof ConnectTimeoutError)
    return { address, reason: 'timeout', message: `nothing answers at this address (waited ${thrown.timeoutMs} ms)` };
  const known = reasons[codeOf(thrown) ?? ''];
  const [reason, message] = known ?? ['other', thrown instanceof Error ? thrown.message : String(thrown)];
  return { address, reason, message };
}

/** Nobody accepted or refused a connection in time. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`no connection within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}
