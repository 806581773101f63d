// A classic group: its members, its state and the rules that need nothing else (voting, leaders, who may commit). What is
// stored of it is what GroupMetadataValue says: restored at a start, confirmed when such a record is applied. The rest, the
// round that is under way, lives here alone, and a crash ends it. The steps that move it stand in classic-*.ts.
import { invariant, present } from '../../base/invariant.ts';
import { check, KafkaError, ProtocolError } from '../../protocol/errors.ts';
import { Reader } from '../../protocol/reader.ts';
import { decode } from '../../protocol/codec.ts';
import { consumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-log.ts';
import { ClassicMember, NO_ASSIGNMENT, type ClassicProtocol } from './classic-member.ts';
import type { GroupRecord } from './group-records.ts';

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

/** When the round of joining ends at the latest. */
export interface JoinDeadline {
  readonly atMs: number;
  /** Of the first round of an empty group: it may be prolonged while members come. Undefined for any other round. */
  readonly initial: { readonly delayMs: number; readonly remainingMs: number } | undefined;
}

const previousStates: Readonly<Record<ClassicState, readonly ClassicState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
};

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

export class ClassicGroup {
  readonly kind = 'classic';
  readonly groupId: string;
  #state: ClassicState = 'Empty';
  #previousState: ClassicState | undefined;
  /** Undefined for a group that only commits offsets: nobody has ever joined it. */
  protocolType: string | undefined;
  protocolName: string | null = null;
  generationId = 0;
  leaderId: string | undefined;
  /** Wall time of the last change of its state that is stored; -1 when it was never told. */
  stateTimestampMs: number;
  readonly #members = new Map<string, ClassicMember>();
  readonly #staticMembers = new Map<string, string>();
  /** Ids that were handed out, and when each is forgotten unless its client joins with it (KIP-394). */
  readonly pendingJoin = new Map<string, number>();
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSync = new Set<string>();
  joinDeadline: JoinDeadline | undefined;
  syncDeadlineMs = Infinity;
  /** Somebody came since the initial delay was last looked at. */
  newMemberAdded = false;
  #subscribedTopics: ReadonlySet<string> | undefined;
  /** No deadline of the group lies before this; it may be too early, never too late. */
  #earliestDeadlineMs = Infinity;

  constructor(groupId: string, stateTimestampMs: number) {
    this.groupId = groupId;
    this.stateTimestampMs = stateTimestampMs;
  }

  /** As a start finds it in the log. */
  static restored(groupId: string, value: GroupMetadataValue): ClassicGroup {
    const group = new ClassicGroup(groupId, value.currentStateTimestamp);
    group.generationId = value.generation;
    group.protocolType = value.protocolType === '' ? undefined : value.protocolType;
    group.protocolName = value.protocol;
    group.leaderId = value.leader ?? undefined;
    for (const stored of value.members) group.#put(ClassicMember.restored(stored, value.protocolType, value.protocol));
    if (value.members.length > 0) group.#state = 'Stable';
    group.noteSubscriptions();
    return group;
  }

