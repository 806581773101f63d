// ConsumerGroupHeartbeat for a group: a member joins, tells what it wants and holds, and is told what it is to hold
// (GroupMetadataManager.consumerGroupHeartbeat of Kafka 4.2). Looks at the group and says which records follow; nothing is
// changed here but what is in no record, and that only once they are applied.
import { check, KafkaError } from '../../protocol/errors.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { inOrder, JOIN_EPOCH, LEAVE_EPOCH, newMember, STATIC_LEAVE_EPOCH, type ConsumerMember } from './consumer-member.ts';
import { checkInstance, leaveConsumerGroup, replaceStaticMember } from './consumer-membership.ts';
import { approachTarget, followTopics, noteMember, type JoiningMember, type MemberUpdate } from './consumer-update.ts';
import { groupForHeartbeat } from './group-conversion.ts';
import type { GroupStep, MaySee } from './group-step.ts';
import type { GroupsState } from './groups-state.ts';
import { isSubset, samePartitions, type TopicPartitions } from './topic-partitions.ts';

export interface ConsumerHeartbeatRequest {
  readonly groupId: string;
  /** Empty when the server is to give it one (version 0). */
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** -1 when it is not told; null below when something has not changed. */
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopicNames: readonly string[] | null;
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  /** What the member holds. */
  readonly owned: TopicPartitions | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly maySee: MaySee;
}

export interface ConsumerHeartbeatResponse {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Null when the member knows it already. */
  readonly assignment: TopicPartitions | null;
}

/**
 * Whether the request makes sense, whatever the group (GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid).
 * @throws KafkaError INVALID_REQUEST, UNSUPPORTED_ASSIGNOR
 */
export function checkHeartbeat(
  request: ConsumerHeartbeatRequest,
  { clientMakesId, assignors }: { clientMakesId: boolean; assignors: readonly string[] },
): void {
  const { memberEpoch, serverAssignor } = request;
  if (clientMakesId || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH) checkNotBlank(request.memberId, 'MemberId');
  checkNotBlank(request.groupId, 'GroupId');
  checkNotBlank(request.instanceId, 'InstanceId');
  checkNotBlank(request.rackId, 'RackId');
  if (memberEpoch === JOIN_EPOCH) {
    check(request.rebalanceTimeoutMs !== -1, 'INVALID_REQUEST', 'RebalanceTimeoutMs must be provided in first request.');
    check(request.owned !== null && request.owned.size === 0, 'INVALID_REQUEST', 'TopicPartitions must be empty when (re-)joining.');
    check(
      request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null,
      'INVALID_REQUEST',
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    );
  } else if (memberEpoch === STATIC_LEAVE_EPOCH) check(request.instanceId !== null, 'INVALID_REQUEST', "InstanceId can't be null.");
  else check(memberEpoch > STATIC_LEAVE_EPOCH, 'INVALID_REQUEST', 'MemberEpoch is invalid.');
  check(
    serverAssignor === null || assignors.includes(serverAssignor),
    'UNSUPPORTED_ASSIGNOR',
    `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`,
  );
}

const checkNotBlank = (value: string | null, name: string): void =>
  check(value === null || value.trim() !== '', 'INVALID_REQUEST', `${name} can't be empty.`);

