import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerLevels } from './broker-configs.ts';
import {
  describeBrokerConfig,
  describeClientMetricsConfig,
  describeDefaultBrokerConfig,
  describeGroupConfig,
  describeTopicConfig,
  type DescribedConfig,
} from './describe-configs.ts';

const texts = (settings: Record<string, string> = {}) => new Map(Object.entries(settings));
const levels = (fixed: Record<string, string>, all: Record<string, string> = {}, one: Record<string, string> = {}): BrokerLevels => ({
  static: texts(fixed),
  dynamicDefault: texts(all),
  dynamicBroker: texts(one),
});

/** name=value source [synonyms as name=value@source] type */
const line = (config: DescribedConfig | undefined) => {
  assert.ok(config);
  const synonyms = config.synonyms.map(({ name, value, source }) => `${name}=${value}@${source}`).join(' ');
  return `${config.name}=${config.value} ${config.source} [${synonyms}] ${config.type}`;
};
const topic = (name: string, own: Record<string, string>, set: BrokerLevels) => line(describeTopicConfig(texts(own), set, [name])[0]);
const broker = (name: string, set: BrokerLevels) => line(describeBrokerConfig(set, [name])[0]);

test('a topic’s settings are told as Kafka 4.2 tells them with the same server.properties and overrides', () => {
  const set = levels({ 'log.retention.hours': '24', 'log.segment.bytes': ' 2097152', 'log.flush.interval.messages': '10000' });
  const own = { 'retention.ms': ' 5', 'cleanup.policy': 'compact, delete' };
  const expected = [
    'retention.ms=5 1 [retention.ms=5@1] 5',
    'segment.ms=604800000 5 [] 5',
    'segment.bytes=2097152 4 [log.segment.bytes= 2097152@4 log.segment.bytes=1073741824@5] 3',
    'flush.ms=9223372036854775807 5 [] 5',
    'cleanup.policy=compact,delete 1 [cleanup.policy=compact,delete@1 log.cleanup.policy=delete@5] 7',
    'min.cleanable.dirty.ratio=0.5 5 [log.cleaner.min.cleanable.ratio=0.5@5] 6',
    'remote.storage.enable=false 5 [] 1',
    'max.message.bytes=1048588 5 [message.max.bytes=1048588@5] 3',
  ];
  for (const told of expected) assert.equal(topic(told.slice(0, told.indexOf('=')), own, set), told);
});

test('flush.messages tells our default and where another comes from', () => {
  assert.equal(topic('flush.messages', {}, levels({})), 'flush.messages=1 5 [log.flush.interval.messages=1@5] 5');
  assert.equal(
    topic('flush.messages', {}, levels({ 'log.flush.interval.messages': '9223372036854775807' })),
    'flush.messages=9223372036854775807 4 [log.flush.interval.messages=9223372036854775807@4 log.flush.interval.messages=1@5] 5',
  );
});

test('a retention in hours or minutes reaches the topic in milliseconds, digit for digit', () => {
  assert.equal(topic('retention.ms', {}, levels({ 'log.retention.hours': '24' })), 'retention.ms=86400000 5 [] 5');
  assert.equal(topic('retention.ms', {}, levels({ 'log.retention.minutes': '2147483647' })), 'retention.ms=128849018820000 5 [] 5');
  assert.equal(topic('retention.ms', {}, levels({ 'log.retention.hours': '-3' })), 'retention.ms=-1 5 [] 5');
});

test('levels stand in the order one broker, all brokers, started with, default', () => {
  const set = levels({ 'log.retention.ms': '3', 'log.retention.hours': '4' }, { 'log.retention.ms': '2' }, { 'log.retention.ms': '1' });
  assert.equal(
    topic('retention.ms', {}, set),
    'retention.ms=1 2 [log.retention.ms=1@2 log.retention.ms=2@3 log.retention.ms=3@4 log.retention.hours=4@4 log.retention.hours=168@5] 5',
  );
  assert.equal(broker('log.retention.hours', set), 'log.retention.hours=4 4 [log.retention.hours=4@4 log.retention.hours=168@5] 3');
  assert.equal(broker('log.retention.ms', levels({})), 'log.retention.ms=null 5 [] 5');
});

