// The types of the package, held by the compiler: what must not compile carries @ts-expect-error. Beside that, the typed
// settings are held against the tables they are made from.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kafkaConfigSource } from '../scripts/generate-kafka-config.ts';
import type { BrokerConfigName } from '../src/config/broker-configs.ts';
import type { topicConfigs } from '../src/config/topic-configs.ts';
import type { Broker, BrokerOptions, GroupView, KafkaConfig, KafkaTopicConfig, StoredRecord } from '../src/index.ts';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Compiles only when the names are the same. */
const sameNames: [
  Same<keyof KafkaConfig, Exclude<BrokerConfigName, 'log.dir' | 'log.dirs'>>,
  Same<keyof KafkaTopicConfig, keyof typeof topicConfigs>,
] = [true, true];

const compiles: BrokerOptions[] = [
  {},
  { topics: ['orders'], storage: { dir: 'data' }, port: 0 },
  { topics: { orders: 3, users: { partitions: 1, config: { 'cleanup.policy': ['compact'], 'retention.ms': '7d' } } } },
  { config: { 'message.max.bytes': '1MiB', 'log.retention.ms': -1, 'auto.create.topics.enable': false, 'compression.type': 'zstd' } },
  { profile: 'test', storage: { dir: 'data' } },
  { logger: console, onFailed: (error) => error.code.length },
  // @ts-expect-error a setting that does not exist
  { config: { 'num.partition': 3 } },
  // @ts-expect-error a value of another type
  { config: { 'auto.create.topics.enable': 'perhaps' } },
  // @ts-expect-error a word that the setting does not take
  { config: { 'compression.type': 'brotli' } },
  // @ts-expect-error a unit that there is not
  { config: { 'log.retention.ms': '7 years' } },
  // @ts-expect-error where the data lives is said by `storage`
  { config: { 'log.dirs': ['/data'] } },
  // @ts-expect-error a setting of topics that does not exist
  { topics: { orders: { config: { 'retention.mss': 1 } } } },
  // @ts-expect-error an option that does not exist
  { topic: ['orders'] },
];

/** Never called: it has to compile. */
async function uses(broker: Broker): Promise<void> {
  await using _ = broker;
  const { stop } = broker;
  const records: StoredRecord[] = await broker.waitForRecords('orders', { count: 1, where: (record) => record.partition === 0 });
  const order = records[0]?.json<{ id: number }>();
  await broker.produce('orders', 'text', new Uint8Array(1), {
    key: 'k',
    json: { id: order?.id },
    headers: { a: 'b' },
    timestamp: new Date(),
  });
  for await (const record of broker.records('orders', { from: 'end', follow: true })) record.text();
  const group: GroupView = await broker.waitForGroup('billing', { members: 2, maxLag: 0, timeoutMs: 1 });
  const lags: number[] = (await broker.groups()).map(({ lag }) => lag + group.lag);
  lags.push(group.partitions[0]?.committedOffset ?? 0);
  // @ts-expect-error a state that groups are never in
  await broker.waitForGroup('billing', { state: 'Ready' });
  // @ts-expect-error an object is not a value; it goes into `json`
  await broker.produce('orders', { value: { id: 1 } });
  // @ts-expect-error the state is read, not set
  broker.state = 'stopped';
  await stop({ graceMs: 0 });
}

test('the typed settings say what the tables say; if not, run node scripts/generate-kafka-config.ts', () => {
  const committed = readFileSync(join(import.meta.dirname, '../src/embedded/kafka-config.ts'), 'utf8');
  assert.ok(committed === kafkaConfigSource(), 'src/embedded/kafka-config.ts is out of date');
  assert.ok(compiles.length > 0 && sameNames.length > 0 && uses.length === 1);
});
