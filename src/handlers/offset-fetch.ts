// OffsetFetch (API 9): how far groups have read. One group up to version 7, a list from version 8 on (KIP-709); topics by
// name up to version 9, by id from version 10 on (KIP-848). What was never committed is offset -1, and no error.
import { NO_MEMBER, type AskedOffsets, type FetchedTopic, type FetchingMember } from '../broker/groups/offset-steps.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { offsetFetchResponse, OffsetFetchRequest } from '../protocol/messages/offset-fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { allows } from './permission.ts';
import { mapInTurns } from './turns.ts';

type OffsetFetchResponseData = Encodable<typeof offsetFetchResponse>;
type GroupAnswer = OffsetFetchResponseData['groups'][number];
type TopicAnswer = GroupAnswer['topics'][number];

interface AskedGroup extends FetchingMember {
  readonly groupId: string;
  /** Null asks for all. */
  readonly topics: readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[] | null;
}

/** In steps of a turn: each asks its coordinator. */
const STEPS_PER_GROUP = 8;
const FIRST_VERSION_WITH_GROUPS = 8;
const FIRST_VERSION_WITH_TOPIC_IDS = 10;
const FIRST_VERSION_WITH_GROUP_ERROR = 2;

export async function handleOffsetFetch(request: OffsetFetchRequest, context: RequestContext): Promise<OffsetFetchResponseData> {
  const fetch = (asked: AskedGroup): Promise<GroupAnswer> => fetchGroup(asked, request.requireStable, context);
  if (context.apiVersion >= FIRST_VERSION_WITH_GROUPS)
    return { throttleTimeMs: 0, topics: [], groups: await mapInTurns(context.broker.env, request.groups, fetch, STEPS_PER_GROUP) };
  const topics = request.topics?.map(({ name, partitionIndexes }) => ({ name, topicId: ZERO_UUID, partitionIndexes })) ?? null;
  const answer = await fetch({ groupId: request.groupId, topics, ...NO_MEMBER });
  return { throttleTimeMs: 0, topics: answer.topics, errorCode: answer.errorCode, groups: [] };
}

async function fetchGroup(asked: AskedGroup, requireStable: boolean, context: RequestContext): Promise<GroupAnswer> {
  const { groupId, topics } = asked;
  try {
    context.authorize('DESCRIBE', 'GROUP', groupId);
    return {
      groupId,
      topics: topics === null ? await fetchAll(asked, requireStable, context) : await fetchAsked(asked, topics, requireStable, context),
      errorCode: NONE,
    };
  } catch (thrown) {
    return groupError(asked, errorCodeOf(thrown, context.log), context.apiVersion);
  }
}

async function fetchAsked(
  { groupId, ...member }: AskedGroup,
  topics: NonNullable<AskedGroup['topics']>,
  requireStable: boolean,
  context: RequestContext,
): Promise<TopicAnswer[]> {
  const byId = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
  const { image } = context.broker;
  const allowed: AskedOffsets[] = [];
  const refused: TopicAnswer[] = [];
  const refuse = (topic: { name: string; topicId: string; partitionIndexes: readonly number[] }, why: KafkaError): void => {
    const code = errorCodeOf(why, context.log);
    refused.push({ ...topic, partitions: topic.partitionIndexes.map((index) => noOffset(index, code)) });
  };
  for (const topic of topics) {
    const found = byId ? image.findTopicById(topic.topicId) : image.findTopic(topic.name);
    const name = byId ? found?.name : topic.name;
    if (name === undefined) refuse(topic, new KafkaError('UNKNOWN_TOPIC_ID'));
    else if (!allows(context, 'DESCRIBE', 'TOPIC', name)) refuse(topic, new KafkaError('TOPIC_AUTHORIZATION_FAILED'));
    else allowed.push({ name, topicId: found?.id ?? ZERO_UUID, partitionIndexes: topic.partitionIndexes });
  }
  const fetched = await context.broker.groups.fetchOffsets(groupId, allowed, { requireStable, member });
  return [...fetched.map(shapeTopic), ...refused];
}

/** What may not be seen is left out; so is, where topics go by their ids, what has none. */
async function fetchAll({ groupId, ...member }: AskedGroup, requireStable: boolean, context: RequestContext): Promise<TopicAnswer[]> {
  const byId = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
  const fetched = await context.broker.groups.fetchOffsets(groupId, undefined, { requireStable, member });
  return fetched
    .filter(({ name }) => allows(context, 'DESCRIBE', 'TOPIC', name))
    .map((topic) => {
      const known = topic.topicId === ZERO_UUID ? context.broker.image.findTopic(topic.name)?.id : topic.topicId;
      return shapeTopic({ ...topic, topicId: known ?? ZERO_UUID });
    })
    .filter(({ topicId }) => !byId || topicId !== ZERO_UUID);
}

const shapeTopic = ({ name, topicId, partitions }: FetchedTopic): TopicAnswer => ({ name, topicId, partitions });

const noOffset = (partitionIndex: number, errorCode: number): TopicAnswer['partitions'][number] => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode,
});

/** Versions 0 and 1 have no room for an error of the group: each partition has it. */
function groupError({ groupId, topics }: AskedGroup, errorCode: number, apiVersion: number): GroupAnswer {
  if (apiVersion >= FIRST_VERSION_WITH_GROUP_ERROR) return { groupId, topics: [], errorCode };
  return {
    groupId,
    errorCode: NONE,
    topics: (topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((index) => noOffset(index, errorCode)),
    })),
  };
}

export const offsetFetchFailure = (errorCode: number, request: OffsetFetchRequest): OffsetFetchResponseData => ({
  throttleTimeMs: 0,
  errorCode,
  topics: (request.topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => noOffset(index, errorCode)),
  })),
  groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
});
