// Several things were asked for, each with its own outcome: what is said of those that failed, and the exit code of all.
import type { ErrorName, KafkaError } from '../protocol/errors.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { exitCodeOfKafkaError, reportFailure } from './report-failure.ts';
import type { Session } from './with-cluster.ts';

const fixes: Partial<Record<ErrorName, (topic: string) => string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: (topic) => `bucketrider topic create ${topic} makes it; bucketrider topic list shows what there is`,
  TOPIC_ALREADY_EXISTS: () => '--if-not-exists takes that for success',
  INVALID_REPLICATION_FACTOR: () => 'there are no more replicas than brokers: -r 1 suits a single one',
};

/** Says why each topic failed, and gives the exit code; `done` counts those that did not. */
export function finish(done: number, refusals: ReadonlyMap<string, KafkaError>, { flags }: Session): ExitCode {
  for (const [topic, error] of refusals) {
    const fix = fixes[error.errorName]?.(topic);
    const message = error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION' ? `there is no topic ${topic}` : `topic ${topic}: ${error.message}`;
    const failure = { exitCode: exitCodeOfKafkaError(error), code: error.errorName, message, fix: fix === undefined ? [] : [fix] };
    reportFailure(failure, { json: flags.jsonErrors ?? false });
  }
  const codes = new Set([...refusals.values()].map(exitCodeOfKafkaError));
  const [first] = codes;
  if (first === undefined) return exitCodes.ok;
  if (done > 0) return exitCodes.partlyFailed;
  return codes.size === 1 ? first : exitCodes.failure;
}

/** For programs: the error's name and words, or null. */
export const errorJson = (error: KafkaError | undefined): unknown =>
  error === undefined ? null : { code: error.errorName, message: error.message };
