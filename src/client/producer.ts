// Sends records to one topic: chooses the partition, gathers batches, keeps one batch of each partition under way, and
// repeats what fails for a passing reason. With a producer id from the broker a repeated batch is written once.
import type { Compute } from '../base/env.ts';
import type { RecordCodec } from '../protocol/compression.ts';
import { KafkaError, NONE } from '../protocol/errors.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../protocol/messages/init-producer-id.ts';
import { produceRequest, produceResponse } from '../protocol/messages/produce.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { incrementSequence, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE } from '../protocol/record-batch.ts';
import { buildCompressedRecordBatch, type RecordToWrite } from '../protocol/record-batch-records.ts';
import { kafkaErrorOf } from './broker-link.ts';
import { RequestTimeoutError, UnsupportedApiError } from './client-errors.ts';
import type { Cluster, TopicMetadata } from './cluster.ts';
import { partitionOfKey, StickyPartition } from './partitioner.ts';
import { backoffMs, isRetriable, pause, retrying } from './waiting.ts';

export type Acks = -1 | 0 | 1;

export interface ProducerOptions {
  readonly cluster: Cluster;
  readonly compute: Compute;
  readonly topic: TopicMetadata;
  /** -1: on all in-sync replicas; 0: sent, and nobody knows. */
  readonly acks?: Acks;
  readonly codec?: RecordCodec;
  /** In the codec's own scale. */
  readonly level?: number;
  /** For how long a batch is repeated; the cluster's timeout when left out. */
  readonly deliveryTimeoutMs?: number;
  /** A batch is acknowledged; with acks=0 its base offset is -1. */
  readonly onDelivered?: (delivery: Delivery) => void;
  /** A batch is given up. */
  readonly onFailed?: (failure: FailedDelivery) => void;
}

export interface RecordToSend extends RecordToWrite {
  /** Chosen by the key, or for a record without one at will, when left out. */
  readonly partition?: number;
}

export interface Delivery {
  readonly partition: number;
  readonly baseOffset: number;
  readonly records: readonly RecordToWrite[];
  /** Where the topic stamps records on append; -1 otherwise. */
  readonly logAppendTimeMs: number;
}

export interface FailedDelivery {
  readonly partition: number;
  readonly records: readonly RecordToWrite[];
  readonly error: Error;
}

interface Batch {
  readonly records: RecordToWrite[];
  bytes: number;
}

interface PartitionQueue {
  readonly partition: number;
  /** The last one may still grow; the first is under way when `sending` is set. */
  batches: Batch[];
  sending: boolean;
  nextSequence: number;
}

interface ProducerId {
  readonly id: number;
  readonly epoch: number;
}

const produce = { request: produceRequest, response: produceResponse };
const initProducerId = { request: initProducerIdRequest, response: initProducerIdResponse };

/** Well below the 1 MiB that brokers take by default; a larger record travels alone. */
const BATCH_BYTES = 512 * 1024;
/** Records that wait or are under way; beyond it `send` asks to wait. */
const MOST_BUFFERED_BYTES = 32 * 1024 * 1024;
/** About what framing adds to a record. */
const RECORD_OVERHEAD_BYTES = 24;
const LAST_VERSION_WITH_NAMES = 12;

/**
 * The topic to produce to. One that does not exist is made by the broker where the broker does that: `created` is true then.
 * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION when it does not
 */
export async function topicToProduceTo(cluster: Cluster, name: string): Promise<{ topic: TopicMetadata; created: boolean }> {
  const { topics, refusals } = await cluster.metadata([name]);
  const there = topics.get(name);
  if (there !== undefined) return { topic: there, created: false };
  const refusal = refusals.get(name) ?? new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
  if (!isRetriable(refusal)) throw refusal;
  // Kafka begins to make it and answers that it is unknown; some time later it is there.
  return retrying(cluster.env, { withinMs: Math.min(cluster.timeoutMs, LONGEST_CREATION_MS) }, async () => {
    const again = await cluster.metadata([name], { allowAutoTopicCreation: true });
    const topic = again.topics.get(name);
    if (topic === undefined) throw again.refusals.get(name) ?? refusal;
    return { topic, created: true };
  });
}

const LONGEST_CREATION_MS = 2000;

