// One participant of a conversation over a topic: sends events in the envelope, and reads what the others send, from the
// high watermark it saw when it joined. It reads by assignment, without a consumer group: every participant sees everything.
import { Consumer, Producer, stringSerializers } from '@platformatic/kafka';
import { envelope, readEnvelope, type Received } from './envelope.ts';

const CONTROL_BATCH = 0x20;

/** A record as it was read; `received` says whether it is an event at all. */
export interface Delivery {
  readonly partition: number;
  readonly offset: bigint;
  readonly received: Received;
}

export class Participant implements AsyncDisposable {
  readonly name: string;
  readonly topic: string;
  /** The next offset to read, by partition. */
  readonly positions: bigint[];
  readonly #consumer: Consumer;
  readonly #producer: Producer<string, string, string, string>;
  readonly #leaving = new AbortController();

  private constructor(
    name: string,
    topic: string,
    clients: { consumer: Consumer; producer: Producer<string, string, string, string> },
    positions: bigint[],
  ) {
    this.name = name;
    this.topic = topic;
    this.positions = positions;
    this.#consumer = clients.consumer;
    this.#producer = clients.producer;
  }

  static async join(name: string, topic: string, brokers: string): Promise<Participant> {
    const base = { clientId: name, bootstrapBrokers: brokers.split(',') };
    const consumer = new Consumer({ ...base, groupId: `${name}-reads-by-assignment` });
    const producer = new Producer({ ...base, serializers: stringSerializers });
    const positions = (await consumer.listOffsets({ topics: [topic] })).get(topic);
    if (positions === undefined) throw new Error(`there is no topic ${topic}`);
    return new Participant(name, topic, { consumer, producer }, [...positions]);
  }

  /** Events of one key stay in order: they go to one partition. */
  async send(eventType: string, correlationId: string, payload: unknown, key = correlationId): Promise<void> {
    await this.sendRaw(JSON.stringify(envelope(eventType, { sender: this.name, correlationId }, payload)), key);
  }

  async sendRaw(value: string, key: string): Promise<void> {
    await this.#producer.send({ messages: [{ topic: this.topic, key, value }] });
  }

  /** Everything that comes, as it comes, until the participant leaves. */
  async *deliveries(): AsyncGenerator<Delivery, void, void> {
    while (!this.#leaving.signal.aborted) {
      for (const delivery of await this.#fetch(500)) yield delivery;
    }
  }

  /** Everything there is, from the first position on: ends at the high watermark of each partition as it is now. */
  async replay(from: readonly bigint[]): Promise<Delivery[]> {
    const ends = (await this.#consumer.listOffsets({ topics: [this.topic] })).get(this.topic) ?? [];
    this.positions.splice(0, this.positions.length, ...from);
    const all: Delivery[] = [];
    while (this.positions.some((position, partition) => position < (ends[partition] ?? 0n))) all.push(...(await this.#fetch(100)));
    return all.filter(({ partition, offset }) => offset < (ends[partition] ?? 0n));
  }

  async #fetch(maxWaitTime: number): Promise<Delivery[]> {
    const { topics } = await this.#consumer.metadata({ topics: [this.topic] });
    const topic = topics.get(this.topic);
    if (topic === undefined) throw new Error(`topic ${this.topic} is gone`);
    const deliveries: Delivery[] = [];
    for (const node of new Set(topic.partitions.map(({ leader }) => leader))) {
      const led = topic.partitions.flatMap(({ leader }, partition) => (leader === node ? partition : []));
      const response = await this.#consumer.fetch({
        node,
        topics: [
          {
            topicId: topic.id,
            partitions: led.map((partition) => ({
              partition,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
              fetchOffset: this.positions[partition] ?? 0n,
              partitionMaxBytes: 1024 * 1024,
            })),
          },
        ],
        maxWaitTime,
        minBytes: 1,
        maxBytes: 10 * 1024 * 1024,
      });
      for (const { partitionIndex, records } of response.responses[0]?.partitions ?? []) {
        for (const { attributes, firstOffset, lastOffsetDelta, records: inBatch } of records ?? []) {
          for (const { offsetDelta, value } of (attributes & CONTROL_BATCH) === 0 ? inBatch : []) {
            const offset = firstOffset + BigInt(offsetDelta);
            // A broker answers in whole batches: the first may begin before what was asked for.
            if (offset >= (this.positions[partitionIndex] ?? 0n))
              deliveries.push({ partition: partitionIndex, offset, received: readEnvelope(value) });
          }
          this.positions[partitionIndex] = firstOffset + BigInt(lastOffsetDelta) + 1n;
        }
      }
    }
    return deliveries;
  }

  /** Ends the reading; a fetch that waits is answered within half a second. */
  leave(): void {
    this.#leaving.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave();
    await Promise.all([this.#consumer.close(true), this.#producer.close()]);
  }
}
