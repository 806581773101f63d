// The settings by Kafka’s names, typed. Generated from the tables in src/config by
// node scripts/generate-kafka-config.ts; do not edit.

/** A number of bytes, or one with a unit. */
export type Bytes = number | bigint | `${number}${'B' | 'kB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`;
/** A number in the unit that the name of the setting says, or one with a unit of its own. */
export type Duration = number | bigint | `${number}${'ms' | 's' | 'm' | 'min' | 'h' | 'd' | 'w'}`;

/** Settings of a broker. */
export interface KafkaConfig {
  /** What clients are told to connect to, as NAME://host:port for each listener. Unset, or auto, each connection is told the address at which it arrived. */
  readonly 'advertised.listeners'?: readonly string[] | string | undefined;
  /** Kafka’s authorizer. Access control is not built yet, so anything but empty is refused rather than ignored. */
  readonly 'authorizer.class.name'?: string | undefined;
  /** Whether a topic that a client asks about and allows to be created is created. Default: true. */
  readonly 'auto.create.topics.enable'?: boolean | undefined;
  /** Accepted, without effect. Whether leadership moves back to the preferred replicas by itself. Default: true. */
  readonly 'auto.leader.rebalance.enable'?: boolean | undefined;
  /** The older name of node.id: set either, and the other follows, or both to the same number. Default: 1. */
  readonly 'broker.id'?: number | undefined;
  /** Where this broker stands; clients that say their own rack may prefer it. */
  readonly 'broker.rack'?: string | undefined;
  /** The id of the cluster that a new data directory is made for; unset, one is drawn. An existing directory must carry the same. (Ours: Kafka takes it when the directory is formatted.) */
  readonly 'cluster.id'?: string | undefined;
  /** The level at which the broker compresses where compression.type is gzip. Default: -1. */
  readonly 'compression.gzip.level'?: number | undefined;
  /** The level at which the broker compresses where compression.type is lz4. Default: 9. */
  readonly 'compression.lz4.level'?: number | undefined;
  /** The codec in which batches are stored; producer stores them as they came. Default: producer. */
  readonly 'compression.type'?: 'uncompressed' | 'zstd' | 'lz4' | 'snappy' | 'gzip' | 'producer' | undefined;
  /** The level at which the broker compresses where compression.type is zstd. Default: 3. */
  readonly 'compression.zstd.level'?: number | undefined;
  /** Accepted, without effect. How long the answer to a failed authentication is held back. Default: 100. */
  readonly 'connection.failed.authentication.delay.ms'?: Duration | undefined;
  /** How long a connection may be silent before it is closed. Default: 600000. */
  readonly 'connections.max.idle.ms'?: Duration | undefined;
  /** Accepted, without effect. How long an authenticated session may last before the client has to authenticate again. Default: 0. */
  readonly 'connections.max.reauth.ms'?: Duration | undefined;
  /** Listeners meant for Kafka’s controllers. There are none here, so listeners of these names are not opened. */
  readonly 'controller.listener.names'?: readonly string[] | string | undefined;
  /** How many replicas a topic gets that is created without a number, or by being used. Default: 1. */
  readonly 'default.replication.factor'?: number | undefined;
  /** Whether topics may be deleted; if not, the answer is TOPIC_DELETION_DISABLED. Default: true. */
  readonly 'delete.topic.enable'?: boolean | undefined;
  /** The most that one fetch is answered with, whatever it asked for. Default: 57671680. */
  readonly 'fetch.max.bytes'?: Bytes | undefined;
  /** The assignors that the coordinator offers to consumer groups; the first serves members that name none. Default: uniform,range. */
  readonly 'group.consumer.assignors'?: readonly string[] | string | undefined;
  /** How often members of consumer groups are told to send heartbeats. Default: 5000. */
  readonly 'group.consumer.heartbeat.interval.ms'?: Duration | undefined;
  /** The most that a group may set for it. Default: 15000. */
  readonly 'group.consumer.max.heartbeat.interval.ms'?: Duration | undefined;
  /** The most that a group may set for it. Default: 60000. */
  readonly 'group.consumer.max.session.timeout.ms'?: Duration | undefined;
  /** How many members a consumer group may have. Default: 2147483647. */
  readonly 'group.consumer.max.size'?: number | undefined;
  /** Whether a group with members may change between the classic and the consumer protocol. Default: bidirectional. */
  readonly 'group.consumer.migration.policy'?: 'disabled' | 'downgrade' | 'upgrade' | 'bidirectional' | undefined;
  /** The least that a group may set for it. Default: 5000. */
  readonly 'group.consumer.min.heartbeat.interval.ms'?: Duration | undefined;
  /** The least that a group may set for it. Default: 45000. */
  readonly 'group.consumer.min.session.timeout.ms'?: Duration | undefined;
  /** After what silence a member of a consumer group (KIP-848) is removed. Default: 45000. */
  readonly 'group.consumer.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How long Kafka’s coordinator waits for writes to come together; here the group commit does that. Default: -1. */
  readonly 'group.coordinator.append.linger.ms'?: Duration | undefined;
  /** Which kinds of groups are served, as far as they are built; classic cannot be left out. Default: classic,consumer,streams. */
  readonly 'group.coordinator.rebalance.protocols'?: readonly ('consumer' | 'classic' | 'share' | 'streams')[] | string | undefined;
  /** Accepted, without effect. How many threads Kafka’s group coordinator has. Default: 4. */
  readonly 'group.coordinator.threads'?: number | undefined;
  /** How long the first rebalance of an empty classic group waits for further members. Default: 3000. */
  readonly 'group.initial.rebalance.delay.ms'?: Duration | undefined;
  /** The longest session timeout a member of a classic group may ask for; above it INVALID_SESSION_TIMEOUT. Default: 1800000. */
  readonly 'group.max.session.timeout.ms'?: Duration | undefined;
  /** How many members a classic group may have; a further one gets GROUP_MAX_SIZE_REACHED. Default: 2147483647. */
  readonly 'group.max.size'?: number | undefined;
  /** The shortest session timeout a member of a classic group may ask for; below it INVALID_SESSION_TIMEOUT. Default: 6000. */
  readonly 'group.min.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. The assignor of share groups; exactly one. Default: simple. */
  readonly 'group.share.assignors'?: readonly string[] | string | undefined;
  /** Accepted, without effect. How often a record is delivered to a share group before it is given up. Default: 5. */
  readonly 'group.share.delivery.count.limit'?: number | undefined;
  /** Accepted, without effect. How often members of share groups are told to send heartbeats. Default: 5000. */
  readonly 'group.share.heartbeat.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. The most that a group may set for it. Default: 15000. */
  readonly 'group.share.max.heartbeat.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. The most that a group may set for it. Default: 60000. */
  readonly 'group.share.max.record.lock.duration.ms'?: Duration | undefined;
  /** Accepted, without effect. The most that a group may set for it. Default: 60000. */
  readonly 'group.share.max.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How many share sessions the broker remembers. Default: 2000. */
  readonly 'group.share.max.share.sessions'?: number | undefined;
  /** Accepted, without effect. How many members a share group may have. Default: 200. */
  readonly 'group.share.max.size'?: number | undefined;
  /** Accepted, without effect. The least that a group may set for it. Default: 5000. */
  readonly 'group.share.min.heartbeat.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. The least that a group may set for it. Default: 15000. */
  readonly 'group.share.min.record.lock.duration.ms'?: Duration | undefined;
  /** Accepted, without effect. The least that a group may set for it. Default: 45000. */
  readonly 'group.share.min.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How many records of a partition a share group may hold at a time. Default: 2000. */
  readonly 'group.share.partition.max.record.locks'?: number | undefined;
  /** Accepted, without effect. How long a consumer of a share group may hold a record. Default: 30000. */
  readonly 'group.share.record.lock.duration.ms'?: Duration | undefined;
  /** Accepted, without effect. After what silence a member of a share group (KIP-932) is removed. Default: 45000. */
  readonly 'group.share.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How often members of streams groups are told to send heartbeats. Default: 5000. */
  readonly 'group.streams.heartbeat.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. How long the first assignment of a streams group waits for further members. Default: 3000. */
  readonly 'group.streams.initial.rebalance.delay.ms'?: Duration | undefined;
  /** Accepted, without effect. The most that a group may set for it. Default: 15000. */
  readonly 'group.streams.max.heartbeat.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. The most that a group may set for it. Default: 60000. */
  readonly 'group.streams.max.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How many members a streams group may have. Default: 2147483647. */
  readonly 'group.streams.max.size'?: number | undefined;
  /** Accepted, without effect. The most that a group may set for it. Default: 2. */
  readonly 'group.streams.max.standby.replicas'?: number | undefined;
  /** Accepted, without effect. The least that a group may set for it. Default: 5000. */
  readonly 'group.streams.min.heartbeat.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. The least that a group may set for it. Default: 45000. */
  readonly 'group.streams.min.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How many standby copies each task of a streams group has. Default: 0. */
  readonly 'group.streams.num.standby.replicas'?: number | undefined;
  /** Accepted, without effect. After what silence a member of a streams group (KIP-1071) is removed. Default: 45000. */
  readonly 'group.streams.session.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. The listener over which brokers would talk to each other. */
  readonly 'inter.broker.listener.name'?: string | undefined;
  /** Which protocol each listener name speaks, as NAME:PROTOCOL pairs. Default: SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT. */
  readonly 'listener.security.protocol.map'?: string | undefined;
  /** Where to listen, as NAME://host:port. Without a host every interface is meant, with localhost 127.0.0.1 and ::1; port 0 takes a free one. Unset, only this machine is served, where Kafka would listen on every interface. Default: PLAINTEXT://localhost:9092. */
  readonly listeners?: readonly string[] | string | undefined;
  /** How long the cleaner rests when there is nothing to clean. Default: 15000. */
  readonly 'log.cleaner.backoff.ms'?: Duration | undefined;
  /** How much memory the cleaner may use for the keys of one pass. Default: 134217728. */
  readonly 'log.cleaner.dedupe.buffer.size'?: Bytes | undefined;
  /** How long a delete marker of a compacted topic stays readable after it was cleaned. Default: 86400000. */
  readonly 'log.cleaner.delete.retention.ms'?: Duration | undefined;
  /** Whether compacted topics are cleaned at all. Default: true. */
  readonly 'log.cleaner.enable'?: boolean | undefined;
  /** How full the cleaner lets its table of keys become. Default: 0.9. */
  readonly 'log.cleaner.io.buffer.load.factor'?: number | undefined;
  /** Accepted, without effect. How much memory Kafka’s cleaner reads and writes with. Default: 524288. */
  readonly 'log.cleaner.io.buffer.size'?: Bytes | undefined;
  /** How many bytes per second the cleaner may read and write together. Default: 1.7976931348623157E308. */
  readonly 'log.cleaner.io.max.bytes.per.second'?: number | undefined;
  /** After what time a record of a compacted topic is open to compaction in any case. Default: 9223372036854775807. */
  readonly 'log.cleaner.max.compaction.lag.ms'?: Duration | undefined;
  /** What share of a compacted log must be uncleaned before it is cleaned. Default: 0.5. */
  readonly 'log.cleaner.min.cleanable.ratio'?: number | undefined;
  /** How long a record of a compacted topic is left alone at least. Default: 0. */
  readonly 'log.cleaner.min.compaction.lag.ms'?: Duration | undefined;
  /** Accepted, without effect. How many threads Kafka cleans with; here it is one worker. Default: 1. */
  readonly 'log.cleaner.threads'?: number | undefined;
  /** What happens to old records: delete, compact, both, or with an empty list neither. Default: delete. */
  readonly 'log.cleanup.policy'?: readonly ('compact' | 'delete')[] | string | undefined;
  /** Accepted, without effect. How long Kafka waits for its controller to hear of a failed directory. Default: 30000. */
  readonly 'log.dir.failure.timeout.ms'?: Duration | undefined;
  /** How many records may be acknowledged before a log is synced to the disk. At 1, our default, every acknowledgement waits for the sync; 9223372036854775807 is Kafka’s default and promise. Default: 1. */
  readonly 'log.flush.interval.messages'?: number | bigint | undefined;
  /** How long an acknowledged record may wait for the sync, where log.flush.interval.messages is above 1; unset, log.flush.scheduler.interval.ms decides. */
  readonly 'log.flush.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. How often Kafka notes its recovery points; here they are noted after a second or 64 MiB. Default: 60000. */
  readonly 'log.flush.offset.checkpoint.interval.ms'?: Duration | undefined;
  /** The same, where log.flush.interval.ms is not set. Default: 9223372036854775807. */
  readonly 'log.flush.scheduler.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. How often Kafka notes its log start offsets. Default: 60000. */
  readonly 'log.flush.start.offset.checkpoint.interval.ms'?: Duration | undefined;
  /** How many bytes of records lie between two entries of the offset index. Default: 4096. */
  readonly 'log.index.interval.bytes'?: Bytes | undefined;
  /** Accepted, without effect. The largest size of the index from offsets to positions in a segment. Default: 10485760. */
  readonly 'log.index.size.max.bytes'?: Bytes | undefined;
  /** From what weight on events are written to the broker’s own log. Default: info. */
  readonly 'log.level'?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
  /** Accepted, without effect. With tiered storage, how many bytes of a partition stay on the local disk; -2 follows log.retention.bytes. Default: -2. */
  readonly 'log.local.retention.bytes'?: Bytes | undefined;
  /** Accepted, without effect. With tiered storage, how long records stay on the local disk; -2 follows log.retention.ms. Default: -2. */
  readonly 'log.local.retention.ms'?: Duration | undefined;
  /** How far ahead of the broker’s clock a record’s timestamp may lie. Default: 3600000. */
  readonly 'log.message.timestamp.after.max.ms'?: Duration | undefined;
  /** How far behind the broker’s clock a record’s timestamp may lie. Default: 9223372036854775807. */
  readonly 'log.message.timestamp.before.max.ms'?: Duration | undefined;
  /** Whether records keep the producer’s timestamp or get the time of their append. Default: CreateTime. */
  readonly 'log.message.timestamp.type'?: 'CreateTime' | 'LogAppendTime' | undefined;
  /** Accepted, without effect. Whether a new segment’s file is given its full size at once. Default: false. */
  readonly 'log.preallocate'?: boolean | undefined;
  /** The size beyond which a partition’s oldest segments may go; -1 sets no limit. Default: -1. */
  readonly 'log.retention.bytes'?: Bytes | undefined;
  /** How often logs are looked at for segments that may go. Default: 300000. */
  readonly 'log.retention.check.interval.ms'?: Duration | undefined;
  /** The same in hours, where neither of the finer ones is set. Default: 168. */
  readonly 'log.retention.hours'?: Duration | undefined;
  /** The same in minutes, where log.retention.ms is not set; unset, log.retention.hours decides. */
  readonly 'log.retention.minutes'?: Duration | undefined;
  /** The age at which a segment may go, -1 for never; unset, log.retention.minutes decides. */
  readonly 'log.retention.ms'?: Duration | undefined;
  /** After how many hours the active segment is closed, where log.roll.ms is not set. Default: 168. */
  readonly 'log.roll.hours'?: Duration | undefined;
  /** Accepted, without effect. The same in hours, where log.roll.jitter.ms is not set. Default: 0. */
  readonly 'log.roll.jitter.hours'?: Duration | undefined;
  /** Accepted, without effect. A random time up to this is taken off the time to roll; unset, log.roll.jitter.hours decides. */
  readonly 'log.roll.jitter.ms'?: Duration | undefined;
  /** After what time the active segment is closed even if it is not full; unset, log.roll.hours decides. */
  readonly 'log.roll.ms'?: Duration | undefined;
  /** The size at which the active segment is closed and the next begins. Default: 1073741824. */
  readonly 'log.segment.bytes'?: Bytes | undefined;
  /** Accepted, without effect. How long the file of a deleted segment stays on the disk. Default: 60000. */
  readonly 'log.segment.delete.delay.ms'?: Duration | undefined;
  /** How many connections are accepted per second. Default: 2147483647. */
  readonly 'max.connection.creation.rate'?: number | undefined;
  /** How many connections may be open at a time; further ones are closed at once. Default: 2147483647. */
  readonly 'max.connections'?: number | undefined;
  /** How many connections one address may have open; further ones are closed at once. Default: 2147483647. */
  readonly 'max.connections.per.ip'?: number | undefined;
  /** Other limits for single addresses, as address:count pairs. */
  readonly 'max.connections.per.ip.overrides'?: string | undefined;
  /** How many fetch sessions are remembered (KIP-227); a client beyond them sends its whole list every time. Default: 1000. */
  readonly 'max.incremental.fetch.session.cache.slots'?: number | undefined;
  /** How many partitions one DescribeTopicPartitions answer holds at most. Default: 2000. */
  readonly 'max.request.partition.size.limit'?: number | undefined;
  /** The largest record batch that is taken, compressed as it is stored. Default: 1048588. */
  readonly 'message.max.bytes'?: Bytes | undefined;
  /** How many replicas must be in sync for a write with acks=all. Default: 1. */
  readonly 'min.insync.replicas'?: number | undefined;
  /** The number of this broker in its cluster; clients see it as the leader of partitions. Default: 1. */
  readonly 'node.id'?: number | undefined;
  /** How many partitions a topic gets that is created without a number, or by being used. Default: 1. */
  readonly 'num.partitions'?: number | undefined;
  /** Accepted, without effect. How many threads Kafka recovers a directory with. Default: 2. */
  readonly 'num.recovery.threads.per.data.dir'?: number | undefined;
  /** The longest text that a client may commit beside an offset; a longer one is OFFSET_METADATA_TOO_LARGE. Default: 4096. */
  readonly 'offset.metadata.max.bytes'?: Bytes | undefined;
  /** Accepted, without effect. How long a coordinator’s write would wait for its replicas. Default: 5000. */
  readonly 'offsets.commit.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How much Kafka reads at a time when it loads groups. Default: 5242880. */
  readonly 'offsets.load.buffer.size'?: Bytes | undefined;
  /** How often committed offsets are looked at for those that may go. Default: 600000. */
  readonly 'offsets.retention.check.interval.ms'?: Duration | undefined;
  /** How long committed offsets are kept after their group became empty or left the topic. Default: 10080. */
  readonly 'offsets.retention.minutes'?: Duration | undefined;
  /** Accepted, without effect. The codec id with which Kafka’s coordinator would compress __consumer_offsets. Default: 0. */
  readonly 'offsets.topic.compression.codec'?: number | undefined;
  /** How many partitions __consumer_offsets gets when it is made; groups are spread over them and must not change it later. Default: 50. */
  readonly 'offsets.topic.num.partitions'?: number | undefined;
  /** How many replicas __consumer_offsets gets. Ours is 1 where Kafka has 3; more than there are brokers is lowered with a notice. Default: 1. */
  readonly 'offsets.topic.replication.factor'?: number | undefined;
  /** The segment size of __consumer_offsets: small, so that cleaning keeps loading short. Default: 104857600. */
  readonly 'offsets.topic.segment.bytes'?: Bytes | undefined;
  /** Accepted, without effect. The Java class that names a client’s principal. Java classes cannot be loaded, so only the default is taken. Default: org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder. */
  readonly 'principal.builder.class'?: string | undefined;
  /** After what time without a write a partition forgets a producer and the sequence numbers it has seen from it. Default: 86400000. */
  readonly 'producer.id.expiration.ms'?: Duration | undefined;
  /** How many bytes of requests may be in hand over all connections before no more is read; -1 takes 128 MiB, or a sixteenth of what the container of the program allows, where Kafka sets no limit. Default: -1. */
  readonly 'queued.max.request.bytes'?: Bytes | undefined;
  /** Accepted, without effect. How many requests Kafka queues between its threads; here requests in flight are bounded per connection and by bytes. Default: 500. */
  readonly 'queued.max.requests'?: number | undefined;
  /** Accepted, without effect. Over how many windows the rates of clients are taken. Default: 11. */
  readonly 'quota.window.num'?: number | undefined;
  /** Accepted, without effect. How long each of these windows is. Default: 1. */
  readonly 'quota.window.size.seconds'?: Duration | undefined;
  /** Whether topics may use tiered storage. It is not built yet, so true is refused. Default: false. */
  readonly 'remote.log.storage.system.enable'?: boolean | undefined;
  /** Accepted, without effect. How much of a partition a follower would fetch at a time. Default: 1048576. */
  readonly 'replica.fetch.max.bytes'?: Bytes | undefined;
  /** Accepted, without effect. How often Kafka notes its high watermarks. Default: 5000. */
  readonly 'replica.high.watermark.checkpoint.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. After what silence a follower would count as out of sync. Default: 30000. */
  readonly 'replica.lag.time.max.ms'?: Duration | undefined;
  /** Accepted, without effect. How long this broker would wait for the answer of another. Default: 30000. */
  readonly 'request.timeout.ms'?: Duration | undefined;
  /** Accepted, without effect. How clients may authenticate on SASL listeners. Default: GSSAPI. */
  readonly 'sasl.enabled.mechanisms'?: readonly string[] | string | undefined;
  /** Accepted, without effect. The protocol over which brokers would talk to each other. Default: PLAINTEXT. */
  readonly 'security.inter.broker.protocol'?: string | undefined;
  /** Accepted, without effect. How many replicas of __share_group_state would have to be in sync. Ours is 1 where Kafka has 2. Default: 1. */
  readonly 'share.coordinator.state.topic.min.isr'?: number | undefined;
  /** Accepted, without effect. How many partitions __share_group_state would get. Default: 50. */
  readonly 'share.coordinator.state.topic.num.partitions'?: number | undefined;
  /** Accepted, without effect. How many replicas __share_group_state would get. Ours is 1 where Kafka has 3. Default: 1. */
  readonly 'share.coordinator.state.topic.replication.factor'?: number | undefined;
  /** Accepted, without effect. How many connections may wait to be accepted; the platform’s own number is used. Default: 50. */
  readonly 'socket.listen.backlog.size'?: number | undefined;
  /** Accepted, without effect. The receive buffer of a socket; the operating system’s own is used. Default: 102400. */
  readonly 'socket.receive.buffer.bytes'?: Bytes | undefined;
  /** The largest request that is read; a connection that announces a larger one is closed before anything is allocated. Default: 104857600. */
  readonly 'socket.request.max.bytes'?: Bytes | undefined;
  /** Accepted, without effect. The send buffer of a socket; the operating system’s own is used. Default: 102400. */
  readonly 'socket.send.buffer.bytes'?: Bytes | undefined;
  /** How much memory the tail cache may hold: the newest batches, which consumers that keep up read without touching the disk. Unset, a program in a container takes no more than a sixteenth of what that allows. Default: 67108864. */
  readonly 'storage.cache.bytes'?: Bytes | undefined;
  /** Log dirs that are gone for good, by the directory.id that the refused start named. Their partitions begin again, empty; without this a start is refused when a log dir is missing. */
  readonly 'storage.lost.log.dirs'?: readonly string[] | string | undefined;
  /** How many files of logs may be open at a time; 0 takes what the process is allowed, less a reserve. Default: 0. */
  readonly 'storage.open.files.max'?: number | undefined;
  /** Whether a topic that asks for more replicas than there are brokers gets as many as there are; if not, it is refused with INVALID_REPLICATION_FACTOR, as Kafka does. Default: false. */
  readonly 'storage.replication.factor.clamp'?: boolean | undefined;
  /** How much room is kept on the disk of each log dir for the time when it is full: committed offsets, metadata and a clean stop are still written then. 0 keeps none. Default: 4194304. */
  readonly 'storage.reserve.bytes'?: Bytes | undefined;
  /** Accepted, without effect. Principals that may do everything, as User:name separated by semicolons. */
  readonly 'super.users'?: string | undefined;
  /** Accepted, without effect. The largest report of its own metrics that a client may push (KIP-714). Default: 1048576. */
  readonly 'telemetry.max.bytes'?: Bytes | undefined;
  /** How often open transactions are looked at for those whose time is over. Default: 10000. */
  readonly 'transaction.abort.timed.out.transaction.cleanup.interval.ms'?: Duration | undefined;
  /** The longest transaction timeout a producer may ask for; above it INVALID_TRANSACTION_TIMEOUT. Default: 900000. */
  readonly 'transaction.max.timeout.ms'?: Duration | undefined;
  /** Whether a partition asks the coordinator that a transaction is under way before it takes the first of its records (KIP-890). Default: true. */
  readonly 'transaction.partition.verification.enable'?: boolean | undefined;
  /** How often transactional ids are looked at for those to forget. Default: 3600000. */
  readonly 'transaction.remove.expired.transaction.cleanup.interval.ms'?: Duration | undefined;
  /** Accepted, without effect. How much Kafka reads at a time when it loads transactions. Default: 5242880. */
  readonly 'transaction.state.log.load.buffer.size'?: Bytes | undefined;
  /** How many replicas of __transaction_state must be in sync. Ours is 1 where Kafka has 2; it is lowered together with the replicas. Default: 1. */
  readonly 'transaction.state.log.min.isr'?: number | undefined;
  /** How many partitions __transaction_state gets when it is made; it must not change later. Default: 50. */
  readonly 'transaction.state.log.num.partitions'?: number | undefined;
  /** How many replicas __transaction_state gets. Ours is 1 where Kafka has 3; more than there are brokers is lowered with a notice. Default: 1. */
  readonly 'transaction.state.log.replication.factor'?: number | undefined;
  /** The segment size of __transaction_state. Default: 104857600. */
  readonly 'transaction.state.log.segment.bytes'?: Bytes | undefined;
  /** Accepted, without effect. Whether producers may take part in two-phase commit (KIP-939), which is not built yet. Default: false. */
  readonly 'transaction.two.phase.commit.enable'?: boolean | undefined;
  /** After what time without use a transactional id is forgotten. Default: 604800000. */
  readonly 'transactional.id.expiration.ms'?: Duration | undefined;
  /** Accepted, without effect. Whether a replica that is not in sync may become leader when no other is left. Default: false. */
  readonly 'unclean.leader.election.enable'?: boolean | undefined;
}

