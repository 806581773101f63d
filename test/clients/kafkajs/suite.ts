// kafkajs: the client most Node.js programs use, at the old end of every API's versions. Its public consumer always
// joins a group, so reading by assignment goes through the cluster and broker objects below it, which the consumer
// itself is built on. Producing and administration use the public interface.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils';
import kafkajs, { type IHeaders, type Producer } from 'kafkajs';
import type { CheckId } from '../checks.ts';
import type { ReadRecord, RecordToSend } from '../data.ts';
import { type Codec, type Driver, type Place, type ProduceOptions, untilSettled } from '../driver.ts';
import { memberArguments, type MemberCommand, type MemberOptions, noNegativeTimeouts } from '../member.ts';
import { runSuite, suiteOrder } from '../suite.ts';

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, KafkaJSProtocolError, logLevel } = kafkajs;
const packageJson = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };

/** kafkajs leaves these three codecs to plug-ins, each a few lines around a codec library. */
const plugIn = (compress: (bytes: Buffer) => Buffer | Promise<Buffer>, decompress: (bytes: Buffer) => Buffer | Promise<Buffer>) => () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => compress(buffer),
  decompress: async (bytes: Buffer) => decompress(bytes),
});
Object.assign(CompressionCodecs, {
  [CompressionTypes.Snappy]: plugIn(snappyCompress, snappyDecompress),
  [CompressionTypes.LZ4]: plugIn(lz4Compress, lz4Decompress),
  [CompressionTypes.ZSTD]: plugIn(promisify(zlib.zstdCompress), promisify(zlib.zstdDecompress)),
});
const compressionTypes = {
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Codec, number>;

/** The part of kafkajs below its consumer (src/cluster, src/broker), which its types leave out. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(options: { nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning?: boolean; fromTimestamp?: number }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}
interface Broker {
  fetch(request: {
    replicaId: number;
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{
    responses: { topicName: string; partitions: { partition: number; highWatermark: string; messages: FetchedMessage[] }[] }[];
  }>;
}
interface FetchedMessage {
  key: Buffer | null;
  value: Buffer | null;
  timestamp: string;
  offset: string;
  headers: IHeaders;
  isControlRecord: boolean;
}

function makeCluster(kafka: InstanceType<typeof Kafka>): Cluster {
  const create = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === 'private:Kafka:createCluster');
  assert.ok(create, 'kafkajs keeps its clusters elsewhere in this version');
  const make = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[create];
  assert.ok(make);
  return make.call(kafka, { metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}

/** kafkajs's headers are an object, a repeated name an array: the order of different names survives. */
function toHeaders(headers: RecordToSend['headers']): IHeaders {
  const result: Record<string, Buffer | Buffer[]> = {};
  for (const [name, value] of headers ?? []) {
    assert.ok(value, 'kafkajs has no null header values');
    const earlier = result[name];
    if (earlier === undefined) result[name] = value;
    else if (Array.isArray(earlier)) earlier.push(value);
    else result[name] = [earlier, value];
  }
  return result;
}

function fromHeaders(headers: IHeaders): ReadRecord['headers'] {
  return Object.entries(headers).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => [name, value === undefined ? null : Buffer.from(value)] as const),
  );
}

const toRecord = (message: FetchedMessage): ReadRecord => ({
  offset: Number(message.offset),
  timestampMs: Number(message.timestamp),
  key: message.key,
  value: message.value,
  headers: fromHeaders(message.headers),
});

const classicAlone = 'kafkajs has the classic protocol alone';

class KafkajsDriver implements Driver {
  readonly client = 'kafkajs';
  readonly version = packageJson.version;
  readonly cannot: Partial<Record<CheckId, string>> = {
    'group-static': 'kafkajs has no static members',
    'group-cooperative': 'all assignors of kafkajs are eager',
    'group-consumer-leaves': classicAlone,
    'group-consumer-dies': classicAlone,
    'group-consumer-static': classicAlone,
  };
  readonly #kafka: InstanceType<typeof Kafka>;
  readonly #admin;
  readonly #cluster: Cluster;
  readonly #producers = new Map<boolean, Promise<Producer>>();
  #connected: Promise<unknown> | undefined;

