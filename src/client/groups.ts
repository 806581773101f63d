// Groups as their coordinators tell of them: lists, descriptions, and what deletes them. Committed offsets are in
// committed-offsets.ts, how far behind a group is in group-lag.ts.
import { errorNameOf, KafkaError, NONE, ProtocolError } from '../protocol/errors.ts';
import {
  consumerGroupDescribeRequest,
  consumerGroupDescribeResponse,
  type ConsumerGroupDescribeResponse,
} from '../protocol/messages/consumer-group-describe.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import { describeGroupsRequest, describeGroupsResponse, type DescribeGroupsResponse } from '../protocol/messages/describe-groups.ts';
import { listGroupsRequest, listGroupsResponse } from '../protocol/messages/list-groups.ts';
import { kafkaErrorOf, type BrokerLink } from './broker-link.ts';
import type { Cluster } from './cluster.ts';
import { CONSUMER_PROTOCOL_TYPE, decodeAssignment, type TopicPartitions } from '../protocol/consumer-protocol.ts';
import { askCoordinators, type ByGroup } from './coordinators.ts';
import { retrying } from './waiting.ts';

export interface ListedGroup {
  readonly groupId: string;
  /** `consumer`, `connect`, ...; empty for a group that only has offsets. */
  readonly protocolType: string;
  /** Undefined where the broker is too old to say (before ListGroups 4 and 5). */
  readonly state: string | undefined;
  readonly type: string | undefined;
  /** Node id of the broker that keeps it. */
  readonly coordinator: number;
}

export interface GroupFilters {
  readonly states?: readonly string[];
  readonly types?: readonly string[];
}

export interface GroupDescription {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  readonly state: string;
  readonly protocolType: string;
  /** How partitions are shared out; undefined while there is no agreement. */
  readonly assignor: string | undefined;
  readonly coordinator: number;
  /** Of consumer groups (KIP-848). */
  readonly epoch: number | undefined;
  readonly assignmentEpoch: number | undefined;
  readonly members: readonly MemberDescription[];
}

export interface MemberDescription {
  readonly memberId: string;
  /** Of a static member (KIP-345). */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  readonly rackId: string | null;
  readonly epoch: number | undefined;
  /** Empty where the group is of clients that are no consumers, and say it in words of their own. */
  readonly assignment: readonly TopicPartitions[];
  /** Where the group is heading (KIP-848); undefined in classic groups. */
  readonly targetAssignment: readonly TopicPartitions[] | undefined;
}

const listGroupsTables = { request: listGroupsRequest, response: listGroupsResponse };
const describeGroupsTables = { request: describeGroupsRequest, response: describeGroupsResponse };
const consumerGroupDescribeTables = { request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse };
const deleteGroupsTables = { request: deleteGroupsRequest, response: deleteGroupsResponse };

const FIRST_VERSION_WITH_STATES = 4; // of ListGroups, KIP-518
const FIRST_VERSION_WITH_TYPES = 5; // of ListGroups, KIP-848

/** The groups of all brokers, by name. @throws KafkaError, UnsupportedApiError and what a link throws */
export async function listGroups(cluster: Cluster, { states = [], types = [] }: GroupFilters = {}): Promise<ListedGroup[]> {
  const { brokers } = await cluster.metadata([]);
  const ask = async (nodeId: number): Promise<ListedGroup[]> => {
    const link = await cluster.link(nodeId);
    const version = link.versionOf(listGroupsTables);
    const answer = await link.request(listGroupsTables, {
      statesFilter: version < FIRST_VERSION_WITH_STATES ? [] : states,
      typesFilter: version < FIRST_VERSION_WITH_TYPES ? [] : types,
    });
    if (answer.errorCode !== NONE) throw kafkaErrorOf(answer.errorCode, null);
    return answer.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
      groupId,
      protocolType,
      state: groupState === '' ? undefined : groupState,
      type: groupType === '' ? undefined : groupType.toLowerCase(),
      coordinator: nodeId,
    }));
  };
  const listed = await Promise.all(brokers.map(({ nodeId }) => retrying(cluster.env, { withinMs: cluster.timeoutMs }, () => ask(nodeId))));
  const fits = (filter: readonly string[], text: string | undefined): boolean =>
    filter.length === 0 || (text !== undefined && filter.some((one) => one.toLowerCase() === text.toLowerCase()));
  return listed
    .flat()
    .filter(({ state, type }) => fits(states, state) && fits(types, type))
    .toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