/** @throws KafkaError GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, UNRELEASED_INSTANCE_ID, ... */
export function consumerHeartbeat(state: GroupsState, request: ConsumerHeartbeatRequest, step: GroupStep): ConsumerHeartbeatResponse {
  const { groupId, memberEpoch } = request;
  if (memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH) {
    leaveConsumerGroup(state, request, step);
    return { memberId: request.memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null };
  }
  const group = groupForHeartbeat(state, groupId, { creates: memberEpoch === JOIN_EPOCH }, step);
  checkRoom(group, request.memberId, step);
  const memberId = request.memberId === '' ? step.newUuid() : request.memberId;
  const { member, replaced } =
    request.instanceId === null ? dynamicMember(group, request, memberId) : staticMember(group, request, memberId, step);
  const told = withRequest(member, request);
  const updated = updateMember(group, { member, told, replaced, owned: request.owned, maySee: request.maySee }, step);

  const config = step.groupConfig(groupId);
  step.holdConsumerSession(groupId, memberId, config['consumer.session.timeout.ms']);
  // Told when the member begins, when it tells all of itself (as it does after an error), and when it has changed.
  const tellsAll =
    request.rebalanceTimeoutMs !== -1 &&
    (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
    request.owned !== null;
  const tell = memberEpoch === JOIN_EPOCH || tellsAll || !samePartitions(member.assigned, updated.assigned);
  return {
    memberId,
    memberEpoch: updated.memberEpoch,
    heartbeatIntervalMs: config['consumer.heartbeat.interval.ms'],
    assignment: tell ? updated.assigned : null,
  };
}

function updateMember(group: ConsumerGroup, update: MemberUpdate, step: GroupStep): ConsumerMember {
  const { namesChanged, regexChange } = noteMember(group, update, step);
  // A new group gets away from epoch 0 whatever its first member wants. An expression that still has to be looked up will raise
  // the epoch when that is done. A round that was under way would be forgotten otherwise, and what it was for (as in Kafka 4.2).
  const raisesEpoch = group.groupEpoch === 0 || group.cameInARound || namesChanged || regexChange === 'known';
  const groupEpoch = followTopics(group, update, raisesEpoch, step);
  return approachTarget(group, update, { groupEpoch, subscriptionHasChanged: namesChanged || regexChange !== 'none' }, step);
}

export function checkRoom(group: ConsumerGroup, memberId: string, { config }: GroupStep): void {
  const maxSize = config['group.consumer.max.size'];
  check(
    group.members.size < maxSize || group.members.has(memberId),
    'GROUP_MAX_SIZE_REACHED',
    `The consumer group has reached its maximum capacity of ${maxSize} members.`,
  );
}

function dynamicMember(group: ConsumerGroup, request: ConsumerHeartbeatRequest, memberId: string): JoiningMember {
  const member = group.members.get(memberId) ?? (request.memberEpoch === JOIN_EPOCH ? newMember(memberId) : group.getMember(memberId));
  checkMemberEpoch(member, request);
  return { member, replaced: undefined };
}

function staticMember(group: ConsumerGroup, request: ConsumerHeartbeatRequest, memberId: string, step: GroupStep): JoiningMember {
  const { instanceId, memberEpoch } = request;
  const existing = group.findStaticMember(instanceId);
  if (memberEpoch !== JOIN_EPOCH) {
    const known = checkInstance(existing, request);
    checkMemberEpoch(known, request);
    return { member: known, replaced: undefined };
  }
  if (existing === undefined) return { member: group.members.get(memberId) ?? newMember(memberId), replaced: undefined };
  // One that speaks the classic protocol cannot say that it will come back: it is replaced as it would be in a classic group.
  check(
    existing.memberEpoch === STATIC_LEAVE_EPOCH || existing.classic !== null,
    'UNRELEASED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${existing.memberId} member.`,
  );
  return { member: replaceStaticMember(group, existing, memberId, step), replaced: existing };
}

function checkMemberEpoch(member: ConsumerMember, { memberEpoch, owned }: ConsumerHeartbeatRequest): void {
  // One that begins anew holds nothing, whatever it was before.
  if (memberEpoch === member.memberEpoch || memberEpoch === JOIN_EPOCH) return;
  // The answer that raised its epoch may have been lost: then it holds nothing that it was not given.
  if (memberEpoch < member.memberEpoch && memberEpoch === member.previousMemberEpoch && owned !== null && isSubset(owned, member.assigned))
    return;
  const than = memberEpoch > member.memberEpoch ? 'greater' : 'smaller';
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${than} member epoch (${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
  );
}

/** What is not told has not changed. */
function withRequest(member: ConsumerMember, request: ConsumerHeartbeatRequest): ConsumerMember {
  const { subscribedTopicNames, rebalanceTimeoutMs } = request;
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: subscribedTopicNames === null ? member.subscribedTopicNames : inOrder(subscribedTopicNames),
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: null,
  };
}
