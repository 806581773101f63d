// Groups, committed offsets, transactions and producers: the limits that their coordinators keep, and their internal topics.
// Rows only. The internal topics' replication is ours (one node), everything else is Kafka's.

import {
  boolean,
  configTable,
  days,
  hours,
  int,
  INT_MAX,
  intBytes,
  intMs,
  list,
  listOf,
  MiB,
  minutes,
  oneOf,
  seconds,
  short,
  durationMs,
} from './config-table.ts';

/** The assignors of consumer groups, by each name that settings may give them: Kafka's short ones and those of its classes. */
export const consumerAssignors: ReadonlyMap<string, 'uniform' | 'range'> = new Map([
  ['uniform', 'uniform'],
  ['range', 'range'],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
]);

const rebalanceProtocols = ['consumer', 'classic', 'share', 'streams'] as const;
const migrationPolicies = ['disabled', 'downgrade', 'upgrade', 'bidirectional'] as const;

const heartbeats = (kind: string) => `How often members of ${kind} groups are told to send heartbeats.`;

export const coordinatorConfigs = configTable({
  'offsets.topic.num.partitions': int({
    default: 50,
    min: 1,
    importance: 'high',
    doc: 'How many partitions __consumer_offsets gets when it is made; groups are spread over them and must not change it later.',
  }),
  'offsets.topic.replication.factor': short({
    default: 1,
    min: 1,
    importance: 'high',
    doc: 'How many replicas __consumer_offsets gets. Ours is 1 where Kafka has 3; more than there are brokers is lowered with a notice.',
  }),
  'offsets.topic.segment.bytes': intBytes({
    default: 100 * MiB,
    min: 1,
    importance: 'high',
    doc: 'The segment size of __consumer_offsets: small, so that cleaning keeps loading short.',
  }),
  'offsets.topic.compression.codec': int({
    default: 0,
    importance: 'high',
    effect: 'accepted',
    doc: 'The codec id with which Kafka’s coordinator would compress __consumer_offsets.',
  }),
  'offsets.load.buffer.size': intBytes({
    default: 5 * MiB,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How much Kafka reads at a time when it loads groups.',
  }),
  'offsets.commit.timeout.ms': intMs({
    default: seconds(5),
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How long a coordinator’s write would wait for its replicas.',
  }),
  'offsets.retention.minutes': int({
    default: 10_080,
    min: 1,
    unit: 'minutes',
    importance: 'high',
    doc: 'How long committed offsets are kept after their group became empty or left the topic.',
  }),
  'offsets.retention.check.interval.ms': durationMs({
    default: minutes(10),
    min: 1,
    importance: 'high',
    doc: 'How often committed offsets are looked at for those that may go.',
  }),
  'offset.metadata.max.bytes': intBytes({
    default: 4096,
    importance: 'high',
    doc: 'The longest text that a client may commit beside an offset; a longer one is OFFSET_METADATA_TOO_LARGE.',
  }),

  'group.initial.rebalance.delay.ms': intMs({
    default: seconds(3),
    doc: 'How long the first rebalance of an empty classic group waits for further members.',
  }),
  'group.min.session.timeout.ms': intMs({
    default: seconds(6),
    doc: 'The shortest session timeout a member of a classic group may ask for; below it INVALID_SESSION_TIMEOUT.',
  }),
  'group.max.session.timeout.ms': intMs({
    default: minutes(30),
    doc: 'The longest session timeout a member of a classic group may ask for; above it INVALID_SESSION_TIMEOUT.',
  }),
  'group.max.size': int({
    default: INT_MAX,
    min: 1,
    doc: 'How many members a classic group may have; a further one gets GROUP_MAX_SIZE_REACHED.',
  }),
  'group.coordinator.rebalance.protocols': listOf(rebalanceProtocols, {
    default: ['classic', 'consumer', 'streams'],
    mayBeEmpty: false,
    doc: 'Which kinds of groups are served, as far as they are built; classic cannot be left out.',
  }),
  'group.coordinator.threads': int({
    default: 4,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How many threads Kafka’s group coordinator has.',
  }),
  'group.coordinator.append.linger.ms': intMs({
    default: -1,
    min: -1,
    effect: 'accepted',
    doc: 'How long Kafka’s coordinator waits for writes to come together; here the group commit does that.',
  }),

  'group.consumer.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    doc: 'After what silence a member of a consumer group (KIP-848) is removed.',
  }),
  'group.consumer.min.session.timeout.ms': intMs({ default: seconds(45), min: 1, doc: 'The least that a group may set for it.' }),
  'group.consumer.max.session.timeout.ms': intMs({ default: seconds(60), min: 1, doc: 'The most that a group may set for it.' }),
  'group.consumer.heartbeat.interval.ms': intMs({ default: seconds(5), min: 1, doc: heartbeats('consumer') }),
  'group.consumer.min.heartbeat.interval.ms': intMs({ default: seconds(5), min: 1, doc: 'The least that a group may set for it.' }),
  'group.consumer.max.heartbeat.interval.ms': intMs({ default: seconds(15), min: 1, doc: 'The most that a group may set for it.' }),
  'group.consumer.max.size': int({ default: INT_MAX, min: 1, doc: 'How many members a consumer group may have.' }),
  'group.consumer.assignors': list({
    default: ['uniform', 'range'],
    mayBeEmpty: false,
    doc: 'The assignors that the coordinator offers to consumer groups; the first serves members that name none.',
  }),
  'group.consumer.migration.policy': oneOf(migrationPolicies, {
    default: 'bidirectional',
    anyCase: true,
    doc: 'Whether a group with members may change between the classic and the consumer protocol.',
  }),

  'group.share.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    effect: 'accepted',
    doc: 'After what silence a member of a share group (KIP-932) is removed.',
  }),
  'group.share.min.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    effect: 'accepted',
    doc: 'The least that a group may set for it.',
  }),
  'group.share.max.session.timeout.ms': intMs({
    default: seconds(60),
    min: 1,
    effect: 'accepted',
    doc: 'The most that a group may set for it.',
  }),
  'group.share.heartbeat.interval.ms': intMs({ default: seconds(5), min: 1, effect: 'accepted', doc: heartbeats('share') }),
  'group.share.min.heartbeat.interval.ms': intMs({
    default: seconds(5),
    min: 1,
    effect: 'accepted',
    doc: 'The least that a group may set for it.',
  }),
  'group.share.max.heartbeat.interval.ms': intMs({
    default: seconds(15),
    min: 1,
    effect: 'accepted',
    doc: 'The most that a group may set for it.',
  }),
  'group.share.max.size': int({
    default: 200,
    min: 1,
    max: 1000,
    effect: 'accepted',
    doc: 'How many members a share group may have.',
  }),
  'group.share.assignors': list({
    default: ['simple'],
    mayBeEmpty: false,
    effect: 'accepted',
    doc: 'The assignor of share groups; exactly one.',
  }),
  'group.share.delivery.count.limit': int({
    default: 5,
    min: 2,
    max: 10,
    effect: 'accepted',
    doc: 'How often a record is delivered to a share group before it is given up.',
  }),
  'group.share.record.lock.duration.ms': intMs({
    default: seconds(30),
    min: 1000,
    max: hours(1),
    effect: 'accepted',
    doc: 'How long a consumer of a share group may hold a record.',
  }),
  'group.share.min.record.lock.duration.ms': intMs({
    default: seconds(15),
    min: 1000,
    max: 30_000,
    effect: 'accepted',
    doc: 'The least that a group may set for it.',
  }),
  'group.share.max.record.lock.duration.ms': intMs({
    default: seconds(60),
    min: 30_000,
    max: hours(1),
    effect: 'accepted',
    doc: 'The most that a group may set for it.',
  }),
  'group.share.partition.max.record.locks': int({
    default: 2000,
    min: 100,
    max: 10_000,
    effect: 'accepted',
    doc: 'How many records of a partition a share group may hold at a time.',
  }),
  'group.share.max.share.sessions': int({
    default: 2000,
    min: 1,
    effect: 'accepted',
    doc: 'How many share sessions the broker remembers.',
  }),

  'group.streams.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    effect: 'accepted',
    doc: 'After what silence a member of a streams group (KIP-1071) is removed.',
  }),
  'group.streams.min.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    effect: 'accepted',
    doc: 'The least that a group may set for it.',
  }),
  'group.streams.max.session.timeout.ms': intMs({
    default: seconds(60),
    min: 1,
    effect: 'accepted',
    doc: 'The most that a group may set for it.',
  }),
  'group.streams.heartbeat.interval.ms': intMs({ default: seconds(5), min: 1, effect: 'accepted', doc: heartbeats('streams') }),
  'group.streams.min.heartbeat.interval.ms': intMs({
    default: seconds(5),
    min: 1,
    effect: 'accepted',
    doc: 'The least that a group may set for it.',
  }),
  'group.streams.max.heartbeat.interval.ms': intMs({
    default: seconds(15),
    min: 1,
    effect: 'accepted',
    doc: 'The most that a group may set for it.',
  }),
  'group.streams.max.size': int({
    default: INT_MAX,
    min: 1,
    effect: 'accepted',
    doc: 'How many members a streams group may have.',
  }),
  'group.streams.num.standby.replicas': int({
    default: 0,
    min: 0,
    effect: 'accepted',
    doc: 'How many standby copies each task of a streams group has.',
  }),
  'group.streams.max.standby.replicas': int({
    default: 2,
    min: 0,
    effect: 'accepted',
    doc: 'The most that a group may set for it.',
  }),
  'group.streams.initial.rebalance.delay.ms': intMs({
    default: seconds(3),
    min: 0,
    effect: 'accepted',
    doc: 'How long the first assignment of a streams group waits for further members.',
  }),

  'share.coordinator.state.topic.num.partitions': int({
    default: 50,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How many partitions __share_group_state would get.',
  }),
  'share.coordinator.state.topic.replication.factor': short({
    default: 1,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How many replicas __share_group_state would get. Ours is 1 where Kafka has 3.',
  }),
  'share.coordinator.state.topic.min.isr': short({
    default: 1,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How many replicas of __share_group_state would have to be in sync. Ours is 1 where Kafka has 2.',
  }),

  'transaction.state.log.num.partitions': int({
    default: 50,
    min: 1,
    importance: 'high',
    doc: 'How many partitions __transaction_state gets when it is made; it must not change later.',
  }),
  'transaction.state.log.replication.factor': short({
    default: 1,
    min: 1,
    importance: 'high',
    doc: 'How many replicas __transaction_state gets. Ours is 1 where Kafka has 3; more than there are brokers is lowered with a notice.',
  }),
  'transaction.state.log.min.isr': int({
    default: 1,
    min: 1,
    importance: 'high',
    doc: 'How many replicas of __transaction_state must be in sync. Ours is 1 where Kafka has 2; it is lowered together with the replicas.',
  }),
  'transaction.state.log.segment.bytes': intBytes({
    default: 100 * MiB,
    min: 1,
    importance: 'high',
    doc: 'The segment size of __transaction_state.',
  }),
  'transaction.state.log.load.buffer.size': intBytes({
    default: 5 * MiB,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How much Kafka reads at a time when it loads transactions.',
  }),
  'transaction.max.timeout.ms': intMs({
    default: minutes(15),
    min: 1,
    importance: 'high',
    doc: 'The longest transaction timeout a producer may ask for; above it INVALID_TRANSACTION_TIMEOUT.',
  }),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': intMs({
    default: seconds(10),
    min: 1,
    importance: 'low',
    doc: 'How often open transactions are looked at for those whose time is over.',
  }),
  'transactional.id.expiration.ms': intMs({
    default: days(7),
    min: 1,
    importance: 'high',
    doc: 'After what time without use a transactional id is forgotten.',
  }),
  'transaction.remove.expired.transaction.cleanup.interval.ms': intMs({
    default: hours(1),
    min: 1,
    importance: 'low',
    doc: 'How often transactional ids are looked at for those to forget.',
  }),
  'transaction.partition.verification.enable': boolean({
    default: true,
    importance: 'low',
    update: 'cluster-wide',
    doc: 'Whether a partition asks the coordinator that a transaction is under way before it takes the first of its records (KIP-890).',
  }),
  'transaction.two.phase.commit.enable': boolean({
    default: false,
    importance: 'low',
    effect: 'accepted',
    doc: 'Whether producers may take part in two-phase commit (KIP-939), which is not built yet.',
  }),
  'producer.id.expiration.ms': intMs({
    default: days(1),
    min: 1,
    importance: 'low',
    update: 'cluster-wide',
    doc: 'After what time without a write a partition forgets a producer and the sequence numbers it has seen from it.',
  }),

  'quota.window.num': int({
    default: 11,
    min: 1,
    importance: 'low',
    effect: 'accepted',
    doc: 'Over how many windows the rates of clients are taken.',
  }),
  'quota.window.size.seconds': int({
    default: 1,
    min: 1,
    unit: 'seconds',
    importance: 'low',
    effect: 'accepted',
    doc: 'How long each of these windows is.',
  }),
});