/**
 * State and members of each group. Asked as a group of KIP-848 first and then as a classic one, which is the order that
 * sees a group that is on its way from one to the other.
 * @throws UnsupportedApiError and what a link throws; what is wrong with a group is its outcome: GROUP_ID_NOT_FOUND, ...
 */
export function describeGroups(cluster: Cluster, groupIds: readonly string[]): Promise<ByGroup<GroupDescription>> {
  return askCoordinators(cluster, groupIds, async (link, asked, nodeId) => {
    const outcomes = link.serves(consumerGroupDescribeTables) ? await describeAsConsumer(link, asked, nodeId) : new Map();
    const left = asked.filter((groupId) => isNoConsumerGroup(outcomes.get(groupId) as GroupDescription | KafkaError | undefined));
    if (left.length > 0) for (const [groupId, told] of await describeAsClassic(link, left, nodeId)) outcomes.set(groupId, told);
    return outcomes;
  });
}

const isNoConsumerGroup = (outcome: GroupDescription | KafkaError | undefined): boolean =>
  outcome === undefined || (outcome instanceof KafkaError && ['GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION'].includes(outcome.errorName));

async function describeAsConsumer(link: BrokerLink, groupIds: readonly string[], nodeId: number): Promise<ByGroup<GroupDescription>> {
  const { groups } = await link.request(consumerGroupDescribeTables, { groupIds, includeAuthorizedOperations: false });
  return new Map(
    groups.map((group) => [
      group.groupId,
      group.errorCode === NONE ? consumerGroupOf(group, nodeId) : kafkaErrorOf(group.errorCode, group.errorMessage),
    ]),
  );
}

const consumerGroupOf = (group: ConsumerGroupDescribeResponse['groups'][number], coordinator: number): GroupDescription => ({
  groupId: group.groupId,
  type: 'consumer',
  state: group.groupState,
  protocolType: CONSUMER_PROTOCOL_TYPE,
  assignor: group.assignorName,
  coordinator,
  epoch: group.groupEpoch,
  assignmentEpoch: group.assignmentEpoch,
  members: group.members.map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    host: member.clientHost,
    rackId: member.rackId,
    epoch: member.memberEpoch,
    assignment: byName(member.assignment),
    targetAssignment: byName(member.targetAssignment),
  })),
});

function byName({ topicPartitions }: ConsumerGroupDescribeResponse['groups'][number]['members'][number]['assignment']): TopicPartitions[] {
  return topicPartitions.map(({ topicName, partitions }) => ({ topic: topicName, partitions }));
}

async function describeAsClassic(link: BrokerLink, groupIds: readonly string[], nodeId: number): Promise<ByGroup<GroupDescription>> {
  const { groups } = await link.request(describeGroupsTables, { groups: groupIds, includeAuthorizedOperations: false });
  return new Map(groups.map((group) => [group.groupId, classicGroupOf(group, nodeId)]));
}

function classicGroupOf(group: DescribeGroupsResponse['groups'][number], coordinator: number): GroupDescription | KafkaError {
  if (group.errorCode !== NONE) return kafkaErrorOf(group.errorCode, group.errorMessage);
  // Before version 6 (KIP-1043) this is how a broker says that there is no such group.
  if (group.groupState === 'Dead') return new KafkaError('GROUP_ID_NOT_FOUND', `there is no group ${group.groupId}`);
  return {
    groupId: group.groupId,
    type: 'classic',
    state: group.groupState,
    protocolType: group.protocolType,
    assignor: group.protocolData === '' ? undefined : group.protocolData,
    coordinator,
    epoch: undefined,
    assignmentEpoch: undefined,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost,
      rackId: null,
      epoch: undefined,
      assignment: group.protocolType === CONSUMER_PROTOCOL_TYPE ? readable(member.memberAssignment) : [],
      targetAssignment: undefined,
    })),
  };
}

/** A client may write what it likes there: what cannot be read is nobody's assignment. */
function readable(assignment: Buffer): readonly TopicPartitions[] {
  try {
    return decodeAssignment(assignment);
  } catch (thrown) {
    if (thrown instanceof ProtocolError) return [];
    throw thrown;
  }
}

/** @throws UnsupportedApiError and what a link throws */
export function deleteGroups(cluster: Cluster, groupIds: readonly string[]): Promise<ByGroup<'deleted'>> {
  return askCoordinators(cluster, groupIds, async (link, groupsNames) => {
    const { results } = await link.request(deleteGroupsTables, { groupsNames });
    return new Map(
      results.map(({ groupId, errorCode }) => [groupId, errorNameOf(errorCode) === 'NONE' ? 'deleted' : kafkaErrorOf(errorCode, null)]),
    );
  });
}
