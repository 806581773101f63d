// Commits, reads and deletes offsets of a group, and lets those go that nobody has use for (OffsetMetadataManager of Kafka
// 4.2). Each function looks at the state and says which records follow; nothing is changed here.
import type { MetadataImage } from '../image/metadata-image.ts';
import { check, KafkaError, NONE } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/reader.ts';
import { codeOf } from './classic-rebalance.ts';
import type { CommittedOffset } from './committed-offsets.ts';
import { groupTombstones } from './consumer-records.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStep } from './group-step.ts';
import type { Group, GroupsState } from './groups-state.ts';

export interface CommitTopic {
  readonly name: string;
  /** The topic's present id. */
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: number;
    readonly committedLeaderEpoch: number;
    readonly committedMetadata: string | null;
  }[];
}

export interface CommitRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
  /** Of clients before KIP-211; -1 leaves it to the broker. */
  readonly retentionTimeMs: number;
  /** From version 9 on a group that is not there is called that. */
  readonly knowsGroupIdNotFound: boolean;
  /** The same version: members of consumer groups (KIP-848) commit with no other. */
  readonly knowsMemberEpochs: boolean;
  readonly topics: readonly CommitTopic[];
}

const NO_RETENTION_TIME = -1;

/** Error codes by topic and partition, in the order of the request. @throws KafkaError for the request as a whole */
export function commitOffsets(state: GroupsState, request: CommitRequest, step: GroupStep): number[][] {
  const { groupId, generationId, memberId, retentionTimeMs } = request;
  const group = state.find(groupId);
  if (group === undefined) {
    if (generationId >= 0) throw new KafkaError(request.knowsGroupIdNotFound ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION');
  } else {
    group.checkCommit(request);
    holdSession(group, memberId, step);
  }
  const expireTimestamp = retentionTimeMs === NO_RETENTION_TIME ? -1 : step.wallMs + retentionTimeMs;
  const longest = step.config['offset.metadata.max.bytes'];
  return request.topics.map(({ name, topicId, partitions }) =>
    partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
      if (committedMetadata !== null && committedMetadata.length > longest) return codeOf('OFFSET_METADATA_TOO_LARGE');
      step.records.push({
        type: 'OffsetCommit',
        key: { group: groupId, topic: name, partition: partitionIndex },
        value: {
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata ?? '',
          commitTimestamp: step.wallMs,
          expireTimestamp,
          topicId,
        },
      });
      return NONE;
    }),
  );
}

/** A commit that waits for the disk does not end the session of who waits for it. Only in classic groups does it prolong it. */
function holdSession(group: Group, memberId: string, step: GroupStep): void {
  if (group.kind === 'consumer') return step.pauseConsumerSession(group.groupId, memberId);
  const member = group.members.get(memberId);
  if (member !== undefined) step.holdSession(group, member);
}

export interface AskedOffsets {
  readonly name: string;
  /** ZERO_UUID when the topic is not there any more. */
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

export interface FetchedTopic {
  readonly name: string;
  /** What is known of it from the commits; ZERO_UUID when nothing is. */
  readonly topicId: string;
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

const noOffset = (partitionIndex: number, errorCode: number): FetchedPartition => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode,
});

const foundOffset = (partitionIndex: number, { offset, leaderEpoch, metadata }: CommittedOffset): FetchedPartition => ({
  partitionIndex,
  committedOffset: offset,
  committedLeaderEpoch: leaderEpoch,
  metadata,
  errorCode: NONE,
});

/** Who reads: a member of a consumer group says so, others do not (null, -1). */
export interface FetchingMember {
  readonly memberId: string | null;
  readonly memberEpoch: number;
}

/** Asks in nobody's name: an administrator, a consumer that assigns partitions to itself, a request from before KIP-848. */
export const NO_MEMBER: FetchingMember = { memberId: null, memberEpoch: -1 };

/** @throws KafkaError UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, ILLEGAL_GENERATION */
export function checkFetch(state: GroupsState, groupId: string, { memberId, memberEpoch }: FetchingMember): void {
  const group = state.find(groupId);
  if (group?.kind === 'consumer') group.checkFetch(memberId, memberEpoch);
}

/** `topics` undefined asks for all there are. With `requireStable`, what an open transaction will decide is not answered (KIP-447). */
export function fetchOffsets(
  state: GroupsState,
  groupId: string,
  topics: readonly AskedOffsets[] | undefined,
  requireStable: boolean,
): FetchedTopic[] {
  const { offsets } = state;
  const unstable = (topic: string, partition: number): boolean => requireStable && offsets.isUnstable(groupId, topic, partition);
  const one = (topic: string, partition: number, found: CommittedOffset | undefined): FetchedPartition => {
    if (unstable(topic, partition)) return noOffset(partition, codeOf('UNSTABLE_OFFSET_COMMIT'));
    return found === undefined ? noOffset(partition, NONE) : foundOffset(partition, found);
  };
  if (topics !== undefined)
    return topics.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((partition) => one(name, partition, offsets.find(groupId, name, topicId, partition))),
    }));
  return [...offsets.ofGroup(groupId)].map(([name, { topicId, partitions }]) => ({
    name,
    topicId,
    partitions: [...partitions].map(([partition, found]) => one(name, partition, found)),
  }));
}

