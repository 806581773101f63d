// That the checks can fail: each is run over a broker that is an array, first as it should be, then with one fault.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckId } from './checks.ts';
import type { ReadRecord, RecordToSend } from './data.ts';
import { type Driver, unable } from './driver.ts';
import type { MemberCommand } from './member.ts';
import { scenarios } from './scenarios.ts';

class Refusal extends Error {}

/** A broker in memory, with as much of Kafka as the checks below need. */
class ArrayDriver implements Driver {
  readonly client = 'array';
  readonly version = '1';
  readonly cannot = {};
  readonly topics = new Map<string, ReadRecord[][]>();
  /** The fault: what is read instead of what was written. */
  readonly distort: (records: ReadRecord[]) => ReadRecord[];

  constructor(distort: (records: ReadRecord[]) => ReadRecord[] = (records) => records) {
    this.distort = distort;
  }

  #log(topic: string, partition: number): ReadRecord[] {
    const log = this.topics.get(topic)?.[partition];
    if (!log) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION');
    return log;
  }

  createTopic(name: string, { partitions }: { partitions: number }): Promise<void> {
    if (this.topics.has(name)) return Promise.reject(new Refusal('TOPIC_ALREADY_EXISTS'));
    this.topics.set(
      name,
      Array.from({ length: partitions }, () => []),
    );
    return Promise.resolve();
  }

  produce(topic: string, partition: number, records: readonly RecordToSend[]): Promise<void> {
    const log = this.#log(topic, partition);
    for (const { key, value, headers = [], timestampMs = 0 } of records) log.push({ offset: log.length, key, value, headers, timestampMs });
    return Promise.resolve();
  }

  read(topic: string, partition: number, from: number, count: number): Promise<ReadRecord[]> {
    const log = this.#log(topic, partition);
    if (from > log.length) return Promise.reject(new Refusal('OFFSET_OUT_OF_RANGE'));
    return Promise.resolve(this.distort(log.slice(from, from + count)));
  }

  offset(topic: string, partition: number, at: 'earliest' | 'latest' | { timestampMs: number }): Promise<number> {
    const log = this.#log(topic, partition);
    if (at === 'earliest') return Promise.resolve(0);
    return Promise.resolve(at === 'latest' ? log.length : log.findIndex(({ timestampMs }) => timestampMs >= at.timestampMs));
  }

  describeTopic = (topic: string) =>
    Promise.resolve((this.topics.get(topic) ?? []).map((_, partition) => ({ partition, leader: 1, replicas: [1], inSync: [1] })));
  describeCluster = () =>
    Promise.resolve({ clusterId: 'x'.repeat(22), controllerId: 1, brokers: [{ nodeId: 1, host: 'nowhere', port: 1 }] });
  listTopics = () => Promise.resolve([...this.topics.keys()]);
  deleteTopic = () => unable('delete topics');
  createPartitions = () => unable('add partitions');
  topicConfigs = () => unable('describe configs');
  setTopicConfig = () => unable('change configs');
  deleteRecordsBefore = () => unable('delete records');
  tail = () => unable('wait');
  consume = () => unable('join groups');
  member = (): MemberCommand => {
    throw new Error('no member was expected');
  };
  errorName = (thrown: unknown): string | undefined => (thrown instanceof Refusal ? thrown.message : undefined);
  close = () => Promise.resolve();
}

const run = (id: CheckId, driver: Driver): Promise<void> =>
  scenarios[id]({ driver, bulkRecords: 300, brokers: 'nowhere:1', topic: (purpose = '') => `t-${id}-${purpose}` });

const ofContent: readonly CheckId[] = [
  'round-trip',
  'bulk',
  'every-byte',
  'zstd',
  'headers',
  'null-key',
  'null-value',
  'acks-zero',
  'timestamps',
  'from-offset',
];
const ofAdministration: readonly CheckId[] = [
  'create-one',
  'create-three',
  'create-twice',
  'earliest-latest',
  'offset-by-timestamp',
  'out-of-range',
  'list-topics',
  'describe-topic',
  'describe-cluster',
];

test('a broker that keeps what it was given passes', async () => {
  for (const id of [...ofContent, ...ofAdministration]) await run(id, new ArrayDriver());
});

