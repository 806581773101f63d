// @platformatic/kafka: the modern Node.js client, at the new end of every API's versions (topic ids, fetch sessions).
// Its stream always joins a group; `consumer.fetch` below it does not, and reads by assignment.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  Admin,
  ConfigResourceTypes,
  Consumer,
  IncrementalAlterConfigOperationTypes,
  ListOffsetTimestamps,
  Producer,
} from '@platformatic/kafka';
import type { CheckId } from '../checks.ts';
import type { ReadRecord, RecordToSend } from '../data.ts';
import { type Driver, type Place, untilSettled, type ProduceOptions } from '../driver.ts';
import { memberArguments, type MemberCommand, type MemberOptions } from '../member.ts';
import { runSuite, suiteOrder } from '../suite.ts';

const packageJson = createRequire(import.meta.url)('../../../node_modules/@platformatic/kafka/package.json') as { version: string };

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

const logAppendTime = 0x08;
const controlBatch = 0x20;

/** The records of one partition of an answer, in the shape all drivers share. */
function toRecords(response: FetchResponse): ReadRecord[] {
  const batches = response.responses[0]?.partitions[0]?.records ?? [];
  return batches
    .filter(({ attributes }) => (attributes & controlBatch) === 0)
    .flatMap(({ firstOffset, firstTimestamp, maxTimestamp, attributes, records }) =>
      records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        offset: Number(firstOffset) + offsetDelta,
        timestampMs: Number((attributes & logAppendTime) === 0 ? firstTimestamp + timestampDelta : maxTimestamp),
        key,
        value,
        headers: headers.map(([name, value]) => [String(name), value] as const),
      })),
    );
}

class PlatformaticDriver implements Driver {
  readonly client = '@platformatic/kafka';
  readonly version = packageJson.version;
  readonly cannot: Partial<Record<CheckId, string>> = {
    'group-consumer-static': 'it leaves a group of the consumer protocol for good (member epoch -1) as a static member too',
  };
  readonly #admin;
  readonly #consumer;
  readonly #producers = new Map<boolean, Producer>();
  readonly #base;

  constructor(brokers: string) {
    this.#base = { clientId: 'platformatic-suite', bootstrapBrokers: [brokers], requestTimeout: 60_000, retryDelay: 100, strict: true };
    this.#admin = new Admin(this.#base);
    this.#consumer = new Consumer({ ...this.#base, groupId: 'never-joined' });
  }

