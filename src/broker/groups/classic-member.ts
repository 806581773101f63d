// A member of a classic group: what it told of itself, its share of the work, and when it was last heard of. Facts only; what
// follows from them the group decides.
import type { GroupMetadataValue } from '../../protocol/records/group-log.ts';
import type { Waiter } from './group-step.ts';

/** An assignor that the member can work with, and its subscription in the form that assignor reads. */
export interface ClassicProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinResponse {
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly metadata: Buffer }[];
}

export interface SyncResponse {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export const NO_ASSIGNMENT = Buffer.alloc(0);

export interface MemberFacts {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  /** In the order of preference, each name once. */
  readonly protocols: readonly ClassicProtocol[];
}

export class ClassicMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly protocolType: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly ClassicProtocol[];
  assignment: Buffer = NO_ASSIGNMENT;
  /** It has joined the round under way and waits for the others. */
  awaitingJoin: Waiter<JoinResponse> | undefined;
  /** It waits for the leader's assignment. */
  awaitingSync: Waiter<SyncResponse> | undefined;
  /** It has not been told that it is a member yet, so it cannot send heartbeats. */
  isNew = false;
  /** Requests of it that wait for the disk: its session does not run meanwhile. */
  requestsInHand = 0;
  /** When it is given up unless it is heard of before. */
  deadlineMs = Infinity;

  constructor(facts: MemberFacts) {
    this.memberId = facts.memberId;
    this.groupInstanceId = facts.groupInstanceId;
    this.clientId = facts.clientId;
    this.clientHost = facts.clientHost;
    this.protocolType = facts.protocolType;
    this.rebalanceTimeoutMs = facts.rebalanceTimeoutMs;
    this.sessionTimeoutMs = facts.sessionTimeoutMs;
    this.protocols = facts.protocols;
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null;
  }

  /** We keep it waiting, so its silence says nothing; a new one that waits too long is given up all the same. */
  get isHeld(): boolean {
    return !this.isNew && (this.awaitingJoin !== undefined || this.awaitingSync !== undefined || this.requestsInHand > 0);
  }

  supports(protocolName: string): boolean {
    return this.protocols.some(({ name }) => name === protocolName);
  }

  metadataOf(protocolName: string | null): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_ASSIGNMENT;
  }

  /** Whether it comes back as it was. */
  matches(protocols: readonly ClassicProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, at) => {
        const own = this.protocols[at];
        return own !== undefined && own.name === name && own.metadata.equals(metadata);
      })
    );
  }

  /** The same under another id, and nobody waits for it yet. */
  renamed(memberId: string): ClassicMember {
    const { groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocolType, protocols } = this;
    const facts = { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocolType, protocols };
    const member = new ClassicMember(facts);
    member.assignment = this.assignment;
    return member;
  }

  stored(protocolName: string | null, assignment: Buffer): GroupMetadataValue['members'][number] {
    return {
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      rebalanceTimeout: this.rebalanceTimeoutMs,
      sessionTimeout: this.sessionTimeoutMs,
      subscription: this.metadataOf(protocolName),
      assignment,
    };
  }

  /** As a start finds it: of its protocols only the one in use is known. */
  static restored(stored: GroupMetadataValue['members'][number], protocolType: string, protocolName: string | null): ClassicMember {
    const { sessionTimeout, rebalanceTimeout } = stored;
    const member = new ClassicMember({
      ...stored,
      rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
      sessionTimeoutMs: sessionTimeout,
      protocolType,
      protocols: [{ name: protocolName ?? '', metadata: Buffer.from(stored.subscription) }],
    });
    member.assignment = Buffer.from(stored.assignment); // the record is a slice of a large read
    return member;
  }
}
