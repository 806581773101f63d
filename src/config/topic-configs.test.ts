import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveBrokerConfig } from './broker-configs.ts';
import { ConfigError } from './config-value.ts';
import { checkTopicConfigs, resolveTopicConfig, topicConfigs } from './topic-configs.ts';

const broker = (settings: Record<string, string> = {}) => resolveBrokerConfig({ static: new Map(Object.entries(settings)) });
const overrides = (settings: Record<string, string>) => new Map(Object.entries(settings));
const resolved = (settings: Record<string, string>, topic: Record<string, string> = {}) =>
  resolveTopicConfig(broker(settings), overrides(topic));

/** Kafka 4.2: name, type, default, validator, broker settings it follows; read from the published jars' LogConfig. */
const kafkaTopicConfigs = `
cleanup.policy|list|delete|[compact, delete]|log.cleanup.policy
compression.gzip.level|int|-1|[1,...,9] or -1|compression.gzip.level
compression.lz4.level|int|9|[1,...,17]|compression.lz4.level
compression.type|string|producer|[uncompressed, zstd, lz4, snappy, gzip, producer]|compression.type
compression.zstd.level|int|3|[-131072,...,22]|compression.zstd.level
delete.retention.ms|long|86400000|[0,...]|log.cleaner.delete.retention.ms
file.delete.delay.ms|long|60000|[0,...]|log.segment.delete.delay.ms
flush.messages|long|9223372036854775807|[1,...]|log.flush.interval.messages
flush.ms|long|9223372036854775807|[0,...]|log.flush.interval.ms,log.flush.scheduler.interval.ms
follower.replication.throttled.replicas|list||[partitionId]:[brokerId],[partitionId]:[brokerId],...|
index.interval.bytes|int|4096|[0,...]|log.index.interval.bytes
leader.replication.throttled.replicas|list||[partitionId]:[brokerId],[partitionId]:[brokerId],...|
local.retention.bytes|long|-2|[-2,...]|log.local.retention.bytes
local.retention.ms|long|-2|[-2,...]|log.local.retention.ms
max.compaction.lag.ms|long|9223372036854775807|[1,...]|log.cleaner.max.compaction.lag.ms
max.message.bytes|int|1048588|[0,...]|message.max.bytes
message.timestamp.after.max.ms|long|3600000|[0,...]|log.message.timestamp.after.max.ms
message.timestamp.before.max.ms|long|9223372036854775807|[0,...]|log.message.timestamp.before.max.ms
message.timestamp.type|string|CreateTime|[CreateTime, LogAppendTime]|log.message.timestamp.type
min.cleanable.dirty.ratio|double|0.5|[0,...,1]|log.cleaner.min.cleanable.ratio
min.compaction.lag.ms|long|0|[0,...]|log.cleaner.min.compaction.lag.ms
min.insync.replicas|int|1|[1,...]|min.insync.replicas
preallocate|boolean|false||log.preallocate
remote.log.copy.disable|boolean|false||
remote.log.delete.on.disable|boolean|false||
remote.storage.enable|boolean|false||
retention.bytes|long|-1||log.retention.bytes
retention.ms|long|604800000|[-1,...]|log.retention.ms,log.retention.minutes,log.retention.hours
segment.bytes|int|1073741824|[1048576,...]|log.segment.bytes
segment.index.bytes|int|10485760|[4,...]|log.index.size.max.bytes
segment.jitter.ms|long|0|[0,...]|log.roll.jitter.ms,log.roll.jitter.hours
segment.ms|long|604800000|[1,...]|log.roll.ms,log.roll.hours
unclean.leader.election.enable|boolean|false||unclean.leader.election.enable
`;

test('the topic settings are the 33 of Kafka 4.2, with its types, defaults, bounds and synonyms, and flush.messages=1 as the one difference', () => {
  const ours = Object.values(topicConfigs).map((row) =>
    [
      row.name,
      row.type,
      row.name === 'flush.messages' ? '9223372036854775807' : row.defaultText,
      row.valid,
      row.synonyms.map(({ name }) => name).join(','),
    ].join('|'),
  );
  assert.equal(ours.length, 33);
  assert.deepEqual(ours, kafkaTopicConfigs.trim().split('\n'));
  assert.equal(topicConfigs['flush.messages'].defaultText, '1');
});

