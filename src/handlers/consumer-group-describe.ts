// ConsumerGroupDescribe (API 69): consumer groups (KIP-848) with their epochs, members and assignments. A group with topics that
// the client may not see is not shown at all; a classic group is asked for with DescribeGroups.
import { servesConsumerGroups } from '../broker/features.ts';
import type { DescribedConsumerGroup } from '../broker/groups/consumer-descriptions.ts';
import { OPERATIONS_NOT_ASKED } from '../broker/security/operations.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { consumerGroupDescribeResponse, ConsumerGroupDescribeRequest } from '../protocol/messages/consumer-group-describe.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { allows, authorizedOperations } from './permission.ts';
import { mapInTurns } from './turns.ts';

type ConsumerGroupDescribeResponseData = Encodable<typeof consumerGroupDescribeResponse>;
type GroupAnswer = ConsumerGroupDescribeResponseData['groups'][number];

/** In steps of a turn: each asks its coordinator. */
const STEPS_PER_GROUP = 8;

export async function handleConsumerGroupDescribe(
  { groupIds, includeAuthorizedOperations }: ConsumerGroupDescribeRequest,
  context: RequestContext,
): Promise<ConsumerGroupDescribeResponseData> {
  const { broker } = context;
  if (!servesConsumerGroups(broker)) throw new KafkaError('UNSUPPORTED_VERSION');
  const describe = (groupId: string): Promise<GroupAnswer> => describeOne(groupId, includeAuthorizedOperations, context);
  return { throttleTimeMs: 0, groups: await mapInTurns(broker.env, groupIds, describe, STEPS_PER_GROUP) };
}

async function describeOne(groupId: string, withOperations: boolean, context: RequestContext): Promise<GroupAnswer> {
  try {
    context.authorize('DESCRIBE', 'GROUP', groupId);
    const described = await context.broker.groups.describeConsumerGroup(groupId);
    checkTopics(described, context);
    const operations = withOperations ? authorizedOperations(context, 'GROUP', groupId) : OPERATIONS_NOT_ASKED;
    return { ...described, errorCode: NONE, groupId, authorizedOperations: operations };
  } catch (thrown) {
    return refused(groupId, errorCodeOf(thrown, context.log), thrown instanceof KafkaError ? thrown.message : null);
  }
}

function checkTopics({ members }: DescribedConsumerGroup, context: RequestContext): void {
  const topics = new Set<string>();
  for (const { assignment, targetAssignment } of members)
    for (const { topicName } of [...assignment.topicPartitions, ...targetAssignment.topicPartitions]) topics.add(topicName);
  for (const topic of topics)
    if (!allows(context, 'DESCRIBE', 'TOPIC', topic))
      throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', 'The group has described topic(s) that the client is not authorized to describe.');
}

const refused = (groupId: string, errorCode: number, errorMessage: string | null): GroupAnswer => ({
  errorCode,
  errorMessage,
  groupId,
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  assignorName: '',
  members: [],
});

export const consumerGroupDescribeFailure = (
  errorCode: number,
  { groupIds }: ConsumerGroupDescribeRequest,
): ConsumerGroupDescribeResponseData => ({ throttleTimeMs: 0, groups: groupIds.map((groupId) => refused(groupId, errorCode, null)) });