const changed = (bytes: Buffer | null): Buffer => Buffer.concat([bytes ?? Buffer.alloc(0), Buffer.from([0])]);
const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte)));
const faults: Record<string, (records: ReadRecord[]) => ReadRecord[]> = {
  'a lost record': (records) => records.slice(0, -1),
  'a record twice': (records) => [...records.slice(0, 1), ...records],
  'a gap in the offsets': (records) =>
    records.map((record, index) => ({ ...record, offset: record.offset + (index === records.length - 1 ? 1 : 0) })),
  'a longer value': (records) => records.map((record) => ({ ...record, value: changed(record.value) })),
  'a longer key': (records) => records.map((record) => ({ ...record, key: changed(record.key) })),
  'another header': (records) => records.map((record) => ({ ...record, headers: [...record.headers, ['more', null] as const] })),
};
for (const [fault, distort] of Object.entries(faults))
  test(`${fault} fails every check of content`, async () => {
    for (const id of ofContent)
      await assert.rejects(run(id, new ArrayDriver(distort)), assert.AssertionError, `${id} does not see ${fault}`);
  });

test('one wrong bit in the last byte of the last value of many is seen', async () => {
  const distort = (records: ReadRecord[]): ReadRecord[] =>
    records.map((record, index) => (index === records.length - 1 ? { ...record, value: flip(record.value ?? Buffer.from([1])) } : record));
  await assert.rejects(run('bulk', new ArrayDriver(distort)), /record 299 at offset 299: the value is/);
});

test('null and empty are not the same', async () => {
  const nullBecomesEmpty = (records: ReadRecord[]): ReadRecord[] =>
    records.map((record) => ({ ...record, key: record.key ?? Buffer.alloc(0), value: record.value ?? Buffer.alloc(0) }));
  for (const id of ['null-key', 'null-value'] as const)
    await assert.rejects(run(id, new ArrayDriver(nullBecomesEmpty)), assert.AssertionError);
});

test('a changed timestamp and changed order of headers are seen', async () => {
  const later = (records: ReadRecord[]): ReadRecord[] => records.map((record) => ({ ...record, timestampMs: record.timestampMs + 1 }));
  await assert.rejects(run('timestamps', new ArrayDriver(later)), assert.AssertionError);
  const reversed = (records: ReadRecord[]): ReadRecord[] => records.map((record) => ({ ...record, headers: record.headers.toReversed() }));
  await assert.rejects(run('headers', new ArrayDriver(reversed)), assert.AssertionError);
});

test('a broker that refuses nothing fails the checks of refusals', async () => {
  const driver = new ArrayDriver();
  driver.createTopic = (name, { partitions }) => {
    driver.topics.set(
      name,
      Array.from({ length: partitions }, () => []),
    );
    return Promise.resolve();
  };
  driver.read = () => Promise.resolve([]);
  for (const id of ['create-twice', 'out-of-range'] as const) await assert.rejects(run(id, driver), /was due/);
});

/** A member that says the lines and stays until it is ended. */
const saying = (...lines: string[]): MemberCommand => ({
  program: process.execPath,
  args: ['-e', `process.stdout.write(${JSON.stringify(lines.map((line) => `${line}\n`).join(''))}); setInterval(() => {}, 1000);`],
});
const readAndCommitted = (partition: number, from: number, end: number): string[] => [
  ...Array.from({ length: end - from }, (_, index) => `read ${partition} ${from + index}`),
  `committed ${partition} ${end}`,
];

test('a check of a group is failed by a member that reads what another has read and committed', async () => {
  const driver = new ArrayDriver();
  const first = saying('assigned 0,1', ...readAndCommitted(0, 0, 50), ...readAndCommitted(1, 0, 50));
  const second = saying('assigned 2,3', ...readAndCommitted(2, 0, 50), ...readAndCommitted(3, 0, 50), 'read 0 7');
  const members = [first, second];
  driver.member = () => members.shift() as MemberCommand;
  await assert.rejects(run('group-dies', driver), /0\/7 was read by the (one that dies|other) and by the (one that dies|other)/);
});

test('a check of a group is failed by a member that ends by itself', async () => {
  const driver = new ArrayDriver();
  driver.member = () => ({ program: process.execPath, args: ['-e', 'process.exit(3)'] });
  await assert.rejects(run('group-dies', driver), /the (one that dies|other) it ended with exit code 3/);
});