test('without any setting a topic has the default of every row, so the broker rows agree with the topic rows', () => {
  const config = resolveTopicConfig(broker());
  for (const row of Object.values(topicConfigs)) assert.deepEqual(config[row.name as keyof typeof config], row.default, row.name);
});

test('a topic follows the broker setting behind each of its own', () => {
  const config = resolved({
    'log.cleanup.policy': 'compact,delete',
    'message.max.bytes': '5000',
    'log.flush.interval.messages': '9223372036854775807',
    'log.segment.bytes': '2097152',
    'compression.type': 'zstd',
    'log.message.timestamp.type': 'LogAppendTime',
  });
  assert.deepEqual(config['cleanup.policy'], ['compact', 'delete']);
  assert.equal(config['max.message.bytes'], 5000);
  assert.equal(config['flush.messages'], Number.MAX_SAFE_INTEGER);
  assert.equal(config['segment.bytes'], 2_097_152);
  assert.equal(config['compression.type'], 'zstd');
  assert.equal(config['message.timestamp.type'], 'LogAppendTime');
});

test('milliseconds win over minutes, and minutes over hours', () => {
  assert.equal(resolved({ 'log.retention.hours': '2' })['retention.ms'], 7_200_000);
  assert.equal(resolved({ 'log.retention.hours': '2', 'log.retention.minutes': '3' })['retention.ms'], 180_000);
  assert.equal(resolved({ 'log.retention.hours': '2', 'log.retention.minutes': '3', 'log.retention.ms': '4' })['retention.ms'], 4);
  assert.equal(resolved({ 'log.roll.hours': '1' })['segment.ms'], 3_600_000);
  assert.equal(resolved({ 'log.roll.jitter.hours': '1', 'log.roll.jitter.ms': '5' })['segment.jitter.ms'], 5);
  assert.equal(resolved({ 'log.flush.scheduler.interval.ms': '9' })['flush.ms'], 9);
});

test('any negative retention of the broker means no limit', () => {
  assert.equal(resolved({ 'log.retention.hours': '-5' })['retention.ms'], -1);
  assert.equal(resolved({ 'log.retention.ms': '-7' })['retention.ms'], -1);
});

test('an override of the topic beats the broker', () => {
  const config = resolved(
    { 'log.retention.ms': '1000', 'log.cleanup.policy': 'compact' },
    { 'retention.ms': ' -1 ', 'cleanup.policy': '' },
  );
  assert.equal(config['retention.ms'], -1);
  assert.deepEqual(config['cleanup.policy'], []);
});

test('topics without overrides share one frozen object, and all configs have the same keys in the same order', () => {
  const config = broker();
  assert.equal(resolveTopicConfig(config), resolveTopicConfig(config, new Map()));
  const overridden = resolveTopicConfig(config, overrides({ 'retention.ms': '1' }));
  assert.deepEqual(Object.keys(overridden), Object.keys(resolveTopicConfig(config)));
  assert.ok(Object.isFrozen(overridden));
});

test('stored overrides from an older Kafka still open: unknown names are passed over, values below today’s bounds are kept', () => {
  const config = resolved({}, { 'message.format.version': '2.8', 'segment.bytes': '1024' });
  assert.equal(config['segment.bytes'], 1024);
  assert.ok(!('message.format.version' in config));
  assert.ok(!Object.hasOwn(resolved({}, { ['__proto__']: 'x' }), '__proto__'));
});

