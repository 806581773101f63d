import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerConfigs, checkDynamicBrokerConfigs, resolveBrokerConfig } from './broker-configs.ts';
import { parseConnectionOverrides } from './broker-rules.ts';
import { ConfigError } from './config-value.ts';
import { topicConfigs } from './topic-configs.ts';

const texts = (settings: Record<string, string>) => new Map(Object.entries(settings));
const broker = (settings: Record<string, string>) => resolveBrokerConfig({ static: texts(settings) });

/** Kafka 4.2: name, type, default, validator, importance, whether it may change while the broker runs; read from the published jars' KafkaConfig. */
const kafkaBrokerConfigs = `
advertised.listeners|list|null||high|fixed
authorizer.class.name|string|||low|fixed
auto.create.topics.enable|boolean|true||high|fixed
auto.leader.rebalance.enable|boolean|true||high|fixed
broker.id|int|-1||high|fixed
broker.rack|string|null||medium|fixed
compression.gzip.level|int|-1|[1,...,9] or -1|medium|dynamic
compression.lz4.level|int|9|[1,...,17]|medium|dynamic
compression.type|string|producer|[uncompressed, zstd, lz4, snappy, gzip, producer]|high|dynamic
compression.zstd.level|int|3|[-131072,...,22]|medium|dynamic
connection.failed.authentication.delay.ms|int|100|[0,...]|low|fixed
connections.max.idle.ms|long|600000||medium|fixed
connections.max.reauth.ms|long|0||medium|fixed
controller.listener.names|list|required||high|fixed
default.replication.factor|int|1||medium|fixed
delete.topic.enable|boolean|true||high|fixed
fetch.max.bytes|int|57671680|[1024,...]|medium|fixed
group.consumer.assignors|list|uniform,range||medium|fixed
group.consumer.heartbeat.interval.ms|int|5000|[1,...]|medium|fixed
group.consumer.max.heartbeat.interval.ms|int|15000|[1,...]|medium|fixed
group.consumer.max.session.timeout.ms|int|60000|[1,...]|medium|fixed
group.consumer.max.size|int|2147483647|[1,...]|medium|fixed
group.consumer.migration.policy|string|bidirectional|(case insensitive) [DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL]|medium|fixed
group.consumer.min.heartbeat.interval.ms|int|5000|[1,...]|medium|fixed
group.consumer.min.session.timeout.ms|int|45000|[1,...]|medium|fixed
group.consumer.session.timeout.ms|int|45000|[1,...]|medium|fixed
group.coordinator.append.linger.ms|int|-1|[-1,...]|medium|fixed
group.coordinator.rebalance.protocols|list|classic,consumer,streams|[consumer, classic, share, streams]|medium|fixed
group.coordinator.threads|int|4|[1,...]|high|fixed
group.initial.rebalance.delay.ms|int|3000||medium|fixed
group.max.session.timeout.ms|int|1800000||medium|fixed
group.max.size|int|2147483647|[1,...]|medium|fixed
group.min.session.timeout.ms|int|6000||medium|fixed
group.share.assignors|list|simple||medium|fixed
group.share.delivery.count.limit|int|5|[2,...,10]|medium|fixed
group.share.heartbeat.interval.ms|int|5000|[1,...]|medium|fixed
group.share.max.heartbeat.interval.ms|int|15000|[1,...]|medium|fixed
group.share.max.record.lock.duration.ms|int|60000|[30000,...,3600000]|medium|fixed
group.share.max.session.timeout.ms|int|60000|[1,...]|medium|fixed
group.share.max.share.sessions|int|2000|[1,...]|medium|fixed
group.share.max.size|int|200|[1,...,1000]|medium|fixed
group.share.min.heartbeat.interval.ms|int|5000|[1,...]|medium|fixed
group.share.min.record.lock.duration.ms|int|15000|[1000,...,30000]|medium|fixed
group.share.min.session.timeout.ms|int|45000|[1,...]|medium|fixed
group.share.partition.max.record.locks|int|2000|[100,...,10000]|medium|fixed
group.share.record.lock.duration.ms|int|30000|[1000,...,3600000]|medium|fixed
group.share.session.timeout.ms|int|45000|[1,...]|medium|fixed
group.streams.heartbeat.interval.ms|int|5000|[1,...]|medium|fixed
group.streams.initial.rebalance.delay.ms|int|3000|[0,...]|medium|fixed
group.streams.max.heartbeat.interval.ms|int|15000|[1,...]|medium|fixed
group.streams.max.session.timeout.ms|int|60000|[1,...]|medium|fixed
group.streams.max.size|int|2147483647|[1,...]|medium|fixed
group.streams.max.standby.replicas|int|2|[0,...]|medium|fixed
group.streams.min.heartbeat.interval.ms|int|5000|[1,...]|medium|fixed
group.streams.min.session.timeout.ms|int|45000|[1,...]|medium|fixed
group.streams.num.standby.replicas|int|0|[0,...]|medium|fixed
group.streams.session.timeout.ms|int|45000|[1,...]|medium|fixed
inter.broker.listener.name|string|null||medium|fixed
listener.security.protocol.map|string|SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT||low|dynamic
listeners|list|PLAINTEXT://:9092||high|dynamic
log.cleaner.backoff.ms|long|15000|[0,...]|medium|dynamic
log.cleaner.dedupe.buffer.size|long|134217728||medium|dynamic
log.cleaner.delete.retention.ms|long|86400000|[0,...]|medium|dynamic
log.cleaner.enable|boolean|true||medium|fixed
log.cleaner.io.buffer.load.factor|double|0.9||medium|dynamic
log.cleaner.io.buffer.size|int|524288|[0,...]|medium|dynamic
log.cleaner.io.max.bytes.per.second|double|1.7976931348623157E308||medium|dynamic
log.cleaner.max.compaction.lag.ms|long|9223372036854775807|[1,...]|medium|dynamic
log.cleaner.min.cleanable.ratio|double|0.5|[0,...,1]|medium|dynamic
log.cleaner.min.compaction.lag.ms|long|0|[0,...]|medium|dynamic
log.cleaner.threads|int|1|[0,...]|medium|dynamic
log.cleanup.policy|list|delete|[compact, delete]|medium|dynamic
log.dir|list|/tmp/kafka-logs||high|fixed
log.dir.failure.timeout.ms|long|30000|[1,...]|low|fixed
log.dirs|list|null||high|fixed
log.flush.interval.messages|long|9223372036854775807|[1,...]|high|dynamic
log.flush.interval.ms|long|null||high|dynamic
log.flush.offset.checkpoint.interval.ms|int|60000|[0,...]|high|fixed
log.flush.scheduler.interval.ms|long|9223372036854775807||high|fixed
log.flush.start.offset.checkpoint.interval.ms|int|60000|[0,...]|high|fixed
log.index.interval.bytes|int|4096|[0,...]|medium|dynamic
log.index.size.max.bytes|int|10485760|[4,...]|medium|dynamic
log.local.retention.bytes|long|-2|[-2,...]|medium|dynamic
log.local.retention.ms|long|-2|[-2,...]|medium|dynamic
log.message.timestamp.after.max.ms|long|3600000|[0,...]|medium|dynamic
log.message.timestamp.before.max.ms|long|9223372036854775807|[0,...]|medium|dynamic
log.message.timestamp.type|string|CreateTime|[CreateTime, LogAppendTime]|medium|dynamic
log.preallocate|boolean|false||medium|dynamic
log.retention.bytes|long|-1||high|dynamic
log.retention.check.interval.ms|long|300000|[1,...]|medium|fixed
log.retention.hours|int|168||high|fixed
log.retention.minutes|int|null||high|fixed
log.retention.ms|long|null||high|dynamic
log.roll.hours|int|168|[1,...]|high|fixed
log.roll.jitter.hours|int|0|[0,...]|high|fixed
log.roll.jitter.ms|long|null||high|dynamic
log.roll.ms|long|null||high|dynamic
log.segment.bytes|int|1073741824|[1048576,...]|high|dynamic
log.segment.delete.delay.ms|long|60000|[0,...]|high|dynamic
max.connection.creation.rate|int|2147483647|[0,...]|medium|dynamic
max.connections|int|2147483647|[0,...]|medium|dynamic
max.connections.per.ip|int|2147483647|[0,...]|medium|dynamic
max.connections.per.ip.overrides|string|||medium|dynamic
max.incremental.fetch.session.cache.slots|int|1000|[0,...]|medium|fixed
max.request.partition.size.limit|int|2000|[1,...]|medium|fixed
message.max.bytes|int|1048588|[0,...]|high|dynamic
min.insync.replicas|int|1|[1,...]|high|dynamic
node.id|int|required|[0,...]|high|fixed
num.partitions|int|1|[1,...]|medium|fixed
num.recovery.threads.per.data.dir|int|2|[1,...]|high|dynamic
offset.metadata.max.bytes|int|4096||high|fixed
offsets.commit.timeout.ms|int|5000|[1,...]|high|fixed
offsets.load.buffer.size|int|5242880|[1,...]|high|fixed
offsets.retention.check.interval.ms|long|600000|[1,...]|high|fixed
offsets.retention.minutes|int|10080|[1,...]|high|fixed
offsets.topic.compression.codec|int|0||high|fixed
offsets.topic.num.partitions|int|50|[1,...]|high|fixed
offsets.topic.replication.factor|short|3|[1,...]|high|fixed
offsets.topic.segment.bytes|int|104857600|[1,...]|high|fixed
principal.builder.class|class|org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder||medium|dynamic
producer.id.expiration.ms|int|86400000|[1,...]|low|dynamic
queued.max.request.bytes|long|-1||medium|fixed
queued.max.requests|int|500|[1,...]|high|fixed
quota.window.num|int|11|[1,...]|low|fixed
quota.window.size.seconds|int|1|[1,...]|low|fixed
remote.log.storage.system.enable|boolean|false||medium|fixed
replica.fetch.max.bytes|int|1048576|[0,...]|medium|fixed
replica.high.watermark.checkpoint.interval.ms|long|5000||high|fixed
replica.lag.time.max.ms|long|30000||high|fixed
request.timeout.ms|int|30000||high|fixed
sasl.enabled.mechanisms|list|GSSAPI||medium|dynamic
security.inter.broker.protocol|string|PLAINTEXT|[PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL]|medium|fixed
share.coordinator.state.topic.min.isr|short|2|[1,...]|high|fixed
share.coordinator.state.topic.num.partitions|int|50|[1,...]|high|fixed
share.coordinator.state.topic.replication.factor|short|3|[1,...]|high|fixed
socket.listen.backlog.size|int|50|[1,...]|medium|fixed
socket.receive.buffer.bytes|int|102400||high|fixed
socket.request.max.bytes|int|104857600|[1,...]|high|fixed
socket.send.buffer.bytes|int|102400||high|fixed
telemetry.max.bytes|int|1048576|[1,...]|low|fixed
transaction.abort.timed.out.transaction.cleanup.interval.ms|int|10000|[1,...]|low|fixed
transaction.max.timeout.ms|int|900000|[1,...]|high|fixed
transaction.partition.verification.enable|boolean|true||low|dynamic
transaction.remove.expired.transaction.cleanup.interval.ms|int|3600000|[1,...]|low|fixed
transaction.state.log.load.buffer.size|int|5242880|[1,...]|high|fixed
transaction.state.log.min.isr|int|2|[1,...]|high|fixed
transaction.state.log.num.partitions|int|50|[1,...]|high|fixed
transaction.state.log.replication.factor|short|3|[1,...]|high|fixed
transaction.state.log.segment.bytes|int|104857600|[1,...]|high|fixed
transaction.two.phase.commit.enable|boolean|false||low|fixed
transactional.id.expiration.ms|int|604800000|[1,...]|high|fixed
unclean.leader.election.enable|boolean|false||high|dynamic
`;