  get state(): ClassicState {
    return this.#state;
  }
  get previousState(): ClassicState | undefined {
    return this.#previousState;
  }
  get members(): ReadonlyMap<string, ClassicMember> {
    return this.#members;
  }
  get earliestDeadlineMs(): number {
    return this.#earliestDeadlineMs;
  }
  get isEmpty(): boolean {
    return this.#state === 'Empty';
  }
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.#members.values()) longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }
  get awaitingJoinCount(): number {
    let count = 0;
    for (const { awaitingJoin } of this.#members.values()) if (awaitingJoin !== undefined) count += 1;
    return count;
  }
  get allHaveJoined(): boolean {
    if (this.pendingJoin.size > 0) return false;
    for (const { awaitingJoin } of this.#members.values()) if (awaitingJoin === undefined) return false;
    return true;
  }
  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  transitionTo(state: ClassicState, wallMs: number): void {
    invariant(previousStates[state].includes(this.#state), `a classic group does not go from ${this.#state} to ${state}`);
    this.#previousState = this.#state;
    this.#state = state;
    this.stateTimestampMs = wallMs;
  }

  // --- members

  getMember(memberId: string): ClassicMember {
    return present(this.#members.get(memberId), 'a member that was looked up before');
  }

  findStaticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId);
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  add(member: ClassicMember): void {
    if (this.#members.size === 0) this.protocolType = member.protocolType;
    invariant(this.protocolType === member.protocolType, 'members of a group have one protocol type');
    this.leaderId ??= member.memberId;
    this.#put(member);
    this.pendingJoin.delete(member.memberId);
  }

  #put(member: ClassicMember): void {
    const { memberId, groupInstanceId } = member;
    if (groupInstanceId !== null) {
      invariant(!this.#staticMembers.has(groupInstanceId), 'a group instance id belongs to one member');
      this.#staticMembers.set(groupInstanceId, memberId);
    }
    this.#members.set(memberId, member);
  }

  /** Also takes back an id that was handed out. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId);
    this.#members.delete(memberId);
    if (member !== undefined && member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId);
    if (this.leaderId === memberId) this.leaderId = this.#members.keys().next().value;
    this.pendingJoin.delete(memberId);
    this.pendingSync.delete(memberId);
  }

  /** The member under its new id, with everything but who waits for it (KIP-345). */
  replaceStatic(old: ClassicMember, memberId: string): ClassicMember {
    const member = old.renamed(memberId);
    // In its place: the order of members is the order in which leaders follow each other.
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const each of members) {
      const one = each === old ? member : each;
      this.#members.set(one.memberId, one);
    }
    if (old.groupInstanceId !== null) this.#staticMembers.set(old.groupInstanceId, memberId);
    if (this.leaderId === old.memberId) this.leaderId = memberId;
    return member;
  }

  /** @throws KafkaError UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID when the instance id has moved to another member id */
  checkMember(memberId: string, groupInstanceId: string | null): void {
    if (groupInstanceId !== null) {
      const existing = this.#staticMembers.get(groupInstanceId);
      check(existing !== undefined, 'UNKNOWN_MEMBER_ID');
      check(existing === memberId, 'FENCED_INSTANCE_ID');
    }
    check(this.#members.has(memberId), 'UNKNOWN_MEMBER_ID');
  }

  // --- protocols

  /** Whether one with these may join: it shares a protocol with all who are here. */
  accepts(protocolType: string, protocols: readonly ClassicProtocol[]): boolean {
    if (this.isEmpty) return protocolType !== '' && protocols.length > 0;
    if (this.protocolType !== protocolType) return false;
    return protocols.some(({ name }) => this.#isSupportedByAll(name));
  }

  #isSupportedByAll(protocolName: string): boolean {
    for (const member of this.#members.values()) if (!member.supports(protocolName)) return false;
    return true;
  }

  /** Each member votes for the first of its protocols that all support; of equal ones the first that got a vote wins. */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const { protocols } of this.#members.values()) {
      const choice = present(
        protocols.find(({ name }) => this.#isSupportedByAll(name)),
        'a protocol that all members support',
      );
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    let selected: string | undefined;
    for (const [name, count] of votes) if (selected === undefined || count > (votes.get(selected) ?? 0)) selected = name;
    return present(selected, 'a member to vote');
  }

  /** The leader may not have come back: then one who has takes its place. False when nobody has. */
  electJoinedLeader(): boolean {
    if (this.leaderId === undefined) return false;
    if (this.#members.get(this.leaderId)?.awaitingJoin !== undefined) return true;
    for (const { memberId, awaitingJoin } of this.#members.values()) {
      if (awaitingJoin === undefined) continue;
      this.leaderId = memberId;
      return true;
    }
    return false;
  }

  /** As far as the group knows what it reads: a client with its own protocol type, or a subscription we cannot read, keeps it to itself. */
  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics?.has(topic) ?? this.usesConsumerProtocol;
  }

  get knowsSubscriptions(): boolean {
    return this.#subscribedTopics !== undefined;
  }

  noteSubscriptions(): void {
    this.#subscribedTopics = this.usesConsumerProtocol ? this.#readSubscriptions() : undefined;
  }

  #readSubscriptions(): ReadonlySet<string> | undefined {
    const topics = new Set<string>();
    if (this.#members.size > 0 && this.protocolName === null) return undefined;
    try {
      for (const member of this.#members.values()) {
        const reader = new Reader(member.metadataOf(this.protocolName));
        reader.int16(); // every later version begins with the fields of the first
        for (const topic of decode(consumerProtocolSubscription, 0, reader).topics) topics.add(topic);
      }
    } catch (thrown) {
      if (thrown instanceof ProtocolError) return undefined;
      throw thrown;
    }
    return topics;
  }

  // --- what is stored

  /** What becomes true when the leader's assignments are stored, or when the last member has gone. */
  record(wallMs: number, assignments: ReadonlyMap<string, Buffer>): GroupRecord {
    return this.#record({
      protocolType: this.protocolType ?? '',
      generation: this.generationId,
      protocol: this.protocolName,
      leader: this.leaderId ?? null,
      currentStateTimestamp: wallMs,
      members: [...this.#members.values()].map((member) =>
        member.stored(this.protocolName, assignments.get(member.memberId) ?? NO_ASSIGNMENT),
      ),
    });
  }

  /** The next generation has nobody in it. */
  emptyRecord(wallMs: number): GroupRecord {
    return this.#record({
      protocolType: this.protocolType ?? '',
      generation: this.generationId + 1,
      protocol: null,
      leader: null,
      currentStateTimestamp: wallMs,
      members: [],
    });
  }

  /** There is a group of this name, and nothing more is to be said of it yet. */
  bareRecord(): GroupRecord {
    return this.#record({
      protocolType: '',
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: this.stateTimestampMs,
      members: [],
    });
  }