/** What the published 4.2 jars answer to LogConfig.validate for these values. */
const refused: readonly [name: string, text: string, message: string][] = [
  ['retention.ms', 'x', 'Invalid value x for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '', 'Invalid value  for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '1e3', 'Invalid value 1e3 for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '7d', 'Invalid value 7d for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '1_000', 'Invalid value 1_000 for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '-2', 'Invalid value -2 for configuration retention.ms: Value must be at least -1'],
  ['retention.ms', '9223372036854775808', 'Invalid value 9223372036854775808 for configuration retention.ms: Not a number of type LONG'],
  ['local.retention.ms', '-3', 'Invalid value -3 for configuration local.retention.ms: Value must be at least -2'],
  ['segment.bytes', '1024', 'Invalid value 1024 for configuration segment.bytes: Value must be at least 1048576'],
  ['segment.bytes', '3000000000', 'Invalid value 3000000000 for configuration segment.bytes: Not a number of type INT'],
  ['segment.bytes', '1GiB', 'Invalid value 1GiB for configuration segment.bytes: Not a number of type INT'],
  ['preallocate', 'maybe', 'Invalid value maybe for configuration preallocate: Expected value to be either true or false'],
  [
    'compression.type',
    'GZIP',
    'Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer',
  ],
  [
    'compression.gzip.level',
    '10',
    'Invalid value 10 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
  ],
  ['compression.gzip.level', '0', 'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1'],
  ['compression.lz4.level', '18', 'Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17'],
  ['compression.zstd.level', '23', 'Invalid value 23 for configuration compression.zstd.level: Value must be no more than 22'],
  ['cleanup.policy', 'compact,', "Configuration 'cleanup.policy' values must not be empty."],
  ['cleanup.policy', 'foo', 'Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete'],
  ['cleanup.policy', 'Compact', 'Invalid value Compact for configuration cleanup.policy: String must be one of: compact, delete'],
  ['min.cleanable.dirty.ratio', '1.5', 'Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1'],
  ['min.cleanable.dirty.ratio', '-1', 'Invalid value -1.0 for configuration min.cleanable.dirty.ratio: Value must be at least 0'],
  ['min.cleanable.dirty.ratio', 'a', 'Invalid value a for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE'],
  [
    'leader.replication.throttled.replicas',
    '0:1,,x',
    "Invalid value [0:1, , x] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
  ],
  [
    'message.timestamp.type',
    'LogAppend',
    'Invalid value LogAppend for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime',
  ],
  ['nope', '1', 'Unknown topic config name: nope'],
  ['constructor', '1', 'Unknown topic config name: constructor'],
  ['message.format.version', '3.0', 'Unknown topic config name: message.format.version'],
  ['min.insync.replicas', '0', 'Invalid value 0 for configuration min.insync.replicas: Value must be at least 1'],
  ['max.compaction.lag.ms', '0', 'Invalid value 0 for configuration max.compaction.lag.ms: Value must be at least 1'],
  [
    'remote.storage.enable',
    'true',
    'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
  ],
];

for (const [name, text, message] of refused) {
  test(`a client that sets ${name} to '${text}' is told what Kafka tells it`, () => {
    assert.throws(() => checkTopicConfigs(new Map([[name, text]]), broker()), new ConfigError(message));
  });
}

test('what Kafka takes from a client is taken', () => {
  const taken: Record<string, string> = {
    'retention.ms': ' +7 ',
    preallocate: ' TRUE ',
    'compression.gzip.level': '-1',
    'cleanup.policy': 'compact , delete,compact',
    'min.cleanable.dirty.ratio': '1e-5',
    'leader.replication.throttled.replicas': '*',
    'follower.replication.throttled.replicas': '0:1,1:2',
    'flush.messages': '9223372036854775807',
  };
  checkTopicConfigs(overrides(taken), broker());
  const config = resolveTopicConfig(broker(), overrides(taken));
  assert.equal(config['retention.ms'], 7);
  assert.equal(config.preallocate, true);
  assert.deepEqual(config['cleanup.policy'], ['compact', 'delete']);
  assert.equal(config['min.cleanable.dirty.ratio'], 0.00001);
});

test('a null value and lags that contradict each other are refused, also where one of them is the broker’s', () => {
  assert.throws(
    () => checkTopicConfigs(new Map([['retention.ms', null]]), broker()),
    new ConfigError('Null value not supported for topic configs: retention.ms'),
  );
  assert.throws(
    () => checkTopicConfigs(overrides({ 'min.compaction.lag.ms': '5' }), broker({ 'log.cleaner.max.compaction.lag.ms': '4' })),
    new ConfigError('conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)'),
  );
});
