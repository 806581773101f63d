// How far groups have read, as their coordinators keep it: asked for, written and deleted, partition by partition. Topics go
// by their names, in the newest versions that have names: an id would tell a group's offsets apart from those of a topic
// that was made again, and who manages a group means the topic of today.
import { KafkaError, NONE } from '../protocol/errors.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../protocol/messages/offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse, type OffsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { kafkaErrorOf, type BrokerLink } from './broker-link.ts';
import type { Cluster } from './cluster.ts';
import { askCoordinators, type ByGroup } from './coordinators.ts';
import { partitionKey, type TopicPartition } from './list-offsets.ts';

export interface CommittedOffset extends TopicPartition {
  /** The next one to read. */
  readonly offset: number;
  /** -1: not told. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number;
  readonly metadata?: string;
}

/** Who commits: nobody in particular when left out, which a coordinator takes while the group has no members. */
export interface Committer {
  readonly memberId: string;
  /** The member epoch in groups of KIP-848. */
  readonly generation: number;
  readonly instanceId?: string | null;
}

/** By `partitionKey`; undefined: it was done. */
export type PartitionOutcomes = Map<string, KafkaError | undefined>;

const offsetFetch = { request: offsetFetchRequest, response: offsetFetchResponse };
const offsetCommit = { request: offsetCommitRequest, response: offsetCommitResponse };
const offsetDelete = { request: offsetDeleteRequest, response: offsetDeleteResponse };

const LAST_VERSION_WITH_NAMES = 9; // of OffsetFetch and OffsetCommit, KIP-848
/** From here on one request asks for many groups (KIP-709). */
const FIRST_VERSION_WITH_GROUPS = 8;
const NOBODY: Committer = { memberId: '', generation: -1 };

/**
 * All that each group has committed, in order; nothing for a group that is not there. With `requireStable` offsets that a
 * transaction may still change are waited for.
 * @throws UnsupportedApiError and what a link throws
 */
export function fetchCommitted(
  cluster: Cluster,
  groupIds: readonly string[],
  { requireStable = false }: { requireStable?: boolean } = {},
): Promise<ByGroup<CommittedOffset[]>> {
  return askCoordinators(cluster, groupIds, async (link, asked) => {
    const outcomes: ByGroup<CommittedOffset[]> = new Map();
    if (link.versionOf(offsetFetch, LAST_VERSION_WITH_NAMES) >= FIRST_VERSION_WITH_GROUPS) {
      const groups = asked.map((groupId) => ({ groupId, topics: null }));
      const answer = await link.request(offsetFetch, { groupId: '', topics: [], groups, requireStable }, atMostWithNames);
      for (const { groupId, topics, errorCode } of answer.groups) outcomes.set(groupId, committedOf(topics, errorCode));
      return outcomes;
    }
    for (const groupId of asked) {
      const body = (version: number) => ({ groupId, topics: null, groups: [], requireStable: requireStable && version >= 7 });
      const { topics, errorCode } = await link.request(offsetFetch, body, atMostWithNames);
      outcomes.set(groupId, committedOf(topics, errorCode));
    }
    return outcomes;
  });
}

const atMostWithNames = { mostVersion: LAST_VERSION_WITH_NAMES };

function committedOf(topics: OffsetFetchResponse['topics'], errorCode: number): CommittedOffset[] | KafkaError {
  if (errorCode !== NONE) return kafkaErrorOf(errorCode, null);
  const found: CommittedOffset[] = [];
  for (const { name, partitions } of topics)
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode: refused } of partitions) {
      if (refused !== NONE) return kafkaErrorOf(refused, null);
      if (committedOffset < 0) continue;
      found.push({ topic: name, partition: partitionIndex, offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata });
    }
  return found.toSorted(byPartition);
}

export const byPartition = (a: TopicPartition, b: TopicPartition): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1;

/** Notes that the group is to read on from these offsets. @throws KafkaError of the group as a whole, and what a link throws */
export async function commitOffsets(cluster: Cluster, groupId: string, offsets: readonly OffsetToCommit[]): Promise<PartitionOutcomes> {
  const told = await askCoordinators(cluster, [groupId], async (link) => {
    const outcomes = await commitThrough(link, groupId, offsets, NOBODY);
    // A coordinator that has moved, or is loading, says so for each partition; the whole is asked again then.
    const error = [...outcomes.values()].find((outcome) => outcome?.errorName.includes('COORDINATOR') === true);
    return new Map([[groupId, error ?? outcomes]]);
  });
  return orThrow(told.get(groupId));
}

/** One request, over a link to the coordinator. @throws UnsupportedApiError and what a link throws */
export async function commitThrough(
  link: BrokerLink,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  { memberId, generation, instanceId = null }: Committer,
): Promise<PartitionOutcomes> {
  const answer = await link.request(
    offsetCommit,
    {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId: instanceId,
      topics: [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, partitions]) => ({
        name,
        topicId: ZERO_UUID,
        partitions: partitions.map(({ partition, offset, metadata = '' }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedMetadata: metadata,
        })),
      })),
    },
    atMostWithNames,
  );
  return outcomesOf(answer.topics);
}

/** The group forgets how far it had read. @throws KafkaError of the group as a whole (GROUP_ID_NOT_FOUND, ...), and what a link throws */
export async function deleteOffsets(cluster: Cluster, groupId: string, partitions: readonly TopicPartition[]): Promise<PartitionOutcomes> {
  const told = await askCoordinators(cluster, [groupId], async (link) => {
    const answer = await link.request(offsetDelete, {
      groupId,
      topics: [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, asked]) => ({
        name,
        partitions: asked.map(({ partition }) => ({ partitionIndex: partition })),
      })),
    });
    return new Map([[groupId, answer.errorCode === NONE ? outcomesOf(answer.topics) : kafkaErrorOf(answer.errorCode, null)]]);
  });
  return orThrow(told.get(groupId));
}

function outcomesOf(
  topics: readonly { readonly name: string; readonly partitions: readonly { partitionIndex: number; errorCode: number }[] }[],
): PartitionOutcomes {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [
        partitionKey({ topic: name, partition: partitionIndex }),
        errorCode === NONE ? undefined : kafkaErrorOf(errorCode, null),
      ]),
    ),
  );
}

function orThrow(outcome: PartitionOutcomes | KafkaError | undefined): PartitionOutcomes {
  if (outcome === undefined || outcome instanceof KafkaError) throw outcome ?? new KafkaError('COORDINATOR_NOT_AVAILABLE');
  return outcome;
}
