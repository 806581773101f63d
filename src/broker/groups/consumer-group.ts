// A consumer group (KIP-848): its members, its epochs and its target assignment, exactly as the records of the log make them;
// only `apply` changes these, at a start as well as later. When members were last heard of is in no record and lives here
// beside them. The steps that move the group stand in consumer-*.ts (Kafka's ConsumerGroup and its parts of GroupMetadataManager).
import { check, KafkaError } from '../../protocol/errors.ts';
import { isReconciledTo, newMember, regexOf, withMetadata, withProgress, type ConsumerMember } from './consumer-member.ts';
import type { ResolvedRegex } from './consumer-records.ts';
import { ConsumerSession } from './consumer-session.ts';
import type { ConsumerGroupRecord, GroupRecordOf } from './group-records.ts';
import { fromEntries, NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts';

export type ConsumerState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** Before there is a target assignment at all. */
const NO_ASSIGNMENT_EPOCH = -1;

export class ConsumerGroup {
  readonly kind = 'consumer';
  readonly protocolType = 'consumer';
  readonly usesConsumerProtocol = true;
  readonly groupId: string;
  #groupEpoch = 0;
  #assignmentEpoch = 0;
  /** Of the topics the members are subscribed to, as they were when the group epoch was last raised. */
  #metadataHash = 0n;
  #hasPartitionMetadata = false;
  readonly #members = new Map<string, ConsumerMember>();
  readonly #staticMembers = new Map<string, string>();
  readonly #target = new Map<string, TopicPartitions>();
  /** Who holds a partition, or still has to let go of it: by topic id and partition the member id. */
  readonly #owners = new Map<string, Map<number, string>>();
  readonly #resolvedRegexes = new Map<string, ResolvedRegex>();
  readonly #regexSubscribers = new Map<string, number>();
  #subscribedTopics: ReadonlySet<string> | undefined;

  // --- in no record
  readonly #sessions = new Map<string, ConsumerSession>();
  /** The version of the topics at which their hash was last looked at. */
  seenTopicsVersion: number | undefined;
  /** Within the step that brings it over from the classic protocol: a round was under way, which somebody had a reason for. */
  cameInARound = false;
  #earliestDeadlineMs = Infinity;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get groupEpoch(): number {
    return this.#groupEpoch;
  }
  get assignmentEpoch(): number {
    return this.#assignmentEpoch;
  }
  get metadataHash(): bigint {
    return this.#metadataHash;
  }
  get hasPartitionMetadata(): boolean {
    return this.#hasPartitionMetadata;
  }
  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members;
  }
  /** Member ids by group instance id. */
  get staticMembers(): ReadonlyMap<string, string> {
    return this.#staticMembers;
  }
  get target(): ReadonlyMap<string, TopicPartitions> {
    return this.#target;
  }
  get resolvedRegexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#resolvedRegexes;
  }
  /** How many members are subscribed to each regular expression. */
  get regexSubscribers(): ReadonlyMap<string, number> {
    return this.#regexSubscribers;
  }
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }
  get state(): ConsumerState {
    if (this.isEmpty) return 'Empty';
    if (this.#groupEpoch > this.#assignmentEpoch) return 'Assigning';
    for (const member of this.#members.values()) if (!isReconciledTo(member, this.#assignmentEpoch)) return 'Reconciling';
    return 'Stable';
  }

  /** @throws KafkaError UNKNOWN_MEMBER_ID */
  getMember(memberId: string): ConsumerMember {
    const member = this.#members.get(memberId);
    if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.groupId}.`);
    return member;
  }

  findStaticMember(instanceId: string | null): ConsumerMember | undefined {
    const memberId = instanceId === null ? undefined : this.#staticMembers.get(instanceId);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  targetOf(memberId: string): TopicPartitions {
    return this.#target.get(memberId) ?? NO_PARTITIONS;
  }

  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition);
  }

  // --- what it reads

  /** By name and by what regular expressions have been found to mean. */
  get subscribedTopics(): ReadonlySet<string> {
    return (this.#subscribedTopics ??= this.topicsSubscribedBy(this.#members.values()));
  }

  /** What the group would read if these were its members. */
  topicsSubscribedBy(members: Iterable<ConsumerMember>): ReadonlySet<string> {
    const topics = new Set<string>();
    const regexes = new Set<string>();
    for (const member of members) {
      for (const name of member.subscribedTopicNames) topics.add(name);
      const regex = regexOf(member);
      if (regex !== undefined) regexes.add(regex);
    }
    for (const regex of regexes) for (const name of this.#resolvedRegexes.get(regex)?.topics ?? []) topics.add(name);
    return topics;
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics.has(topic);
  }

  // --- what the records say

  apply(record: ConsumerGroupRecord): void {
    switch (record.type) {
      case 'ConsumerGroupMetadata':
        this.#groupEpoch = record.value?.epoch ?? 0;
        this.#metadataHash = record.value?.metadataHash ?? 0n;
        break;
      case 'ConsumerGroupPartitionMetadata':
        this.#hasPartitionMetadata = record.value !== null;
        break;
      case 'ConsumerGroupMemberMetadata':
        this.#applyMetadata(record);
        break;
      case 'ConsumerGroupCurrentMemberAssignment':
        this.#applyProgress(record);
        break;
      case 'ConsumerGroupTargetAssignmentMetadata':
        this.#assignmentEpoch = record.value?.assignmentEpoch ?? NO_ASSIGNMENT_EPOCH;
        break;
      case 'ConsumerGroupTargetAssignmentMember':
        if (record.value === null) this.#target.delete(record.key.memberId);
        else this.#target.set(record.key.memberId, fromEntries(record.value.topicPartitions));
        break;
      case 'ConsumerGroupRegularExpression':
        this.#applyRegex(record);
        break;
    }
  }

  #applyMetadata({ key: { memberId }, value }: GroupRecordOf<'ConsumerGroupMemberMetadata'>): void {
    const before = this.#members.get(memberId);
    if (value !== null) this.#replace(before, withMetadata(before ?? newMember(memberId), value));
    else if (before !== undefined) this.#remove(before);
  }

  #applyProgress({ key: { memberId }, value }: GroupRecordOf<'ConsumerGroupCurrentMemberAssignment'>): void {
    const before = this.#members.get(memberId);
    // Of a member that is not known, a tombstone says nothing: what it ended may have been compacted away.
    if (value !== null || before !== undefined) this.#replace(before, withProgress(before ?? newMember(memberId), value));
  }

  #applyRegex({ key: { regularExpression }, value }: GroupRecordOf<'ConsumerGroupRegularExpression'>): void {
    if (value === null) this.#resolvedRegexes.delete(regularExpression);
    else {
      const { version, timestamp: timestampMs } = value;
      this.#resolvedRegexes.set(regularExpression, { topics: new Set(value.topics), version, timestampMs });
    }
    this.#subscribedTopics = undefined;
  }

  /** What a member was gives way to what it is. */
  #replace(before: ConsumerMember | undefined, after: ConsumerMember): void {
    if (before !== undefined) this.#forget(before);
    this.#note(after);
    this.#subscribedTopics = undefined;
  }

  #remove(member: ConsumerMember): void {
    this.#forget(member);
    this.#members.delete(member.memberId);
    this.#sessions.delete(member.memberId);
    this.#subscribedTopics = undefined;
  }

  /** All but its place among the members. */
  #forget(member: ConsumerMember): void {
    const { memberId, instanceId } = member;
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) this.#staticMembers.delete(instanceId);
    this.#disown(member, member.assigned);
    this.#disown(member, member.pendingRevocation);
    this.#countRegex(member, -1);
  }

  #note(member: ConsumerMember): void {
    const { memberId, instanceId } = member;
    this.#members.set(memberId, member);
    if (instanceId !== null) this.#staticMembers.set(instanceId, memberId);
    this.#own(member, member.assigned);
    this.#own(member, member.pendingRevocation);
    this.#countRegex(member, 1);
  }

  /** In a log that has been compacted the former owner's record may stand behind that of the new one: the last word counts. */
  #own({ memberId }: ConsumerMember, partitions: TopicPartitions): void {
    for (const [topicId, list] of partitions) {
      let owners = this.#owners.get(topicId);
      if (owners === undefined) this.#owners.set(topicId, (owners = new Map()));
      for (const partition of list) owners.set(partition, memberId);
    }
  }

  #disown({ memberId }: ConsumerMember, partitions: TopicPartitions): void {
    for (const [topicId, list] of partitions) {
      const owners = this.#owners.get(topicId);
      if (owners === undefined) continue;
      for (const partition of list) if (owners.get(partition) === memberId) owners.delete(partition);
      if (owners.size === 0) this.#owners.delete(topicId);
    }
  }

  #countRegex(member: ConsumerMember, by: 1 | -1): void {
    const regex = regexOf(member);
    if (regex === undefined) return;
    const count = (this.#regexSubscribers.get(regex) ?? 0) + by;
    if (count > 0) this.#regexSubscribers.set(regex, count);
    else this.#regexSubscribers.delete(regex);
  }

  // --- deadlines

  /** Of a member there is, until it goes. */
  sessionOf(memberId: string): ConsumerSession {
    let session = this.#sessions.get(memberId);
    if (session === undefined) this.#sessions.set(memberId, (session = new ConsumerSession()));
    return session;
  }

  get earliestDeadlineMs(): number {
    return this.#earliestDeadlineMs;
  }

  /** No deadline of the group lies before the earliest that was noted. */
  noteDeadline(deadlineMs: number): void {
    if (deadlineMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = deadlineMs;
  }

  /** Looks at every deadline there is, after which the earliest is exact. */
  findEarliestDeadline(): void {
    let earliestMs = Infinity;
    for (const session of this.#sessions.values()) earliestMs = Math.min(earliestMs, session.earliestDeadlineMs);
    this.#earliestDeadlineMs = earliestMs;
  }

  // --- who may

  /**
   * Whether offsets may be committed in the group's name (ConsumerGroup.validateOffsetCommit of Kafka).
   * @throws KafkaError UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, ILLEGAL_GENERATION, UNSUPPORTED_VERSION
   */
  checkCommit(
    request: { memberId: string; groupInstanceId: string | null; generationId: number; knowsMemberEpochs: boolean },
    options: { transactional: boolean } = { transactional: false },
  ): void {
    const { memberId, groupInstanceId, generationId } = request;
    // From an admin client, or a consumer that assigns partitions to itself.
    if (generationId < 0 && this.isEmpty) return;
    if (options.transactional && generationId < 0 && memberId === '' && groupInstanceId === null) return;
    const member = this.getMember(memberId);
    check(
      options.transactional || member.classic !== null || request.knowsMemberEpochs,
      'UNSUPPORTED_VERSION',
      'OffsetCommit version 9 or above must be used by members using the modern group protocol',
    );
    this.#checkEpoch(member, generationId);
  }

  /** Whether a member that names itself may read offsets. @throws KafkaError UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, ILLEGAL_GENERATION */
  checkFetch(memberId: string | null, memberEpoch: number): void {
    if (memberId === null && memberEpoch < 0) return;
    this.#checkEpoch(this.getMember(memberId ?? ''), memberEpoch);
  }

  #checkEpoch({ memberEpoch, classic }: ConsumerMember, received: number): void {
    const known = `the expected member epoch ${memberEpoch}.`;
    if (classic !== null)
      check(received === memberEpoch, 'ILLEGAL_GENERATION', `The received generation id ${received} does not match ${known}`);
    else check(received === memberEpoch, 'STALE_MEMBER_EPOCH', `The received member epoch ${received} does not match ${known}`);
  }
}