  #record(value: GroupMetadataValue): GroupRecord {
    return { type: 'GroupMetadata', key: { group: this.groupId }, value };
  }

  /** Takes over what a record says that was just appended; a record about another generation says nothing new. */
  confirm(value: GroupMetadataValue): void {
    if (value.members.length === 0) {
      if (value.generation !== this.generationId + 1) return;
      invariant(this.#members.size === 0, 'an empty generation has no members');
      this.generationId = value.generation;
      this.protocolName = null;
      this.noteSubscriptions();
      this.pendingSync.clear();
      this.transitionTo('Empty', value.currentStateTimestamp);
      return;
    }
    if (value.generation !== this.generationId || this.#state !== 'CompletingRebalance') return;
    for (const { memberId, assignment } of value.members) {
      const member = this.#members.get(memberId);
      if (member !== undefined) member.assignment = assignment;
    }
    this.transitionTo('Stable', value.currentStateTimestamp);
  }

  // --- deadlines

  /** The member was heard of: its session begins anew. */
  heardOf(member: ClassicMember, nowMs: number): void {
    this.expectBy(member, nowMs + member.sessionTimeoutMs);
  }

  expectBy(member: ClassicMember, deadlineMs: number): void {
    member.deadlineMs = deadlineMs;
    this.#noteDeadline(deadlineMs);
  }

  expectPending(memberId: string, deadlineMs: number): void {
    this.pendingJoin.set(memberId, deadlineMs);
    this.#noteDeadline(deadlineMs);
  }

  endJoinBy(deadline: JoinDeadline): void {
    this.joinDeadline = deadline;
    this.#noteDeadline(deadline.atMs);
  }

  endSyncBy(deadlineMs: number): void {
    this.syncDeadlineMs = deadlineMs;
    this.#noteDeadline(deadlineMs);
  }

  #noteDeadline(deadlineMs: number): void {
    if (deadlineMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = deadlineMs;
  }

  /** Looks at every deadline there is, after which the earliest is exact. */
  findEarliestDeadline(): void {
    let earliestMs = Math.min(this.joinDeadline?.atMs ?? Infinity, this.syncDeadlineMs);
    for (const deadlineMs of this.pendingJoin.values()) earliestMs = Math.min(earliestMs, deadlineMs);
    for (const member of this.#members.values()) if (!member.isHeld) earliestMs = Math.min(earliestMs, member.deadlineMs);
    this.#earliestDeadlineMs = earliestMs;
  }

  // --- who may

  /**
   * Whether offsets may be committed in the group's name (ClassicGroup.validateOffsetCommit of Kafka).
   * @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS
   */
  checkCommit(
    request: { memberId: string; groupInstanceId: string | null; generationId: number },
    options: { transactional: boolean } = { transactional: false },
  ): void {
    const { memberId, groupInstanceId, generationId } = request;
    // From an admin client, or a consumer that assigns partitions to itself.
    if (generationId < 0 && this.isEmpty) return;
    if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
      this.checkMember(memberId, groupInstanceId);
      check(generationId === this.generationId, 'ILLEGAL_GENERATION');
    } else if (!options.transactional) throw new KafkaError('UNKNOWN_MEMBER_ID');
    // The generation is right, so the member has its answer to JoinGroup: it will come back with the next one.
    check(options.transactional || this.#state !== 'CompletingRebalance', 'REBALANCE_IN_PROGRESS');
  }
}
