// The checks of checks.ts, written once over a driver. Each takes topics of its own, so that none can see another's records.
import assert from 'node:assert/strict';
import type { CheckId } from './checks.ts';
import { bytesAt, type ReadRecord, recordAt, recordsFrom, type RecordToSend } from './data.ts';
import type { Codec, Driver, ProduceOptions } from './driver.ts';
import { cooperates, dies, leaves, staticMember } from './group-scenarios.ts';

export interface Scene {
  readonly driver: Driver;
  /** A name nobody else uses. Each call with the same purpose gives the same name. */
  readonly topic: (purpose?: string) => string;
  /** How many records the bulk check writes. */
  readonly bulkRecords: number;
  /** The address the client was told to bootstrap from. */
  readonly brokers: string;
}

type Scenario = (scene: Scene) => Promise<void>;

/** Late enough for a slow machine, early enough to tell an answer to new data from the end of a 20 s wait. */
const promptlyMs = 10_000;
/** A fixed moment well inside any limit on timestamps in the past: 2 January 2026. */
const someMomentMs = 1_767_312_000_000;

const show = (bytes: Buffer | null): string =>
  bytes === null ? 'null' : `${bytes.length} bytes ${JSON.stringify(bytes.subarray(0, 40).toString('latin1'))}`;
const sameBytes = (one: Buffer | null, other: Buffer | null): boolean =>
  one === null || other === null ? one === other : one.equals(other);

/** Compares byte for byte, and names the first record that differs. */
function assertRecords(got: readonly ReadRecord[], sent: readonly RecordToSend[], firstOffset = 0): void {
  for (const [index, wanted] of sent.entries()) {
    const record = got[index];
    assert.ok(record, `${got.length} records came back of ${sent.length}`);
    const at = `record ${index} at offset ${record.offset}`;
    assert.equal(record.offset, firstOffset + index, `${at}: the offset should be ${firstOffset + index}`);
    assert.ok(sameBytes(record.key, wanted.key), `${at}: the key is ${show(record.key)}, sent was ${show(wanted.key)}`);
    assert.ok(sameBytes(record.value, wanted.value), `${at}: the value is ${show(record.value)}, sent was ${show(wanted.value)}`);
    if (wanted.timestampMs !== undefined) assert.equal(record.timestampMs, wanted.timestampMs, `${at}: the timestamp differs`);
    const headers = wanted.headers ?? [];
    assert.deepEqual(
      record.headers.map(([name]) => name),
      headers.map(([name]) => name),
      `${at}: the header names differ`,
    );
    for (const [header, [name, value]] of headers.entries()) {
      const found = record.headers[header]?.[1] ?? null;
      assert.ok(sameBytes(found, value), `${at}: header ${name} is ${show(found)}, sent was ${show(value)}`);
    }
  }
  assert.equal(got.length, sent.length, `${got.length} records came back of ${sent.length}`);
}

async function assertRefused(driver: Driver, errorName: string, attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt();
  } catch (thrown) {
    assert.equal(driver.errorName(thrown) ?? String(thrown), errorName);
    return;
  }
  assert.fail(`nothing was refused; ${errorName} was due`);
}

async function writeAndReadBack(
  { driver, topic }: Scene,
  sent: readonly RecordToSend[],
  how: { produce?: ProduceOptions; configs?: Record<string, string> } = {},
): Promise<void> {
  const name = topic();
  await driver.createTopic(name, { partitions: 1, ...(how.configs && { configs: how.configs }) });
  await driver.produce(name, 0, sent, how.produce);
  assertRecords(await driver.read(name, 0, 0, sent.length), sent);
}

const compressed =
  (codec: Codec): Scenario =>
  (scene) =>
    writeAndReadBack(scene, recordsFrom(0, 500), { produce: { codec } });

const acknowledged =
  (acks: 0 | 1 | -1): Scenario =>
  (scene) =>
    writeAndReadBack(scene, recordsFrom(0, 100), { produce: { acks } });

async function assertLeaders({ driver }: Scene, topic: string, partitions: number): Promise<void> {
  const described = await driver.describeTopic(topic);
  assert.deepEqual(
    described.map(({ partition }) => partition).sort((one, other) => one - other),
    Array.from({ length: partitions }, (_, partition) => partition),
  );
  const { brokers } = await driver.describeCluster();
  const nodeIds = brokers.map(({ nodeId }) => nodeId);
  for (const { partition, leader } of described)
    assert.ok(nodeIds.includes(leader), `partition ${partition} has leader ${leader}, brokers are ${nodeIds.join()}`);
}