  constructor(brokers: string) {
    this.#kafka = new Kafka({
      clientId: 'kafkajs-suite',
      brokers: [brokers],
      connectionTimeout: 10_000,
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50 },
    });
    this.#admin = this.#kafka.admin();
    this.#cluster = makeCluster(this.#kafka);
  }

  async #ready(): Promise<void> {
    this.#connected ??= Promise.all([this.#admin.connect(), this.#cluster.connect()]);
    await this.#connected;
  }

  async createTopic(name: string, { partitions, configs }: { partitions: number; configs?: Record<string, string> }): Promise<void> {
    await this.#ready();
    const configEntries = Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value }));
    const created = await this.#admin.createTopics({ topics: [{ topic: name, numPartitions: partitions, configEntries }] });
    // kafkajs answers false for this one error and swallows it.
    if (!created)
      throw new KafkaJSProtocolError({
        name: 'KafkaJSProtocolError',
        type: 'TOPIC_ALREADY_EXISTS',
        code: 36,
        message: name,
        retriable: false,
      } as never);
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [name] });
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topicPartitions: [{ topic, count }] });
  }

  async listTopics(): Promise<string[]> {
    await this.#ready();
    return this.#admin.listTopics();
  }

  async describeTopic(topic: string) {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    return (topics[0]?.partitions ?? []).map(({ partitionId, leader, replicas, isr }) => ({
      partition: partitionId,
      leader,
      replicas,
      inSync: isr,
    }));
  }

  async describeCluster() {
    await this.#ready();
    const { clusterId, controller, brokers } = await this.#admin.describeCluster();
    return { clusterId, controllerId: controller ?? -1, brokers };
  }

  async topicConfigs(topic: string): Promise<Map<string, string | null>> {
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    return new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  }

  async setTopicConfig(topic: string, key: string, value: string): Promise<void> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: key, value }] }];
    await this.#admin.alterConfigs({ validateOnly: false, resources });
  }

  async deleteRecordsBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.#admin.fetchTopicOffsets(topic); // or kafkajs knows no leader for the topic, and says only that deleting failed
    await this.#admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  }

  async #producer(idempotent: boolean): Promise<Producer> {
    let producer = this.#producers.get(idempotent);
    if (producer === undefined) {
      const made = this.#kafka.producer({ idempotent, allowAutoTopicCreation: true, ...(idempotent && { maxInFlightRequests: 1 }) });
      producer = made.connect().then(() => made);
      this.#producers.set(idempotent, producer);
    }
    return producer;
  }

  async produce(
    topic: string,
    partition: number,
    records: readonly RecordToSend[],
    { acks = -1, codec, idempotent = false }: ProduceOptions = {},
  ): Promise<void> {
    const producer = await this.#producer(idempotent);
    const perRequest = 2_000;
    for (let first = 0; first < records.length; first += perRequest) {
      const messages = records.slice(first, first + perRequest).map(({ key, value, headers, timestampMs }) => ({
        partition,
        key,
        value,
        headers: toHeaders(headers),
        ...(timestampMs !== undefined && { timestamp: String(timestampMs) }),
      }));
      await producer.send({ topic, messages, acks, ...(codec && { compression: compressionTypes[codec] }) });
    }
  }

  async #leader(topic: string, partition: number): Promise<Broker> {
    await this.#ready();
    await this.#cluster.addTargetTopic(topic);
    await this.#cluster.refreshMetadata();
    const nodeId = Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]))[0];
    assert.ok(nodeId !== undefined, `partition ${partition} of ${topic} has no leader`);
    return this.#cluster.findBroker({ nodeId });
  }

  async #fetch(broker: Broker, topic: string, partition: number, from: number, maxWaitTime: number): Promise<ReadRecord[]> {
    const partitions = [{ partition, fetchOffset: String(from), maxBytes: 1024 * 1024 }];
    const { responses } = await broker.fetch({
      replicaId: -1,
      isolationLevel: 1,
      maxWaitTime,
      minBytes: 1,
      maxBytes: 10 * 1024 * 1024,
      topics: [{ topic, partitions }],
    });
    const messages = responses[0]?.partitions[0]?.messages ?? [];
    // A broker sends whole batches, so the first may begin before the offset that was asked for.
    return messages
      .filter(({ isControlRecord }) => !isControlRecord)
      .map(toRecord)
      .filter(({ offset }) => offset >= from);
  }

  async read(topic: string, partition: number, from: number, count: number): Promise<ReadRecord[]> {
    const records: ReadRecord[] = [];
    while (records.length < count) {
      const next = (records.at(-1)?.offset ?? from - 1) + 1;
      const fetched = await untilSettled(this, async () =>
        this.#fetch(await this.#leader(topic, partition), topic, partition, next, 5_000),
      );
      if (fetched.length === 0) throw new Error(`nothing more came after ${records.length} of ${count} records, at offset ${next}`);
      records.push(...fetched);
    }
    return records.slice(0, count);
  }

  async tail(topic: string, partition: number, onceWaiting: () => Promise<void>): Promise<ReadRecord> {
    const end = await this.offset(topic, partition, 'latest');
    const broker = await this.#leader(topic, partition);
    const waiting = this.#fetch(broker, topic, partition, end, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500)); // for the request to reach the broker and find nothing
    await onceWaiting();
    const [record] = await waiting;
    assert.ok(record, 'the fetch ended without a record');
    return record;
  }

  async consume(group: string, topic: string, count: number): Promise<Place[]> {
    const consumer = this.#kafka.consumer({ groupId: group, sessionTimeout: 10_000, heartbeatInterval: 500 });
    const places: Place[] = [];
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      const enough = Promise.withResolvers<void>();
      const late = setTimeout(() => enough.reject(new Error(`${places.length} of ${count} records came in 20 s`)), 20_000);
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (places.length === count) return;
          places.push({ partition, offset: Number(message.offset) });
          await consumer.commitOffsets([{ topic, partition, offset: String(Number(message.offset) + 1) }]);
          if (places.length === count) enough.resolve();
        },
      });
      await enough.promise.finally(() => clearTimeout(late));
    } finally {
      await consumer.disconnect();
    }
    return places;
  }

  member(options: MemberOptions): MemberCommand {
    return { program: process.execPath, args: [noNegativeTimeouts, join(import.meta.dirname, 'member.ts'), ...memberArguments(options)] };
  }

  async offset(topic: string, partition: number, at: 'earliest' | 'latest' | { timestampMs: number }): Promise<number> {
    await this.#leader(topic, partition);
    const when = typeof at === 'string' ? { fromBeginning: at === 'earliest' } : { fromTimestamp: at.timestampMs };
    const [answer] = await this.#cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], ...when }]);
    return Number(answer?.partitions[0]?.offset);
  }

  errorName(thrown: unknown): string | undefined {
    if (typeof thrown !== 'object' || thrown === null) return undefined;
    const { type, errors, cause } = thrown as { type?: string; errors?: unknown[]; cause?: unknown };
    if (type !== undefined) return type;
    return [...(errors ?? []), cause].map((inner) => this.errorName(inner)).find((name) => name !== undefined);
  }

  async close(): Promise<void> {
    for (const producer of await Promise.allSettled(this.#producers.values()))
      if (producer.status === 'fulfilled') await producer.value.disconnect();
    await this.#admin.disconnect();
    await this.#cluster.disconnect();
  }
}

const order = suiteOrder();
await runSuite(new KafkajsDriver(order.brokers), order);