/** Where we differ, and why in the row's documentation. */
const ourDefaults: Record<string, string> = {
  'broker.id': '1',
  'controller.listener.names': '',
  listeners: 'PLAINTEXT://localhost:9092',
  'log.dir': 'null',
  'log.flush.interval.messages': '1',
  'node.id': '1',
  'offsets.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.replication.factor': '1',
};
/** Dynamic in Kafka, fixed here: sockets are not reopened while the broker runs, and security is not built. */
const fixedHere = ['listeners', 'listener.security.protocol.map', 'principal.builder.class', 'sasl.enabled.mechanisms'];
/** Names that Kafka's table of settings does not have. */
const ours = [
  'cluster.id',
  'log.level',
  'storage.cache.bytes',
  'storage.lost.log.dirs',
  'storage.open.files.max',
  'storage.replication.factor.clamp',
  'storage.reserve.bytes',
  'super.users',
];

test('the broker settings have the types, defaults, bounds, importance and dynamics of Kafka 4.2, but for a short list', () => {
  const expected = kafkaBrokerConfigs
    .trim()
    .split('\n')
    .map((fact) => {
      const [name = '', type, value, valid, importance, dynamic] = fact.split('|');
      return [name, type, name in ourDefaults ? ourDefaults[name] : value, valid, importance, fixedHere.includes(name) ? 'fixed' : dynamic];
    });
  const rows = Object.values(brokerConfigs).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(
    rows.filter(({ name }) => ours.includes(name)).map(({ name }) => name),
    ours,
  );
  const known = rows.filter(({ name }) => !ours.includes(name));
  for (const [index, row] of known.entries())
    assert.deepEqual(
      [row.name, row.type, row.defaultText ?? 'null', row.valid, row.importance, row.update === 'read-only' ? 'fixed' : 'dynamic'],
      expected[index],
    );
  assert.equal(known.length, expected.length);
});

