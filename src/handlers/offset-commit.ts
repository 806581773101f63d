// OffsetCommit (API 8): a group notes how far it has read. Topics and partitions must exist; who may commit, and when, the
// group coordinator decides. Topics go by name up to version 9, by id from version 10 on (KIP-848).
import type { CommitTopic } from '../broker/groups/offset-steps.ts';
import type { TopicImage } from '../broker/image/metadata-image.ts';
import { errorCodeOf, KafkaError } from '../protocol/errors.ts';
import type { offsetCommitResponse, OffsetCommitRequest } from '../protocol/messages/offset-commit.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type OffsetCommitResponseData = Encodable<typeof offsetCommitResponse>;
type AskedTopic = OffsetCommitRequest['topics'][number];

const FIRST_VERSION_WITH_TOPIC_IDS = 10;
const FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND = 9;
const FIRST_VERSION_WITH_MEMBER_EPOCHS = 9; // KIP-848

/** A topic of the request: the codes of its partitions, undefined where the coordinator has the word. */
interface Checked {
  readonly asked: AskedTopic;
  readonly codes: readonly (number | undefined)[];
  readonly topic: TopicImage | undefined;
}

export async function handleOffsetCommit(request: OffsetCommitRequest, context: RequestContext): Promise<OffsetCommitResponseData> {
  context.authorize('READ', 'GROUP', request.groupId);
  const checked = request.topics.map((asked) => checkTopic(asked, context));
  const accepted = checked.flatMap(acceptedPart);
  const codes = accepted.length === 0 ? [] : await commit(request, accepted, context);
  return { throttleTimeMs: 0, topics: merge(checked, codes) };
}

function checkTopic(asked: AskedTopic, context: RequestContext): Checked {
  const byId = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
  const { image } = context.broker;
  const topic = byId ? image.findTopicById(asked.topicId) : image.findTopic(asked.name);
  try {
    if (topic === undefined && byId) throw new KafkaError('UNKNOWN_TOPIC_ID');
    context.authorize('READ', 'TOPIC', topic?.name ?? asked.name);
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    const unknown = errorCodeOf(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'), context.log);
    const codes = asked.partitions.map(({ partitionIndex }) => (topic.partitions[partitionIndex] === undefined ? unknown : undefined));
    return { asked, topic, codes };
  } catch (thrown) {
    const code = errorCodeOf(thrown, context.log);
    return { asked, topic: undefined, codes: asked.partitions.map(() => code) };
  }
}

function acceptedPart({ asked, codes, topic }: Checked): CommitTopic[] {
  const partitions = asked.partitions.filter((_, at) => codes[at] === undefined);
  return topic === undefined || partitions.length === 0 ? [] : [{ name: topic.name, topicId: topic.id, partitions }];
}

const commit = (request: OffsetCommitRequest, topics: readonly CommitTopic[], context: RequestContext): Promise<number[][]> =>
  context.broker.groups.commitOffsets({
    groupId: request.groupId,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    generationId: request.generationIdOrMemberEpoch,
    retentionTimeMs: request.retentionTimeMs,
    knowsGroupIdNotFound: context.apiVersion >= FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND,
    knowsMemberEpochs: context.apiVersion >= FIRST_VERSION_WITH_MEMBER_EPOCHS,
    topics,
  });

/** The coordinator's codes, in the order in which it was asked, fill the places left open. */
function merge(checked: readonly Checked[], codes: readonly (readonly number[])[]): OffsetCommitResponseData['topics'] {
  const filled = codes.flat()[Symbol.iterator]();
  return checked.map(({ asked, codes: own }) => ({
    name: asked.name,
    topicId: asked.topicId,
    partitions: asked.partitions.map(({ partitionIndex }, at) => ({
      partitionIndex,
      errorCode: own[at] ?? (filled.next().value as number),
    })),
  }));
}

export const offsetCommitFailure = (errorCode: number, { topics }: OffsetCommitRequest): OffsetCommitResponseData => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  })),
});
