// What can go wrong for the program that holds a broker: classes with a stable `code` and, where there is something to
// do about it, a `hint`. Part of the package's interface; what went wrong inside is the `cause`.
import type { GroupView, StoredRecord } from './api.ts';

/** Of all errors that this package throws at its callers. */
export class BucketriderError extends Error {
  override readonly name: string = 'BucketriderError';
  /** Stable, for programs. */
  readonly code: string;
  /** What to do about it; also at the end of the message. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(options.hint === undefined ? message : `${message}\n  ${options.hint}`, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.hint = options.hint;
  }
}

/** An argument cannot mean anything; `code` is INVALID_ARGUMENT. */
export class InvalidArgumentError extends BucketriderError {
  override readonly name = 'InvalidArgumentError';

  constructor(message: string, hint?: string) {
    super('INVALID_ARGUMENT', message, { hint });
  }
}

/** The broker did not start, and nothing of it is left. `code`: INVALID_CONFIG, INVALID_TOPIC, DIRECTORY_IN_USE, EADDRINUSE and the like, or START_FAILED. */
export class BrokerStartError extends BucketriderError {
  override readonly name = 'BrokerStartError';
}

/** The broker refused what was asked of it. `code` is Kafka's name for why: MESSAGE_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION, ... */
export class RequestRefusedError extends BucketriderError {
  override readonly name = 'RequestRefusedError';
}

/** The broker has stopped, or is stopping; `code` is BROKER_STOPPED. */
export class BrokerStoppedError extends BucketriderError {
  override readonly name = 'BrokerStoppedError';

  constructor(message = 'the broker has stopped') {
    super('BROKER_STOPPED', message);
  }
}

/** The broker can no longer keep its promises and has stopped answering; `code` is BROKER_FAILED, `cause` says why. */
export class BrokerFailedError extends BucketriderError {
  override readonly name = 'BrokerFailedError';

  constructor(cause: unknown, dataDir?: string) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = dataDir === undefined ? undefined : `What it acknowledged is in ${dataDir}: start another one there.`;
    super('BROKER_FAILED', `the broker failed: ${why}`, { cause, hint });
  }
}

/** What `waitForRecords` waited for did not come; the message is the report. `code` is RECORDS_NOT_SEEN. */
export class RecordsNotSeenError extends BucketriderError {
  override readonly name = 'RecordsNotSeenError';
  readonly topic: string;
  readonly expected: number;
  /** Those that matched. */
  readonly matched: readonly StoredRecord[];
  /** The last that were read, matching or not: at most ten. */
  readonly lastSeen: readonly StoredRecord[];

  constructor(
    report: string,
    details: { topic: string; expected: number; matched: readonly StoredRecord[]; lastSeen: readonly StoredRecord[] },
  ) {
    super('RECORDS_NOT_SEEN', report);
    this.topic = details.topic;
    this.expected = details.expected;
    this.matched = details.matched;
    this.lastSeen = details.lastSeen;
  }
}

/** What `waitForGroup` waited for did not come about; the message is the report. `code` is GROUP_NOT_READY. */
export class GroupNotReadyError extends BucketriderError {
  override readonly name = 'GroupNotReadyError';
  readonly groupId: string;
  /** As it was at the end; undefined when there was none. */
  readonly group: GroupView | undefined;

  constructor(report: string, details: { groupId: string; group: GroupView | undefined }) {
    super('GROUP_NOT_READY', report);
    this.groupId = details.groupId;
    this.group = details.group;
  }
}