test('every default of a row lies within the row’s own bounds, and the text and the number agree', () => {
  for (const row of [...Object.values(brokerConfigs), ...Object.values(topicConfigs)]) {
    row.check(row.name, row.default, row.defaultText ?? 'null');
    if (typeof row.default === 'number' && Math.abs(row.default) < Number.MAX_SAFE_INTEGER)
      assert.equal(Number(row.defaultText), row.default, row.name);
    assert.match(row.doc, /[.]$|[.]\)$/, row.name);
  }
});

test('every broker setting that a topic or group follows exists and has the same type of value', () => {
  for (const row of Object.values(topicConfigs))
    for (const { name } of row.synonyms) {
      assert.ok(name in brokerConfigs, name);
      const followed = brokerConfigs[name as keyof typeof brokerConfigs];
      assert.equal(followed.type === 'int' ? 'long' : followed.type, row.type === 'int' ? 'long' : row.type, name);
      assert.equal(followed.effect, row.effect, `${row.name} and ${name} should say the same about their effect`);
    }
});

test('stronger levels win: one broker, all brokers, started with, default', () => {
  const config = resolveBrokerConfig({
    static: texts({ 'message.max.bytes': '3', 'max.connections': '3', 'log.retention.ms': '3' }),
    dynamicDefault: texts({ 'message.max.bytes': '2', 'max.connections': '2' }),
    dynamicBroker: texts({ 'message.max.bytes': '1' }),
  });
  assert.equal(config['message.max.bytes'], 1);
  assert.equal(config['max.connections'], 2);
  assert.equal(config['log.retention.ms'], 3);
  assert.equal(config['fetch.max.bytes'], 57_671_680);
});

