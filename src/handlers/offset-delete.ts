// OffsetDelete (API 47): committed offsets of a group go, partition by partition (KIP-496). Which of them are in use the
// group coordinator knows.
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { offsetDeleteResponse, OffsetDeleteRequest } from '../protocol/messages/offset-delete.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type OffsetDeleteResponseData = Encodable<typeof offsetDeleteResponse>;
type AskedTopic = OffsetDeleteRequest['topics'][number];

export async function handleOffsetDelete(request: OffsetDeleteRequest, context: RequestContext): Promise<OffsetDeleteResponseData> {
  context.authorize('DELETE', 'GROUP', request.groupId);
  const refusals = request.topics.map((topic) => refusalsOf(topic, context));
  const asked = request.topics.map(({ name, partitions }, at) => ({
    name,
    partitions: partitions.filter((_, index) => refusals[at]?.[index] === undefined).map(({ partitionIndex }) => partitionIndex),
  }));
  const codes = await context.broker.groups.deleteOffsets(request.groupId, asked);
  return {
    errorCode: NONE,
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }, at) => {
      const filled = (codes[at] ?? [])[Symbol.iterator]();
      return {
        name,
        partitions: partitions.map(({ partitionIndex }, index) => ({
          partitionIndex,
          errorCode: refusals[at]?.[index] ?? (filled.next().value as number),
        })),
      };
    }),
  };
}

/** By partition; undefined where the coordinator has the word. */
function refusalsOf({ name, partitions }: AskedTopic, context: RequestContext): (number | undefined)[] {
  try {
    context.authorize('READ', 'TOPIC', name);
    const topic = context.broker.image.findTopic(name);
    const unknown = errorCodeOf(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'), context.log);
    return partitions.map(({ partitionIndex }) => (topic?.partitions[partitionIndex] === undefined ? unknown : undefined));
  } catch (thrown) {
    const code = errorCodeOf(thrown, context.log);
    return partitions.map(() => code);
  }
}

export const offsetDeleteFailure = (errorCode: number): OffsetDeleteResponseData => ({ errorCode, throttleTimeMs: 0, topics: [] });
