// Groups as the program sees them that holds the broker: state, members, assignments, and how far behind they are. Asked of
// the coordinator and the logs themselves, without a socket.
import type { Broker } from '../broker/broker.ts';
import { NO_MEMBER } from '../broker/groups/offset-steps.ts';
import { GROUP_METADATA_TOPIC } from '../broker/internal-topics.ts';
import { decodeAssignment } from '../protocol/consumer-protocol.ts';
import { KafkaError, ProtocolError } from '../protocol/errors.ts';
import type { GroupMemberView, GroupPartitionView, GroupState, GroupView } from './api.ts';

/** Before the first group there is no topic that keeps them, and asking for a group would make it. */
const hasGroups = ({ image }: GroupSource): boolean => image.findTopic(GROUP_METADATA_TOPIC) !== undefined;

export type GroupSource = Pick<Broker, 'groups' | 'image' | 'partitions'>;

/** All that there are, by name. */
export async function viewGroups(broker: GroupSource): Promise<GroupView[]> {
  if (!hasGroups(broker)) return [];
  const listed = await broker.groups.list({ states: new Set(), types: new Set() });
  const views = await Promise.all(listed.map(({ groupId }) => viewGroup(broker, groupId)));
  return views.filter((view) => view !== undefined).toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

/** Undefined when there is no such group. @throws KafkaError what keeps the coordinator from answering */
export async function viewGroup(broker: GroupSource, groupId: string): Promise<GroupView | undefined> {
  if (!hasGroups(broker)) return undefined;
  try {
    const described = await describe(broker, groupId);
    const committed = await broker.groups.fetchOffsets(groupId, undefined, { requireStable: false, member: NO_MEMBER });
    const partitions = partitionsOf(broker, committed, described.members);
    return { groupId, ...described, partitions, lag: partitions.reduce((sum, { lag }) => sum + lag, 0) };
  } catch (thrown) {
    if (thrown instanceof KafkaError && thrown.errorName === 'GROUP_ID_NOT_FOUND') return undefined;
    throw thrown;
  }
}

type Described = Pick<GroupView, 'type' | 'state' | 'protocolType' | 'assignor' | 'members'>;

/** A name is of one group, of either protocol. @throws KafkaError GROUP_ID_NOT_FOUND when it is of none */
async function describe({ groups }: GroupSource, groupId: string): Promise<Described> {
  try {
    return describedConsumerGroup(await groups.describeConsumerGroup(groupId));
  } catch (thrown) {
    if (!(thrown instanceof KafkaError) || thrown.errorName !== 'GROUP_ID_NOT_FOUND') throw thrown;
    return describedClassicGroup(await groups.describe(groupId));
  }
}

type Groups = GroupSource['groups'];

const describedConsumerGroup = (group: Awaited<ReturnType<Groups['describeConsumerGroup']>>): Described => ({
  type: 'consumer',
  state: group.groupState as GroupState,
  protocolType: 'consumer',
  assignor: group.assignorName,
  members: group.members.map((member): GroupMemberView => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    host: member.clientHost.replace(/^\//, ''),
    assignment: member.assignment.topicPartitions.map(({ topicName, partitions }) => ({
      topic: topicName,
      partitions: partitions.toSorted((a, b) => a - b),
    })),
  })),
});

const describedClassicGroup = (group: Awaited<ReturnType<Groups['describe']>>): Described => ({
  type: 'classic',
  state: group.groupState as GroupState,
  protocolType: group.protocolType,
  assignor: group.protocolData === '' ? undefined : group.protocolData,
  members: group.members.map((member): GroupMemberView => ({
    memberId: member.memberId,
    instanceId: member.groupInstanceId,
    clientId: member.clientId,
    host: member.clientHost.replace(/^\//, ''),
    assignment: group.protocolType === 'consumer' ? assignmentOf(member.memberAssignment) : [],
  })),
});

/** A client may write what it likes there: what cannot be read is nobody's assignment. */
function assignmentOf(bytes: Buffer): GroupMemberView['assignment'] {
  try {
    return decodeAssignment(bytes).map(({ topic, partitions }) => ({ topic, partitions: partitions.toSorted((a, b) => a - b) }));
  } catch (thrown) {
    if (thrown instanceof ProtocolError) return [];
    throw thrown;
  }
}

type CommittedTopics = Awaited<ReturnType<GroupSource['groups']['fetchOffsets']>>;

/** Those that are committed or assigned, and exist; in order. */
function partitionsOf(broker: GroupSource, committed: CommittedTopics, members: readonly GroupMemberView[]): GroupPartitionView[] {
  const found = new Map<string, { topic: string; partition: number; committedOffset?: number; memberId?: string }>();
  const at = (topic: string, partition: number) => {
    const key = `${topic}/${partition}`;
    const known = found.get(key) ?? { topic, partition };
    found.set(key, known);
    return known;
  };
  for (const { name, partitions } of committed)
    for (const { partitionIndex, committedOffset } of partitions)
      if (committedOffset >= 0) at(name, partitionIndex).committedOffset = committedOffset;
  for (const { memberId, assignment } of members)
    for (const { topic, partitions } of assignment) for (const partition of partitions) at(topic, partition).memberId = memberId;
  return [...found.values()]
    .flatMap(({ topic, partition, committedOffset, memberId }): GroupPartitionView[] => {
      const image = broker.image.findTopic(topic);
      if (image?.partitions[partition] === undefined) return [];
      const { logStartOffset, highWatermark } = broker.partitions.ledHere(image, partition);
      const next = Math.max(committedOffset ?? logStartOffset, logStartOffset);
      return [{ topic, partition, committedOffset, endOffset: highWatermark, lag: Math.max(0, highWatermark - next), memberId }];
    })
    .toSorted((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}