test('node.id and broker.id follow each other and may not contradict', () => {
  assert.deepEqual([broker({})['node.id'], broker({})['broker.id']], [1, 1]);
  assert.deepEqual([broker({ 'node.id': '4' })['node.id'], broker({ 'node.id': '4' })['broker.id']], [4, 4]);
  assert.deepEqual([broker({ 'broker.id': '5' })['node.id'], broker({ 'broker.id': '5' })['broker.id']], [5, 5]);
  assert.throws(
    () => broker({ 'node.id': '1', 'broker.id': '7' }),
    new ConfigError('You must set `node.id` to the same value as `broker.id`.'),
  );
  assert.throws(() => broker({ 'broker.id': '-1' }), ConfigError);
});

/** Mostly what the published 4.2 jars say to these settings. */
const contradictions: readonly [settings: Record<string, string>, message: string][] = [
  [{ 'queued.max.request.bytes': '5' }, 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes'],
  [
    { 'max.connections.per.ip': '0' },
    'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
  ],
  [{ 'log.retention.ms': '0' }, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
  [{ 'log.retention.hours': '0' }, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
  [{ 'log.roll.ms': '0' }, 'log.roll.ms must be greater than or equal to 1'],
  [{ 'log.roll.jitter.ms': '-1' }, 'log.roll.jitter.ms must be greater than or equal to 0'],
  [{ 'log.cleaner.dedupe.buffer.size': '1000' }, 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.'],
  [
    { 'log.cleaner.min.compaction.lag.ms': '10', 'log.cleaner.max.compaction.lag.ms': '5' },
    'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
  ],
  [{ 'max.connections.per.ip.overrides': 'a!b:3' }, 'max.connections.per.ip.overrides contains invalid addresses : a!b'],
  [
    { 'connection.failed.authentication.delay.ms': '700000' },
    'connection.failed.authentication.delay.ms=700000 should always be less than connections.max.idle.ms=600000 to prevent failed authentication responses from timing out',
  ],
  [{ 'group.consumer.assignors': 'range,sticky' }, 'group.consumer.assignors offers uniform and range, and no sticky'],
  [{ 'group.coordinator.rebalance.protocols': 'consumer' }, "Disabling the 'classic' protocol is not supported."],
  [
    { 'group.min.session.timeout.ms': '2000000' },
    'group.max.session.timeout.ms must be greater than or equal to group.min.session.timeout.ms',
  ],
  [
    { 'group.consumer.session.timeout.ms': '1000' },
    'group.consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
  ],
  [
    { 'group.streams.heartbeat.interval.ms': '20000' },
    'group.streams.heartbeat.interval.ms must be less than or equal to group.streams.max.heartbeat.interval.ms',
  ],
  [
    { 'group.share.heartbeat.interval.ms': '9000', 'group.share.session.timeout.ms': '9000', 'group.share.min.session.timeout.ms': '9' },
    'group.share.heartbeat.interval.ms must be less than group.share.session.timeout.ms',
  ],
  [
    { 'group.share.min.record.lock.duration.ms': '20000', 'group.share.record.lock.duration.ms': '15000' },
    'group.share.record.lock.duration.ms must be greater than or equal to group.share.min.record.lock.duration.ms',
  ],
  [{ 'group.share.assignors': 'simple,other' }, 'group.share.assignors must contain exactly one assignor, but found 2'],
  [
    { 'group.consumer.migration.policy': 'foo' },
    'Invalid value foo for configuration group.consumer.migration.policy: String must be one of (case insensitive): DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL',
  ],
  [
    { 'offsets.topic.replication.factor': '40000' },
    'Invalid value 40000 for configuration offsets.topic.replication.factor: Not a number of type SHORT',
  ],
  [{ 'log.dirs': '' }, "Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value"],
  [{ 'log.dirs': '/a,,/b' }, "Configuration 'log.dirs' values must not be empty."],
  [
    { 'group.coordinator.rebalance.protocols': '' },
    "Configuration 'group.coordinator.rebalance.protocols' must not be empty. Valid values include: [consumer, classic, share, streams]",
  ],
];

for (const [settings, message] of contradictions) {
  test(`${Object.entries(settings)
    .map((pair) => pair.join('='))
    .join(', ')} does not start a broker`, () => {
    assert.throws(() => broker(settings), new ConfigError(message));
  });
}

test('settings that promise protection we do not have are refused, not ignored', () => {
  assert.throws(() => broker({ 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' }), /not built yet/);
  assert.throws(() => broker({ 'principal.builder.class': 'com.example.Principals' }), /Java class/);
  assert.throws(() => broker({ 'remote.log.storage.system.enable': 'true' }), /not built yet/);
  broker({ 'authorizer.class.name': '', 'remote.log.storage.system.enable': 'false' });
});

test('limits of single addresses are address:count pairs, with the count after the last colon', () => {
  assert.deepEqual(
    [...parseConnectionOverrides('127.0.0.1:5 , ::1:7,host:0')],
    [
      ['127.0.0.1', 5],
      ['::1', 7],
      ['host', 0],
    ],
  );
  assert.deepEqual([...parseConnectionOverrides('')], []);
  assert.throws(() => parseConnectionOverrides('a'), /not of the form address:count/);
  assert.throws(() => parseConnectionOverrides('a:b'), /not of the form address:count/);
});

test('a running broker takes changes of dynamic settings only, and only if all settings still fit together', () => {
  const levels = { static: texts({ 'log.cleaner.max.compaction.lag.ms': '100' }) };
  const change = (settings: Record<string, string>) => () => checkDynamicBrokerConfigs(texts(settings), levels, 'all-brokers');
  change({ 'log.retention.ms': '5', 'my.plugin.setting': 'x' })();
  assert.throws(change({ 'num.partitions': '5' }), new ConfigError('Cannot update these configs dynamically: Set(num.partitions)'));
  assert.throws(
    change({ 'log.retention.ms': 'x' }),
    new ConfigError('Invalid value x for configuration log.retention.ms: Not a number of type LONG'),
  );
  assert.throws(change({ 'log.cleaner.min.compaction.lag.ms': '101' }), /conflict topic config setting/);
});