test('a broker’s settings are told as Kafka 4.2 tells them', () => {
  const set = levels({ 'node.id': '1', listeners: 'PLAINTEXT://:9092', 'log.retention.hours': '24' });
  assert.equal(broker('node.id', set), 'node.id=1 4 [node.id=1@4 node.id=1@5] 3');
  assert.equal(broker('broker.id', set), 'broker.id=1 4 [broker.id=1@4 broker.id=1@5] 3');
  assert.equal(broker('broker.id', levels({ 'node.id': '7' })), 'broker.id=7 4 [broker.id=7@4 broker.id=1@5] 3');
  assert.equal(broker('log.dirs', set), 'log.dirs=null 5 [] 7');
  assert.equal(
    broker('log.cleaner.io.max.bytes.per.second', set),
    'log.cleaner.io.max.bytes.per.second=1.7976931348623157E308 5 [log.cleaner.io.max.bytes.per.second=1.7976931348623157E308@5] 6',
  );
  const [readOnly] = describeBrokerConfig(set, ['node.id']);
  const [dynamic] = describeBrokerConfig(set, ['log.retention.ms']);
  assert.equal(readOnly?.readOnly, true);
  assert.equal(dynamic?.readOnly, false);
  assert.match(dynamic?.documentation ?? '', /segment/);
});

test('null and an empty list ask for everything, and names that do not exist are left out', () => {
  assert.equal(describeTopicConfig(texts(), levels({}), null).length, 33);
  assert.equal(describeTopicConfig(texts(), levels({}), []).length, 33);
  assert.deepEqual(
    describeTopicConfig(texts(), levels({}), ['nope', 'retention.ms', 'retention.ms', '__proto__']).map(({ name }) => name),
    ['retention.ms'],
  );
});

test('a dynamic setting that is not ours is shown as a secret', () => {
  const [told] = describeBrokerConfig(levels({}, {}, { 'my.plugin.password': 'hush' }), ['my.plugin.password']);
  assert.ok(told);
  assert.deepEqual([told.value, told.isSensitive, told.source, told.type], [null, true, 2, 0]);
  assert.ok(!JSON.stringify(told).includes('hush'));
});

test('the settings of all brokers show only what is set for all brokers', () => {
  const told = describeDefaultBrokerConfig(
    levels({ 'log.retention.ms': '3' }, { 'log.retention.ms': '2' }, { 'log.segment.bytes': '5000000' }),
  );
  assert.deepEqual(told.map(line), ['log.retention.ms=2 3 [log.retention.ms=2@3] 5']);
});

test('a group’s settings follow the broker’s and count as defaults until they are set', () => {
  const set = levels({ 'group.consumer.session.timeout.ms': '50000' });
  const told = (own: Record<string, string>) => line(describeGroupConfig(texts(own), set, ['consumer.session.timeout.ms'])[0]);
  assert.equal(told({}), 'consumer.session.timeout.ms=50000 5 [consumer.session.timeout.ms=50000@5] 3');
  assert.equal(
    told({ 'consumer.session.timeout.ms': '46000' }),
    'consumer.session.timeout.ms=46000 8 [consumer.session.timeout.ms=46000@8] 3',
  );
  assert.equal(describeGroupConfig(texts(), set).length, 11);
});

test('a client metrics subscription shows what is set in it', () => {
  assert.deepEqual(describeClientMetricsConfig(texts({ 'interval.ms': '1000' })).map(line), [
    'interval.ms=1000 7 [interval.ms=1000@7] 3',
    'match= 5 [] 7',
    'metrics= 5 [] 7',
  ]);
});
