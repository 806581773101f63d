// ConsumerGroupHeartbeat (API 68): a member of a consumer group joins, says what it wants and holds, leaves; and hears what it is
// to hold (KIP-848). The group coordinator decides; regular expressions mean topics that the client may see.
import { toEntries, fromEntries } from '../broker/groups/topic-partitions.ts';
import { KafkaError, NONE } from '../protocol/errors.ts';
import type { consumerGroupHeartbeatResponse, ConsumerGroupHeartbeatRequest } from '../protocol/messages/consumer-group-heartbeat.ts';
import type { Encodable } from '../protocol/schema.ts';
import { servesConsumerGroups } from '../broker/features.ts';
import type { RequestContext } from './handler.ts';
import { allows } from './permission.ts';

type ConsumerGroupHeartbeatResponseData = Encodable<typeof consumerGroupHeartbeatResponse>;

/** KIP-1082: the client makes its own id, so that one whose first answer was lost is known again. */
const FIRST_VERSION_WITH_CLIENTS_ID = 1;

export async function handleConsumerGroupHeartbeat(
  request: ConsumerGroupHeartbeatRequest,
  context: RequestContext,
): Promise<ConsumerGroupHeartbeatResponseData> {
  const { broker, connection, apiVersion } = context;
  if (!servesConsumerGroups(broker)) throw new KafkaError('UNSUPPORTED_VERSION');
  context.authorize('READ', 'GROUP', request.groupId);
  const maySee = (topic: string): boolean => allows(context, 'DESCRIBE', 'TOPIC', topic);
  for (const topic of new Set(request.subscribedTopicNames)) if (!maySee(topic)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED');
  const { topicPartitions, ...told } = request;
  const { assignment, ...response } = await broker.groups.consumerHeartbeat(
    {
      ...told,
      owned: topicPartitions === null ? null : fromEntries(topicPartitions),
      clientId: context.clientId ?? '',
      clientHost: `/${connection.remoteAddress}`,
      maySee,
    },
    { clientMakesId: apiVersion >= FIRST_VERSION_WITH_CLIENTS_ID },
  );
  return {
    throttleTimeMs: 0,
    errorCode: NONE,
    ...response,
    assignment: assignment === null ? null : { topicPartitions: toEntries(assignment) },
  };
}

export const consumerGroupHeartbeatFailure = (
  errorCode: number,
  _request: ConsumerGroupHeartbeatRequest,
  errorMessage: string | null,
): ConsumerGroupHeartbeatResponseData => ({ throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 });
