// Several things were asked for, each with its own outcome: what is said of those that failed, and the exit code of all.
import type { ErrorName, KafkaError } from '../protocol/errors.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { exitCodeOfKafkaError, reportFailure } from './report-failure.ts';
import type { Session } from './with-cluster.ts';

type Kind = 'topic' | 'group';

const fixes: Partial<Record<ErrorName, (name: string) => string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: (topic) => `bucketrider topic create ${topic} makes it; bucketrider topic list shows what there is`,
  TOPIC_ALREADY_EXISTS: () => '--if-not-exists takes that for success',
  INVALID_REPLICATION_FACTOR: () => 'there are no more replicas than brokers: -r 1 suits a single one',
  GROUP_ID_NOT_FOUND: () => 'bucketrider group list shows what there is',
  GROUP_SUBSCRIBED_TO_TOPIC: (group) => `stop its consumers first; bucketrider group describe ${group} shows them`,
  NON_EMPTY_GROUP: (group) => `stop its consumers first; bucketrider group describe ${group} shows them`,
};

/** Where a sentence of ours says more than the broker's. */
const sentences: Partial<Record<ErrorName, (name: string) => string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: (topic) => `there is no topic ${topic}`,
  GROUP_ID_NOT_FOUND: (group) => `there is no group ${group}`,
  NON_EMPTY_GROUP: (group) => `group ${group} still has members`,
};

/** Says why each topic, or group, failed, and gives the exit code; `done` counts those that did not. */
export function finish(done: number, refusals: ReadonlyMap<string, KafkaError>, { flags }: Session, kind: Kind = 'topic'): ExitCode {
  for (const [name, error] of refusals) {
    const fix = fixes[error.errorName]?.(name);
    const message = sentences[error.errorName]?.(name) ?? `${kind} ${name}: ${error.message}`;
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