/** Asks until the answer fits: metadata spreads through Kafka after the answer that changed it. Bounded by the check's own timeout. */
async function eventually<Answer>(ask: () => Promise<Answer>, fits: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const scenarios: Record<CheckId, Scenario> = {
  'create-one': async (scene) => {
    await scene.driver.createTopic(scene.topic(), { partitions: 1 });
    await assertLeaders(scene, scene.topic(), 1);
  },

  'create-three': async (scene) => {
    await scene.driver.createTopic(scene.topic(), { partitions: 3 });
    await assertLeaders(scene, scene.topic(), 3);
  },

  'create-twice': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await assertRefused(driver, 'TOPIC_ALREADY_EXISTS', () => driver.createTopic(topic(), { partitions: 1 }));
  },

  'round-trip': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 3 });
    for (const partition of [0, 1, 2]) await driver.produce(topic(), partition, recordsFrom(partition * 100, 100));
    for (const partition of [2, 0, 1]) assertRecords(await driver.read(topic(), partition, 0, 100), recordsFrom(partition * 100, 100));
  },

  bulk: async ({ driver, topic, bulkRecords }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, bulkRecords));
    assertRecords(await driver.read(topic(), 0, 0, bulkRecords), recordsFrom(0, bulkRecords));
    assert.equal(await driver.offset(topic(), 0, 'latest'), bulkRecords);
  },

  'every-byte': async (scene) => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await writeAndReadBack(scene, [{ key: all, value: Buffer.from(all).reverse() }]);
  },

  gzip: compressed('gzip'),
  snappy: compressed('snappy'),
  lz4: compressed('lz4'),
  zstd: compressed('zstd'),

  headers: async (scene) => {
    const many = Array.from({ length: 40 }, (_, index) => [`h${index}`, Buffer.from(`${index}`)] as const);
    await writeAndReadBack(scene, [
      {
        ...recordAt(0),
        headers: [
          ['name', Buffer.from('value')],
          ['empty', Buffer.alloc(0)],
          ['ünïcödé', Buffer.from('wért')],
        ],
      },
      {
        ...recordAt(1),
        headers: [
          ['twice', Buffer.from('first')],
          ['twice', Buffer.from('second')],
        ],
      },
      { ...recordAt(2), headers: [] },
      { ...recordAt(3), headers: many },
    ]);
  },

  'null-key': (scene) =>
    writeAndReadBack(scene, [
      { key: null, value: Buffer.from('no key') },
      { key: Buffer.alloc(0), value: Buffer.from('empty key') },
    ]),

  'null-value': (scene) =>
    writeAndReadBack(scene, [
      { key: Buffer.from('tombstone'), value: null },
      { key: Buffer.from('empty'), value: Buffer.alloc(0) },
    ]),

  mebibyte: async (scene) => {
    const sent = [0, 1, 2].map((index) => ({ key: Buffer.from(`large ${index}`), value: bytesAt(index, 1024 * 1024) }));
    await writeAndReadBack(scene, sent, { configs: { 'max.message.bytes': '4194304' } });
  },

  // An answer never comes for acks=0, so the offsets are asked for: what was sent before is appended by the time they are told.
  'acks-zero': async ({ driver, topic }) => {
    const sent = recordsFrom(0, 100);
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, sent, { acks: 0 });
    await eventually(
      () => driver.offset(topic(), 0, 'latest'),
      (end) => end >= sent.length,
    );
    assertRecords(await driver.read(topic(), 0, 0, sent.length), sent);
  },
  'acks-one': acknowledged(1),
  'acks-all': acknowledged(-1),

  timestamps: (scene) =>
    writeAndReadBack(
      scene,
      [0, 1_000, 250, 1].map((later, index) => ({ ...recordAt(index), timestampMs: someMomentMs + later })),
    ),

  'earliest-latest': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    assert.equal(await driver.offset(topic(), 0, 'earliest'), 0);
    assert.equal(await driver.offset(topic(), 0, 'latest'), 0);
    await driver.produce(topic(), 0, recordsFrom(0, 7));
    assert.equal(await driver.offset(topic(), 0, 'earliest'), 0);
    assert.equal(await driver.offset(topic(), 0, 'latest'), 7);
  },

  'offset-by-timestamp': async ({ driver, topic }) => {
    const sent = recordsFrom(0, 10).map((record, index) => ({ ...record, timestampMs: someMomentMs + index * 1_000 }));
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, sent);
    const offsetAt = (laterMs: number): Promise<number> => driver.offset(topic(), 0, { timestampMs: someMomentMs + laterMs });
    assert.equal(await offsetAt(-60_000), 0, 'before the first record');
    assert.equal(await offsetAt(4_000), 4, 'at the very moment of record 4');
    assert.equal(await offsetAt(4_001), 5, 'between records 4 and 5');
    assert.equal(await offsetAt(60_000), -1, 'after the last record');
  },

  'from-offset': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, 20));
    assertRecords(await driver.read(topic(), 0, 13, 7), recordsFrom(13, 7), 13);
  },

  'long-poll': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, 3));
    let producedAt = Number.POSITIVE_INFINITY;
    const record = await driver.tail(topic(), 0, async () => {
      await driver.produce(topic(), 0, [recordAt(3)]);
      producedAt = performance.now();
    });
    assertRecords([record], [recordAt(3)], 3);
    const waitedMs = performance.now() - producedAt;
    assert.ok(waitedMs < promptlyMs, `the record came ${Math.round(waitedMs)} ms after it was acknowledged`);
  },

  'out-of-range': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, 3));
    await assertRefused(driver, 'OFFSET_OUT_OF_RANGE', () => driver.read(topic(), 0, 1_000, 1));
  },

  idempotent: async ({ driver, topic }) => {
    const sent = recordsFrom(0, 2_000);
    await driver.createTopic(topic(), { partitions: 1 });
    for (let first = 0; first < sent.length; first += 500)
      await driver.produce(topic(), 0, sent.slice(first, first + 500), { idempotent: true });
    assertRecords(await driver.read(topic(), 0, 0, sent.length), sent);
    assert.equal(await driver.offset(topic(), 0, 'latest'), sent.length);
  },

  'too-large': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1, configs: { 'max.message.bytes': '10000' } });
    await assertRefused(driver, 'MESSAGE_TOO_LARGE', () => driver.produce(topic(), 0, [{ key: null, value: bytesAt(0, 20_000) }]));
    await driver.produce(topic(), 0, [recordAt(0)]);
    assertRecords(await driver.read(topic(), 0, 0, 1), [recordAt(0)]);
  },

  'auto-create': async ({ driver, topic }) => {
    await driver.produce(topic(), 0, recordsFrom(0, 10));
    assertRecords(await driver.read(topic(), 0, 0, 10), recordsFrom(0, 10));
  },

  'list-topics': async ({ driver, topic }) => {
    const names = [topic('one'), topic('two')];
    for (const name of names) await driver.createTopic(name, { partitions: 1 });
    await eventually(
      () => driver.listTopics(),
      (listed) => names.every((name) => listed.includes(name)),
    );
  },

  'describe-topic': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 2 });
    const { brokers } = await driver.describeCluster();
    const described = await driver.describeTopic(topic());
    assert.equal(described.length, 2);
    for (const { leader, replicas, inSync } of described) {
      assert.ok(brokers.some(({ nodeId }) => nodeId === leader));
      assert.ok(replicas.includes(leader));
      assert.deepEqual(new Set(inSync), new Set(replicas));
    }
  },

  'describe-cluster': async ({ driver, brokers: bootstrap }) => {
    const { clusterId, controllerId, brokers } = await driver.describeCluster();
    assert.match(clusterId, /^[\w-]{22}$/);
    assert.ok(
      brokers.some(({ nodeId }) => nodeId === controllerId),
      `controller ${controllerId} is not among the brokers`,
    );
    // The host may differ from the one that was dialled (127.0.0.1, localhost); the port may not.
    assert.deepEqual(
      brokers.map(({ port }) => String(port)),
      [bootstrap.split(':').at(-1)],
    );
  },

  'delete-topic': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, 5));
    await driver.deleteTopic(topic());
    await eventually(
      () => driver.listTopics(),
      (listed) => !listed.includes(topic()),
    );
    await assertRefused(driver, 'UNKNOWN_TOPIC_OR_PARTITION', () => driver.deleteTopic(topic()));
  },

  'recreate-topic': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, 50));
    await driver.deleteTopic(topic());
    await eventually(
      () => driver.listTopics(),
      (listed) => !listed.includes(topic()),
    );
    await driver.createTopic(topic(), { partitions: 1 });
    assert.equal(await driver.offset(topic(), 0, 'latest'), 0);
    await driver.produce(topic(), 0, recordsFrom(50, 5));
    assertRecords(await driver.read(topic(), 0, 0, 5), recordsFrom(50, 5));
  },

  // Nothing is produced before: a producer that knows the topic with one partition goes on believing in it, and then
  // kafkajs drops records for partition 3 without a word, and @platformatic/kafka puts them into partition 3 modulo 1.
  'create-partitions': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.createPartitions(topic(), 4);
    await eventually(
      () => driver.describeTopic(topic()),
      (described) => described.length === 4,
    );
    for (const partition of [0, 3]) await driver.produce(topic(), partition, recordsFrom(partition, 5));
    for (const partition of [0, 3]) assertRecords(await driver.read(topic(), partition, 0, 5), recordsFrom(partition, 5));
    await assertRefused(driver, 'INVALID_PARTITIONS', () => driver.createPartitions(topic(), 2));
  },

  'describe-configs': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1, configs: { 'retention.ms': '123456789', 'cleanup.policy': 'compact,delete' } });
    const configs = await driver.topicConfigs(topic());
    assert.equal(configs.get('retention.ms'), '123456789');
    assert.equal(configs.get('cleanup.policy'), 'compact,delete');
    assert.equal(configs.get('segment.bytes'), '1073741824');
    assert.equal(configs.get('message.timestamp.type'), 'CreateTime');
  },

  'alter-configs': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.setTopicConfig(topic(), 'retention.ms', '7200000');
    await eventually(
      () => driver.topicConfigs(topic()),
      (configs) => configs.get('retention.ms') === '7200000',
    );
    await assertRefused(driver, 'INVALID_CONFIG', () => driver.setTopicConfig(topic(), 'retention.ms', 'soon'));
  },

  'delete-records': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1 });
    await driver.produce(topic(), 0, recordsFrom(0, 10));
    await driver.deleteRecordsBefore(topic(), 0, 4);
    assert.equal(await driver.offset(topic(), 0, 'earliest'), 4);
    assertRecords(await driver.read(topic(), 0, 4, 6), recordsFrom(4, 6), 4);
    await assertRefused(driver, 'OFFSET_OUT_OF_RANGE', () => driver.read(topic(), 0, 2, 1));
  },

  'group-resumes': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 3 });
    const group = topic('group');
    for (const from of [0, 20]) {
      for (const partition of [0, 1, 2]) await driver.produce(topic(), partition, recordsFrom(from, 20));
      const read = (await driver.consume(group, topic(), 60)).map(({ partition, offset }) => `${partition}/${offset}`);
      const sent = [0, 1, 2].flatMap((partition) => recordsFrom(from, 20).map((_, index) => `${partition}/${from + index}`));
      assert.deepEqual(read.toSorted(), sent.toSorted());
    }
  },

  'group-shares': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 2 });
    for (const partition of [0, 1]) await driver.produce(topic(), partition, recordsFrom(0, 50));
    const group = topic('group');
    // Each stops after its half; who comes first may read of both partitions until the other is there.
    const halves = await Promise.all([driver.consume(group, topic(), 50), driver.consume(group, topic(), 50)]);
    const read = halves.flat().map(({ partition, offset }) => `${partition}/${offset}`);
    assert.equal(new Set(read).size, 100, 'each record was read by one of the two');
  },

  'group-leaves': leaves({ protocol: 'classic', assignor: 'eager' }),
  'group-dies': dies({ protocol: 'classic', assignor: 'eager' }),
  'group-static': staticMember({ protocol: 'classic', assignor: 'eager' }),
  'group-cooperative': cooperates({ protocol: 'classic', assignor: 'cooperative' }),
  'group-consumer-leaves': leaves({ protocol: 'consumer' }),
  'group-consumer-dies': dies({ protocol: 'consumer' }),
  'group-consumer-static': staticMember({ protocol: 'consumer' }),

  'log-append-time': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1, configs: { 'message.timestamp.type': 'LogAppendTime' } });
    const earliest = Date.now() - 1; // the broker under test runs on this machine, so its clock is ours
    await driver.produce(topic(), 0, [{ ...recordAt(0), timestampMs: someMomentMs }]);
    const [record] = await driver.read(topic(), 0, 0, 1);
    assert.ok(record);
    assert.ok(record.timestampMs >= earliest && record.timestampMs <= Date.now() + 1, `the timestamp is ${record.timestampMs}`);
  },

  recompressed: async (scene) => {
    const configs = { 'compression.type': 'lz4' };
    await writeAndReadBack(scene, recordsFrom(0, 200), { produce: { codec: 'gzip' }, configs });
  },

  'too-new': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1, configs: { 'message.timestamp.after.max.ms': '60000' } });
    const inAnHour = Date.now() + 3_600_000; // the broker under test runs on this machine, so its clock is ours
    await assertRefused(driver, 'INVALID_TIMESTAMP', () => driver.produce(topic(), 0, [{ ...recordAt(0), timestampMs: inAnHour }]));
    await driver.produce(topic(), 0, [recordAt(0)]);
    assertRecords(await driver.read(topic(), 0, 0, 1), [recordAt(0)]);
  },

  'compacted-key': async ({ driver, topic }) => {
    await driver.createTopic(topic(), { partitions: 1, configs: { 'cleanup.policy': 'compact' } });
    await assertRefused(driver, 'INVALID_RECORD', () => driver.produce(topic(), 0, [{ key: null, value: Buffer.from('lost') }]));
    await driver.produce(topic(), 0, [recordAt(0)]);
    assertRecords(await driver.read(topic(), 0, 0, 1), [recordAt(0)]);
  },
};