export class Producer {
  readonly #options: ProducerOptions;
  readonly #cluster: Cluster;
  readonly #acks: Acks;
  readonly #producerId: ProducerId | undefined;
  readonly #partitions: readonly number[];
  readonly #sticky: StickyPartition;
  readonly #queues = new Map<number, PartitionQueue>();
  #bufferedBytes = 0;
  #waiting: (() => void)[] = [];
  #pumpScheduled = false;
  /** Set when it is not known whether a batch was written: the sequence of its partition cannot go on. */
  #broken: Error | undefined;

  private constructor(options: ProducerOptions, producerId: ProducerId | undefined) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#acks = options.acks ?? -1;
    this.#producerId = producerId;
    const { partitions } = options.topic;
    this.#partitions = partitions.map(({ partition }) => partition);
    const led = partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition);
    this.#sticky = new StickyPartition(led.length > 0 ? led : this.#partitions, () => this.#cluster.env.random());
  }

  /** Asks for a producer id where acks is -1 and the broker gives one. */
  static async open(options: ProducerOptions): Promise<Producer> {
    return new Producer(options, (options.acks ?? -1) === -1 ? await producerIdFrom(options.cluster) : undefined);
  }

  get isIdempotent(): boolean {
    return this.#producerId !== undefined;
  }

  /** Takes a record; when a promise comes back, so much is waiting that the next one should come after it. Never fails by itself. */
  send(record: RecordToSend): Promise<void> | undefined {
    const partition = record.partition ?? this.#choose(record);
    const bytes = RECORD_OVERHEAD_BYTES + sizeOf(record);
    const queue = this.#queueOf(partition);
    const last = queue.batches.at(-1);
    const stamped = record.timestamp === undefined ? { ...record, timestamp: this.#cluster.env.wallMs() } : record;
    const takesMore = last !== undefined && (queue.batches.length > 1 || !queue.sending) && last.bytes + bytes <= BATCH_BYTES;
    if (takesMore) {
      last.records.push(stamped);
      last.bytes += bytes;
    } else {
      queue.batches.push({ records: [stamped], bytes });
      if (record.key == null && last !== undefined) this.#sticky.moveOn();
    }
    this.#bufferedBytes += bytes;
    this.#pumpLater();
    if (this.#bufferedBytes < MOST_BUFFERED_BYTES) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when every record taken so far is delivered or given up. */
  async flush(): Promise<void> {
    this.#pump();
    while (this.#bufferedBytes > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  #choose({ key }: RecordToSend): number {
    if (key == null) return this.#sticky.current;
    return this.#partitions[partitionOfKey(key, this.#partitions.length)] ?? 0;
  }

  #queueOf(partition: number): PartitionQueue {
    let queue = this.#queues.get(partition);
    if (queue === undefined) {
      queue = { partition, batches: [], sending: false, nextSequence: 0 };
      this.#queues.set(partition, queue);
    }
    return queue;
  }

  /** At the end of this turn, so that what is sent together travels together. */
  #pumpLater(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    void Promise.resolve().then(() => this.#pump());
  }

  #pump(): void {
    this.#pumpScheduled = false;
    for (const queue of this.#queues.values()) if (!queue.sending && queue.batches.length > 0) void this.#sendAll(queue);
  }

  /** One batch after the other until none is left. Never rejects: what goes wrong is told to `onFailed`. */
  async #sendAll(queue: PartitionQueue): Promise<void> {
    queue.sending = true;
    for (let batch = queue.batches[0]; batch !== undefined; batch = queue.batches[0]) {
      await this.#sendOne(queue, batch);
      queue.batches.shift();
      this.#bufferedBytes -= batch.bytes;
      if (this.#bufferedBytes < MOST_BUFFERED_BYTES / 2 || this.#bufferedBytes === 0) this.#release();
    }
    queue.sending = false;
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async #sendOne(queue: PartitionQueue, { records }: Batch): Promise<void> {
    const { partition } = queue;
    let delivery;
    try {
      if (this.#broken !== undefined) throw this.#broken;
      delivery = await this.#deliver(queue, records);
    } catch (thrown) {
      if (thrown instanceof KafkaError && thrown.errorName === 'MESSAGE_TOO_LARGE' && records.length > 1) {
        const half = records.length >> 1;
        await this.#sendOne(queue, { records: records.slice(0, half), bytes: 0 });
        await this.#sendOne(queue, { records: records.slice(half), bytes: 0 });
        return;
      }
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      // Anything but a clear refusal leaves open whether the records are there.
      if (!(error instanceof KafkaError) && this.#producerId !== undefined) this.#broken = error;
      this.#options.onFailed?.({ partition, records, error });
      return;
    }
    queue.nextSequence = incrementSequence(queue.nextSequence, records.length);
    this.#options.onDelivered?.({ partition, records, ...delivery });
  }

  async #deliver(queue: PartitionQueue, records: readonly RecordToWrite[]): Promise<{ baseOffset: number; logAppendTimeMs: number }> {
    const { cluster, compute, codec = 'none', level, topic } = this.#options;
    const bytes = await buildCompressedRecordBatch(compute, records, codec, {
      producerId: this.#producerId?.id ?? NO_PRODUCER_ID,
      producerEpoch: this.#producerId?.epoch ?? NO_PRODUCER_EPOCH,
      baseSequence: this.#producerId === undefined ? NO_SEQUENCE : queue.nextSequence,
      ...(level !== undefined && { level }),
    });
    const endMs = cluster.env.monotonicMs() + (this.#options.deliveryTimeoutMs ?? cluster.timeoutMs);
    for (let failed = 1; ; failed += 1) {
      try {
        return await this.#attempt(queue.partition, bytes);
      } catch (thrown) {
        const waitMs = backoffMs(cluster.env, failed);
        // With acks=0 a broker refuses by closing the connection; it would do so again.
        const mayRetry = this.#acks === 0 ? thrown instanceof KafkaError : isRetriable(thrown) || thrown instanceof RequestTimeoutError;
        if (!mayRetry || cluster.env.monotonicMs() + waitMs >= endMs) throw thrown;
        await pause(cluster.env, waitMs);
        await cluster.topic(topic.name, { fresh: true }).catch(() => undefined); // the next attempt says what is wrong
      }
    }
  }

  async #attempt(partition: number, records: Buffer): Promise<{ baseOffset: number; logAppendTimeMs: number }> {
    const { cluster, topic } = this.#options;
    const link = await cluster.leaderOf(topic.name, partition);
    const { id } = await cluster.topic(topic.name);
    const body = {
      acks: this.#acks,
      timeoutMs: cluster.timeoutMs,
      topicData: [{ name: topic.name, topicId: id ?? ZERO_UUID, partitionData: [{ index: partition, records }] }],
    };
    const options = id === undefined ? { mostVersion: LAST_VERSION_WITH_NAMES } : {};
    if (this.#acks === 0) {
      link.tell(produce, body, options);
      await link.passBy();
      return { baseOffset: -1, logAppendTimeMs: -1 };
    }
    const answer = await link.request(produce, body, options);
    const told = answer.responses[0]?.partitionResponses[0];
    if (told === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the broker left the partition out of its answer');
    // Written already by an attempt whose answer was lost.
    if (told.errorCode === NONE || kafkaErrorOf(told.errorCode, null).errorName === 'DUPLICATE_SEQUENCE_NUMBER') return told;
    throw kafkaErrorOf(told.errorCode, told.recordErrors[0]?.batchIndexErrorMessage ?? told.errorMessage);
  }
}

/** Undefined where the broker gives none: too old, or not to us. */
async function producerIdFrom(cluster: Cluster): Promise<ProducerId | undefined> {
  try {
    return await retrying(cluster.env, { withinMs: cluster.timeoutMs }, async () => {
      const link = await cluster.any();
      const answer = await link.request(initProducerId, { transactionalId: null, transactionTimeoutMs: 60_000 });
      if (answer.errorCode !== NONE) throw kafkaErrorOf(answer.errorCode, null);
      return { id: answer.producerId, epoch: answer.producerEpoch };
    });
  } catch (thrown) {
    const refused = thrown instanceof KafkaError && thrown.errorName === 'CLUSTER_AUTHORIZATION_FAILED';
    if (refused || thrown instanceof UnsupportedApiError) return undefined;
    throw thrown;
  }
}

function sizeOf({ key, value, headers }: RecordToWrite): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers ?? []) bytes += header.key.length + (header.value?.length ?? 0) + 4;
  return bytes;
}