/** Settings of a topic; what is left out follows the broker. */
export interface KafkaTopicConfig {
  /** What happens to old records: delete drops segments past the retention limits, compact keeps the latest record of every key; both may be set, and an empty list keeps everything. Default: delete. */
  readonly 'cleanup.policy'?: readonly ('compact' | 'delete')[] | string | undefined;
  /** The level at which the broker compresses where compression.type is gzip; -1 leaves it to the library. Default: -1. */
  readonly 'compression.gzip.level'?: number | undefined;
  /** The level at which the broker compresses where compression.type is lz4. Default: 9. */
  readonly 'compression.lz4.level'?: number | undefined;
  /** The codec in which batches are stored; producer stores them as they came, any other rewrites those that came differently. Default: producer. */
  readonly 'compression.type'?: 'uncompressed' | 'zstd' | 'lz4' | 'snappy' | 'gzip' | 'producer' | undefined;
  /** The level at which the broker compresses where compression.type is zstd. Default: 3. */
  readonly 'compression.zstd.level'?: number | undefined;
  /** How long a delete marker of a compacted topic stays readable after it was cleaned, so that a reader from the beginning still meets it. Default: 86400000. */
  readonly 'delete.retention.ms'?: Duration | undefined;
  /** Accepted, without effect. How long the file of a deleted segment stays on the disk after it left the log. Default: 60000. */
  readonly 'file.delete.delay.ms'?: Duration | undefined;
  /** How many records may be acknowledged before the log is synced to the disk. At 1, our default, an acknowledgement waits for the sync; 9223372036854775807, the default of Kafka, never syncs because of the number. Default: 1. */
  readonly 'flush.messages'?: number | bigint | undefined;
  /** How long an acknowledged record may wait for the sync to the disk, where flush.messages is above 1. Default: 9223372036854775807. */
  readonly 'flush.ms'?: Duration | undefined;
  /** Accepted, without effect. The replicas whose catching up is throttled on the follower: partition:broker pairs, or * for all. */
  readonly 'follower.replication.throttled.replicas'?: readonly string[] | string | undefined;
  /** How many bytes of records lie between two entries of the offset index: fewer make lookups exact, more make the index small. Default: 4096. */
  readonly 'index.interval.bytes'?: Bytes | undefined;
  /** Accepted, without effect. The replicas whose catching up is throttled on the leader: partition:broker pairs, or * for all. */
  readonly 'leader.replication.throttled.replicas'?: readonly string[] | string | undefined;
  /** Accepted, without effect. With tiered storage, how many bytes of a partition stay on the local disk; -2 follows retention.bytes. Default: -2. */
  readonly 'local.retention.bytes'?: Bytes | undefined;
  /** Accepted, without effect. With tiered storage, how long records stay on the local disk; -2 follows retention.ms. Default: -2. */
  readonly 'local.retention.ms'?: Duration | undefined;
  /** After what time a record of a compacted topic is open to compaction in any case; the active segment rolls in time for it. Default: 9223372036854775807. */
  readonly 'max.compaction.lag.ms'?: Duration | undefined;
  /** The largest record batch that is taken, compressed as it is stored; a larger one is refused with MESSAGE_TOO_LARGE. Default: 1048588. */
  readonly 'max.message.bytes'?: Bytes | undefined;
  /** How far ahead of the broker’s clock a record’s timestamp may lie before INVALID_TIMESTAMP; unused with LogAppendTime. Default: 3600000. */
  readonly 'message.timestamp.after.max.ms'?: Duration | undefined;
  /** How far behind the broker’s clock a record’s timestamp may lie before INVALID_TIMESTAMP; unused with LogAppendTime. Default: 9223372036854775807. */
  readonly 'message.timestamp.before.max.ms'?: Duration | undefined;
  /** Whether records keep the producer’s timestamp or get the time of their append. Default: CreateTime. */
  readonly 'message.timestamp.type'?: 'CreateTime' | 'LogAppendTime' | undefined;
  /** What share of a compacted log must be uncleaned before it is cleaned: lower saves space, higher saves work. Default: 0.5. */
  readonly 'min.cleanable.dirty.ratio'?: number | undefined;
  /** How long a record of a compacted topic is left alone at least. Default: 0. */
  readonly 'min.compaction.lag.ms'?: Duration | undefined;
  /** How many replicas must be in sync for a write with acks=all; with fewer it is refused with NOT_ENOUGH_REPLICAS. Default: 1. */
  readonly 'min.insync.replicas'?: number | undefined;
  /** Accepted, without effect. Whether a new segment’s file is given its full size at once. Default: false. */
  readonly preallocate?: boolean | undefined;
  /** Accepted, without effect. With tiered storage, whether copying to it has stopped while what is there stays readable. Default: false. */
  readonly 'remote.log.copy.disable'?: boolean | undefined;
  /** Accepted, without effect. Whether switching tiered storage off deletes what it holds. Default: false. */
  readonly 'remote.log.delete.on.disable'?: boolean | undefined;
  /** Accepted, without effect. Whether the topic uses tiered storage, which must be on in the broker; it is not built yet, so true is refused. Default: false. */
  readonly 'remote.storage.enable'?: boolean | undefined;
  /** The size beyond which a partition’s oldest segments may go; -1 sets no limit. Default: -1. */
  readonly 'retention.bytes'?: Bytes | undefined;
  /** The age at which a segment may go, counted from its newest record; -1 keeps all. Default: 604800000. */
  readonly 'retention.ms'?: Duration | undefined;
  /** The size at which the active segment is closed and the next begins; retention and compaction work on whole segments. Default: 1073741824. */
  readonly 'segment.bytes'?: Bytes | undefined;
  /** Accepted, without effect. The largest size of the index from offsets to positions in a segment. Default: 10485760. */
  readonly 'segment.index.bytes'?: Bytes | undefined;
  /** Accepted, without effect. A random time up to this is taken off segment.ms, so that segments do not all roll at once. Default: 0. */
  readonly 'segment.jitter.ms'?: Duration | undefined;
  /** After what time the active segment is closed even if it is not full, so that retention can reach it. Default: 604800000. */
  readonly 'segment.ms'?: Duration | undefined;
  /** Accepted, without effect. Whether a replica that is not in sync may become leader when no other is left, at the price of lost records. Default: false. */
  readonly 'unclean.leader.election.enable'?: boolean | undefined;
}