  async createTopic(name: string, { partitions, configs }: { partitions: number; configs?: Record<string, string> }): Promise<void> {
    await this.#admin.createTopics({
      topics: [name],
      partitions,
      replicas: 1,
      configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value })),
    });
    await untilSettled(this, () => this.#topic(name));
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [name] });
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topics: [{ name: topic, count }] });
  }

  async listTopics(): Promise<string[]> {
    return this.#admin.listTopics();
  }

  async #topic(topic: string) {
    const metadata = await this.#consumer.metadata({ topics: [topic], forceUpdate: true });
    const found = metadata.topics.get(topic);
    assert.ok(found, `the metadata does not hold ${topic}`);
    return found;
  }

  async describeTopic(topic: string) {
    const { partitions } = await this.#topic(topic);
    return partitions.map(({ leader, replicas, isr }, partition) => ({ partition, leader, replicas, inSync: isr }));
  }

  async describeCluster() {
    const { id, controllerId, brokers } = await this.#admin.metadata({ topics: [], forceUpdate: true });
    return { clusterId: id, controllerId, brokers: [...brokers].map(([nodeId, { host, port }]) => ({ nodeId, host, port })) };
  }

  async topicConfigs(topic: string): Promise<Map<string, string | null>> {
    const [described] = await this.#admin.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    return new Map(described?.configs.map(({ name, value }) => [name, value ?? null]));
  }

  async setTopicConfig(topic: string, key: string, value: string): Promise<void> {
    const configs = [{ name: key, configOperation: IncrementalAlterConfigOperationTypes.SET, value }];
    await this.#admin.incrementalAlterConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }] });
  }

  async deleteRecordsBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.#admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(offset) }] }] });
  }

  #producer(idempotent: boolean): Producer {
    const made = this.#producers.get(idempotent) ?? new Producer({ ...this.#base, idempotent, autocreateTopics: true });
    this.#producers.set(idempotent, made);
    return made;
  }

  async produce(
    topic: string,
    partition: number,
    records: readonly RecordToSend[],
    { acks = -1, codec, idempotent = false }: ProduceOptions = {},
  ): Promise<void> {
    const producer = this.#producer(idempotent);
    const perRequest = 2_000;
    for (let first = 0; first < records.length; first += perRequest) {
      const messages = records.slice(first, first + perRequest).map(({ key, value, headers, timestampMs }) => ({
        topic,
        partition,
        key: key as Buffer, // null is a tombstone for this client too, only its types leave it out
        value: value as Buffer,
        ...(headers && { headers: new Map(headers.map(([name, bytes]) => [Buffer.from(name), bytes ?? Buffer.alloc(0)])) }),
        ...(timestampMs !== undefined && { timestamp: BigInt(timestampMs) }),
      }));
      await producer.send({ messages, acks, ...(codec && { compression: codec }) });
    }
  }

  async #fetch(topic: string, partition: number, from: number, maxWaitTime: number): Promise<ReadRecord[]> {
    const { id, partitions } = await this.#topic(topic);
    const response = await this.#consumer.fetch({
      node: partitions[partition]?.leader ?? -1,
      topics: [
        {
          topicId: id,
          partitions: [
            {
              partition,
              currentLeaderEpoch: partitions[partition]?.leaderEpoch ?? -1,
              fetchOffset: BigInt(from),
              lastFetchedEpoch: -1,
              partitionMaxBytes: 1024 * 1024,
            },
          ],
        },
      ],
      maxWaitTime,
      minBytes: 1,
      maxBytes: 10 * 1024 * 1024,
    });
    // A broker sends whole batches, so the first may begin before the offset that was asked for.
    return toRecords(response).filter(({ offset }) => offset >= from);
  }

  async read(topic: string, partition: number, from: number, count: number): Promise<ReadRecord[]> {
    const records: ReadRecord[] = [];
    while (records.length < count) {
      const next = (records.at(-1)?.offset ?? from - 1) + 1;
      const fetched = await untilSettled(this, () => this.#fetch(topic, partition, next, 5_000));
      if (fetched.length === 0) throw new Error(`nothing more came after ${records.length} of ${count} records, at offset ${next}`);
      records.push(...fetched);
    }
    return records.slice(0, count);
  }

  async tail(topic: string, partition: number, onceWaiting: () => Promise<void>): Promise<ReadRecord> {
    const end = await this.offset(topic, partition, 'latest');
    const waiting = this.#fetch(topic, partition, end, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500)); // for the request to reach the broker and find nothing
    await onceWaiting();
    const [record] = await waiting;
    assert.ok(record, 'the fetch ended without a record');
    return record;
  }

  async consume(group: string, topic: string, count: number): Promise<Place[]> {
    const consumer = new Consumer({ ...this.#base, groupId: group, sessionTimeout: 10_000, heartbeatInterval: 500 });
    const places: Place[] = [];
    try {
      const stream = await consumer.consume({
        topics: [topic],
        autocommit: false,
        mode: 'committed',
        fallbackMode: 'earliest',
        highWaterMark: 1,
        maxWaitTime: 500,
      });
      for await (const message of stream) {
        places.push({ partition: message.partition, offset: Number(message.offset) });
        await message.commit();
        if (places.length === count) break;
      }
    } finally {
      await consumer.close(true);
    }
    return places;
  }

  member(options: MemberOptions): MemberCommand {
    return { program: process.execPath, args: [join(import.meta.dirname, 'member.ts'), ...memberArguments(options)] };
  }

  async offset(topic: string, partition: number, at: 'earliest' | 'latest' | { timestampMs: number }): Promise<number> {
    const timestamp = typeof at === 'string' ? ListOffsetTimestamps[at === 'earliest' ? 'EARLIEST' : 'LATEST'] : BigInt(at.timestampMs);
    const answer = await untilSettled(this, () =>
      this.#admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }] }),
    );
    return Number(answer[0]?.partitions[0]?.offset);
  }

  errorName(thrown: unknown): string | undefined {
    if (typeof thrown !== 'object' || thrown === null) return undefined;
    const { apiId, errors, cause } = thrown as { apiId?: string; errors?: unknown[]; cause?: unknown };
    if (apiId !== undefined) return apiId;
    const names = [...(errors ?? []), cause].map((inner) => this.errorName(inner)).filter((name) => name !== undefined);
    // What a broker says of single records carries no code of its own; the client lists it under this name, before the partition's.
    return names.find((name) => name !== 'UNKNOWN_SERVER_ERROR') ?? names[0];
  }

  async close(): Promise<void> {
    for (const producer of this.#producers.values()) await producer.close();
    await this.#consumer.close(true);
    await this.#admin.close();
  }
}

const order = suiteOrder();
await runSuite(new PlatformaticDriver(order.brokers), order);
