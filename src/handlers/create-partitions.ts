// CreatePartitions (API 37): topics get more partitions, each topic with its own outcome.
// Asks permission, and shapes question and answer; broker/topics decides what may grow.
import { checkChangesSize } from '../broker/topic-plans.ts';
import type { Refusal } from '../broker/topics.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { createPartitionsResponse, CreatePartitionsRequest } from '../protocol/messages/create-partitions.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { namedTwice } from './named-twice.ts';
import { allows } from './permission.ts';

type CreatePartitionsResponseData = Encodable<typeof createPartitionsResponse>;

export async function handleCreatePartitions(
  request: CreatePartitionsRequest,
  context: RequestContext,
): Promise<CreatePartitionsResponseData> {
  checkChangesSize(request.topics.length);
  const outcomes = new Map<string, Refusal>();
  // A name given twice is refused once, and neither of the two is tried.
  for (const name of namedTwice(request.topics)) outcomes.set(name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.'));
  const growing = request.topics.filter(({ name }) => {
    if (outcomes.has(name)) return false;
    if (allows(context, 'ALTER', 'TOPIC', name)) return true;
    outcomes.set(name, new KafkaError('TOPIC_AUTHORIZATION_FAILED'));
    return false;
  });
  const grown = await context.broker.topics.grow(
    growing.map(({ name, count, assignments }) => ({
      name,
      partitionCount: count,
      assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null,
    })),
    { validateOnly: request.validateOnly },
  );
  for (const [at, { name }] of growing.entries()) outcomes.set(name, grown[at]);
  return {
    throttleTimeMs: 0,
    results: [...outcomes].map(([name, refusal]) => ({
      name,
      errorCode: refusal === undefined ? NONE : errorCodeOf(refusal, context.log),
      errorMessage: refusal?.message ?? null,
    })),
  };
}

export const createPartitionsFailure = (
  errorCode: number,
  { topics }: CreatePartitionsRequest,
  errorMessage: string | null,
): CreatePartitionsResponseData => ({
  throttleTimeMs: 0,
  results: topics.map(({ name }) => ({ name, errorCode, errorMessage })),
});
