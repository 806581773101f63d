// A member of a consumer group (KIP-848): what it told of itself, and how far it has come towards its target assignment.
// Values that nobody changes: a step makes another one and writes what differs, and the records put it in its place.
import type { ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue } from '../../protocol/records/group-log.ts';
import type { GroupConfig } from '../../config/group-configs.ts';
import { fromEntries, NO_PARTITIONS, samePartitions, type TopicPartitions } from './topic-partitions.ts';

/** Epochs with a meaning of their own. */
export const JOIN_EPOCH = 0;
export const LEAVE_EPOCH = -1;
/** A static member that says it will come back. */
export const STATIC_LEAVE_EPOCH = -2;

/**
 * `stable`: it has what its epoch gives it. `unrevoked`: it still has to let go of partitions. `unreleased`: others still hold
 * partitions that it waits for. `unknown`: written by somebody newer than us.
 */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased' | 'unknown';

const stateCodes = { stable: 0, unrevoked: 1, unreleased: 2, unknown: 127 } as const satisfies Record<MemberState, number>;

export const stateCodeOf = (state: MemberState): number => stateCodes[state];

function stateOf(code: number): MemberState {
  for (const state of ['stable', 'unrevoked', 'unreleased'] as const) if (stateCodes[state] === code) return state;
  return 'unknown';
}

/** Of a member that speaks the classic protocol in a group that has come over to the new one. */
export interface ClassicMembership {
  readonly sessionTimeoutMs: number;
  /** In the order of preference; never empty. */
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
}

export interface ConsumerMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** -1 when it was never told. */
  readonly rebalanceTimeoutMs: number;
  /** Ascending, each once. */
  readonly subscribedTopicNames: readonly string[];
  /** Null, or empty, when it has none. */
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  readonly classic: ClassicMembership | null;

  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly state: MemberState;
  readonly assigned: TopicPartitions;
  /** It is asked to let go of these. */
  readonly pendingRevocation: TopicPartitions;
}

export const newMember = (memberId: string): ConsumerMember => ({
  memberId,
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: [],
  subscribedTopicRegex: '',
  serverAssignor: null,
  classic: null,
  memberEpoch: 0,
  previousMemberEpoch: -1,
  state: 'stable',
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
});

/** The regular expression it is subscribed to, if any. */
export const regexOf = ({ subscribedTopicRegex }: ConsumerMember): string | undefined => subscribedTopicRegex || undefined;

export const isReconciledTo = ({ state, memberEpoch }: ConsumerMember, assignmentEpoch: number): boolean =>
  state === 'stable' && memberEpoch === assignmentEpoch;

/** One that speaks the classic protocol has brought its own; for all others the group's settings say. */
export const sessionTimeoutOf = ({ classic }: ConsumerMember, config: GroupConfig): number =>
  classic?.sessionTimeoutMs ?? config['consumer.session.timeout.ms'];

export const inOrder = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

/** Whether it told the same of itself. */
export const sameMetadata = (left: ConsumerMember, right: ConsumerMember): boolean =>
  left.memberId === right.memberId &&
  left.instanceId === right.instanceId &&
  left.rackId === right.rackId &&
  left.clientId === right.clientId &&
  left.clientHost === right.clientHost &&
  left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
  sameTopicNames(left, right) &&
  left.subscribedTopicRegex === right.subscribedTopicRegex &&
  left.serverAssignor === right.serverAssignor &&
  sameClassic(left.classic, right.classic);

export function sameTopicNames({ subscribedTopicNames: left }: ConsumerMember, { subscribedTopicNames: right }: ConsumerMember): boolean {
  return left === right || (left.length === right.length && left.every((name, at) => right[at] === name));
}

function sameClassic(left: ClassicMembership | null, right: ClassicMembership | null): boolean {
  if (left === null || right === null) return left === right;
  return (
    left.sessionTimeoutMs === right.sessionTimeoutMs &&
    left.supportedProtocols.length === right.supportedProtocols.length &&
    left.supportedProtocols.every(({ name, metadata }, at) => {
      const other = right.supportedProtocols[at];
      return other !== undefined && other.name === name && other.metadata.equals(metadata);
    })
  );
}

/** Whether it stands where it stood on its way to the target. */
export const sameProgress = (left: ConsumerMember, right: ConsumerMember): boolean =>
  left.memberEpoch === right.memberEpoch &&
  left.previousMemberEpoch === right.previousMemberEpoch &&
  left.state === right.state &&
  samePartitions(left.assigned, right.assigned) &&
  samePartitions(left.pendingRevocation, right.pendingRevocation);

/** With what a record says it told of itself. Buffers are copied: the record is a slice of a large read. */
export const withMetadata = (member: ConsumerMember, value: ConsumerGroupMemberMetadataValue): ConsumerMember => ({
  ...member,
  instanceId: value.instanceId,
  rackId: value.rackId,
  clientId: value.clientId,
  clientHost: value.clientHost,
  rebalanceTimeoutMs: value.rebalanceTimeoutMs,
  subscribedTopicNames: inOrder(value.subscribedTopicNames),
  subscribedTopicRegex: value.subscribedTopicRegex,
  serverAssignor: value.serverAssignor,
  classic:
    value.classicMemberMetadata === null
      ? null
      : {
          sessionTimeoutMs: value.classicMemberMetadata.sessionTimeoutMs,
          supportedProtocols: value.classicMemberMetadata.supportedProtocols.map(({ name, metadata }) => ({
            name,
            metadata: Buffer.from(metadata),
          })),
        },
});

/** With the progress that a record tells; without one it holds nothing any more. */
export function withProgress(member: ConsumerMember, value: ConsumerGroupCurrentMemberAssignmentValue | null): ConsumerMember {
  if (value === null) {
    const nothing = { assigned: NO_PARTITIONS, pendingRevocation: NO_PARTITIONS };
    return { ...member, memberEpoch: LEAVE_EPOCH, previousMemberEpoch: LEAVE_EPOCH, ...nothing };
  }
  return {
    ...member,
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: stateOf(value.state),
    assigned: fromEntries(value.assignedPartitions),
    pendingRevocation: fromEntries(value.partitionsPendingRevocation),
  };
}