/** Error codes by topic and partition. @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
export function deleteOffsets(
  state: GroupsState,
  groupId: string,
  topics: readonly { readonly name: string; readonly partitions: readonly number[] }[],
  step: GroupStep,
): number[][] {
  const group = state.get(groupId);
  // What another kind of client reads we do not know; of a consumer group we do.
  check(group.isEmpty || group.usesConsumerProtocol, 'NON_EMPTY_GROUP');
  return topics.map(({ name, partitions }) => {
    if (group.isSubscribedTo(name)) return partitions.map(() => codeOf('GROUP_SUBSCRIBED_TO_TOPIC'));
    for (const partition of partitions)
      if (state.offsets.find(groupId, name, ZERO_UUID, partition) !== undefined || state.offsets.isUnstable(groupId, name, partition))
        step.records.push(tombstone(groupId, name, partition));
    return partitions.map(() => NONE);
  });
}

/** The group goes, with all it has committed. @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
export function deleteGroup(state: GroupsState, groupId: string, step: GroupStep): void {
  const group = state.get(groupId);
  check(group.isEmpty, 'NON_EMPTY_GROUP');
  for (const [topic, { partitions }] of state.offsets.ofGroup(groupId))
    for (const partition of partitions.keys()) step.records.push(tombstone(groupId, topic, partition));
  for (const [topic, partition] of state.offsets.stagedAlone(groupId)) step.records.push(tombstone(groupId, topic, partition));
  step.records.push(...tombstonesOf(group));
}

/** Offsets of a group whose time is over, and the group itself when it is empty and has none left. */
export function expireOffsets(state: GroupsState, group: Group, step: GroupStep): void {
  const { groupId } = group;
  const since = expiryBase(group);
  let kept = state.offsets.hasStaged(groupId);
  for (const [topic, { partitions }] of state.offsets.ofGroup(groupId)) {
    if (since === undefined || group.isSubscribedTo(topic)) {
      kept = true;
      continue;
    }
    for (const [partition, offset] of partitions) {
      if (isExpired(offset, since(offset), step) && !state.offsets.isUnstable(groupId, topic, partition))
        step.records.push(tombstone(groupId, topic, partition));
      else kept = true;
    }
  }
  if (!kept && group.isEmpty && (group.kind === 'consumer' || group.pendingJoin.size === 0)) step.records.push(...tombstonesOf(group));
}

/** From when on the time of an offset runs (KIP-211); undefined while it does not run at all. */
function expiryBase(group: Group): ((offset: CommittedOffset) => number) | undefined {
  const committed = ({ commitTimestampMs }: CommittedOffset): number => commitTimestampMs;
  // Of a consumer group it runs whenever nobody is subscribed to the topic.
  if (group.kind === 'consumer') return committed;
  if (group.protocolType === undefined) return committed; // nobody joins it: each commit is its own sign of life
  if (group.isEmpty) return group.stateTimestampMs === -1 ? committed : () => group.stateTimestampMs;
  return group.usesConsumerProtocol && group.knowsSubscriptions && group.state === 'Stable' ? committed : undefined;
}

function isExpired({ expireTimestampMs }: CommittedOffset, sinceMs: number, { wallMs, config }: GroupStep): boolean {
  if (expireTimestampMs !== -1) return wallMs >= expireTimestampMs;
  return wallMs - sinceMs >= config['offsets.retention.minutes'] * 60_000;
}

/** Offsets of topics that are not there any more, or that were made anew under the same name. */
export function forgetGoneTopics(state: GroupsState, groupId: string, image: MetadataImage, step: GroupStep): void {
  for (const [topic, { topicId, partitions }] of state.offsets.ofGroup(groupId)) {
    const present = image.findTopic(topic);
    if (present !== undefined && (topicId === ZERO_UUID || topicId === present.id)) continue;
    for (const partition of partitions.keys()) step.records.push(tombstone(groupId, topic, partition));
  }
}

const tombstone = (group: string, topic: string, partition: number): GroupRecord => ({
  type: 'OffsetCommit',
  key: { group, topic, partition },
  value: null,
});

/** The records with which a group ends. */
export function tombstonesOf(group: Group): GroupRecord[] {
  if (group.kind === 'classic') return [{ type: 'GroupMetadata', key: { group: group.groupId }, value: null }];
  return groupTombstones(group.groupId, [...group.members.keys()], group.resolvedRegexes.keys());
}
