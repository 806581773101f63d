// From whatever a command threw to words on standard error and an exit code: what failed, the likely cause, what to do.
// The one place that knows all three.
import {
  RequestTimeoutError,
  UnreachableError,
  UnsupportedApiError,
  type Attempt,
  type UnreachableReason,
} from '../client/client-errors.ts';
import { ConnectionClosedError } from '../client/connection.ts';
import { KafkaError, type ErrorName } from '../protocol/errors.ts';
import { codeOf } from '../base/posix-error.ts';
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts';

export interface Failure {
  readonly exitCode: ExitCode;
  /** Stable, for scripts. */
  readonly code: string;
  readonly message: string;
  readonly fix: readonly string[];
}

export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommandError) return thrown;
  if (thrown instanceof KafkaError) return kafkaFailure(thrown);
  if (thrown instanceof UnreachableError) return unreachableFailure(thrown);
  if (thrown instanceof RequestTimeoutError)
    return {
      exitCode: exitCodes.unreachable,
      code: 'timeout',
      message: thrown.message,
      fix: ['the broker may be overloaded, or stuck; --timeout 1m waits longer'],
    };
  if (thrown instanceof ConnectionClosedError)
    return {
      exitCode: exitCodes.unreachable,
      code: 'closed',
      message: thrown.message,
      fix: ['if it does so every time, the port may want a login (SASL), which this client cannot do yet'],
    };
  if (thrown instanceof UnsupportedApiError)
    return { exitCode: exitCodes.failure, code: 'unsupported', message: thrown.message, fix: ['use a newer broker, or another client'] };
  const fix = startFixes[codeOf(thrown) ?? ''];
  if (thrown instanceof Error && thrown.name === 'ListenError' && fix !== undefined)
    return { exitCode: exitCodes.failure, code: codeOf(thrown) ?? '', message: thrown.message, fix: [fix] };
  // By name: a command that has nothing to do with settings does not load them to report another failure.
  if (thrown instanceof Error && ['SettingsError', 'ConfigError'].includes(thrown.name))
    return { exitCode: exitCodes.usage, code: 'settings', message: thrown.message, fix: [] };
  return { exitCode: exitCodes.failure, code: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown), fix: [] };
}

const startFixes: Partial<Record<string, string>> = {
  EADDRINUSE: '--port 9192 chooses another one, --port 0 a free one; the last line of the output then says which',
  EACCES: '--port 9092 and every port above 1023 needs no rights',
};

const notFound: ReadonlySet<ErrorName> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'GROUP_ID_NOT_FOUND']);

export function exitCodeOfKafkaError({ errorName }: KafkaError): ExitCode {
  if (notFound.has(errorName)) return exitCodes.notFound;
  if (errorName.endsWith('AUTHORIZATION_FAILED') || errorName.includes('SASL')) return exitCodes.denied;
  if (errorName === 'REQUEST_TIMED_OUT') return exitCodes.unreachable;
  return exitCodes.failure;
}

const kafkaFailure = (error: KafkaError): Failure => ({
  exitCode: exitCodeOfKafkaError(error),
  code: error.errorName,
  message: error.message,
  fix: [],
});

const fixes: Readonly<Record<UnreachableReason, (attempt: Attempt) => string>> = {
  refused: () => 'start a broker with: bucketrider start; or name another one with -b host:port',
  dns: ({ address }) => `check the spelling of ${address}, or whether this machine can resolve it`,
  timeout: () => 'a firewall may drop the connection, or the machine is down; -b host:port names another one',
  'no-route': () => 'this machine has no network that leads there',
  silent: () => 'something listens there that does not speak Kafka, or the broker is stuck',
  closed: () => 'the port may expect TLS or a login (SASL), which this client cannot do yet',
  tls: () => 'use a PLAINTEXT listener: this client cannot do TLS yet',
  foreign: () => "give the port of the broker's Kafka listener, usually 9092",
  other: () => '-b host:port names another broker',
};

const codes: Partial<Record<UnreachableReason, string>> = { dns: 'dns', tls: 'tls', timeout: 'timeout', silent: 'timeout' };

function unreachableFailure({ attempts, advertisedBy }: UnreachableError): Failure {
  const [first] = attempts;
  if (first !== undefined && advertisedBy !== undefined)
    return {
      exitCode: exitCodes.unreachable,
      code: 'advertised-address',
      message: `the broker at ${advertisedBy} tells clients to connect to ${first.address}, and that does not lead to it: ${first.message}`,
      fix: [
        `set advertised.listeners of the broker to an address that this machine reaches, such as PLAINTEXT://${advertisedBy}`,
        ...(first.reason === 'dns' ? [`or make the name in ${first.address} known on this machine`] : []),
      ],
    };
  return {
    exitCode: exitCodes.unreachable,
    code: codes[first?.reason ?? 'other'] ?? 'unreachable',
    message: `cannot reach a broker: ${attempts.map(({ address, message }) => `${address}: ${message}`).join('; ')}`,
    fix: [...new Set(attempts.map((attempt) => fixes[attempt.reason](attempt)))],
  };
}

/** As lines, or with --json-errors as one line of JSON. */
export function reportFailure({ exitCode, code, message, fix }: Failure, { json }: { json: boolean }): void {
  const text = json
    ? `${JSON.stringify({ error: { code, message, fix, exitCode } })}\n`
    : [`bucketrider: ${message}`, ...fix.map((line) => `  ${line}`), ''].join('\n');
  process.stderr.write(text);
}
