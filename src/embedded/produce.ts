// Appends records of a program in the same process: chooses partitions, builds batches within the topic's limit, and
// hands them to the Produce handler, so that the rules are those of every producer. No socket is involved.
import type { Broker } from '../broker/broker.ts';
import type { TopicImage } from '../broker/image/metadata-image.ts';
import type { RequestContext } from '../handlers/handler.ts';
import { handleProduce } from '../handlers/produce.ts';
import { present } from '../base/invariant.ts';
import { partitionOf } from '../protocol/default-partitioner.ts';
import { errorNameOf, NONE } from '../protocol/errors.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { buildRecordBatch } from '../protocol/record-batch-records.ts';
import { RECORD_BATCH_OVERHEAD } from '../protocol/record-batch.ts';
import { ArrivalOrder } from '../server/arrival-order.ts';
import type { RecordInput, RecordMetadata } from './api.ts';
import { outgoingRecord, type OutgoingRecord } from './record.ts';
import { missingPartition, missingTopic, refusal, refusalOf } from './refusal.ts';

const PRODUCE = 0;
/** The last version that names topics. */
const PRODUCE_VERSION = 12;
const ALL_REPLICAS = -1;
/** More than length, attributes, deltas and counts of a record, or length fields of a header, can take. */
const RECORD_OVERHEAD_BYTES = 48;
const HEADER_OVERHEAD_BYTES = 10;

/** Records of one partition that go in one batch, with their places in the caller's list. */
interface Batch {
  readonly partition: number;
  readonly records: OutgoingRecord[];
  readonly places: number[];
  bytes: number;
}

export class LocalProducer {
  readonly #broker: Broker;
  readonly #signal: AbortSignal;
  readonly #order = new ArrivalOrder();
  /** The partition that a record without a key goes to next, by topic id. */
  readonly #turns = new Map<string, number>();

  constructor(broker: Broker, ended: AbortSignal) {
    this.#broker = broker;
    this.#signal = ended;
  }

  /** @throws InvalidArgumentError, RequestRefusedError */
  async produce(topicName: string, inputs: readonly RecordInput[]): Promise<RecordMetadata[]> {
    const { env } = this.#broker;
    const nowMs = env.wallMs();
    const records = inputs.map((input) => outgoingRecord(input, nowMs));
    if (records.length === 0) return [];
    const place = this.#order.enter();
    try {
      const topic = this.#broker.image.findTopic(topicName) ?? (await this.#create(topicName));
      const metadata: RecordMetadata[] = [];
      for (const batches of this.#rounds(topic, records)) await this.#send(topic, batches, place, metadata);
      return metadata;
    } finally {
      this.#order.pass(place);
    }
  }

  /** As a client's first use of a topic does. */
  async #create(name: string): Promise<TopicImage> {
    const { config, topics, image } = this.#broker;
    if (!config['auto.create.topics.enable']) throw missingTopic(image, name);
    const refused = (await topics.createOnFirstUse([name])).get(name);
    if (refused !== undefined) throw refusalOf(refused, image, name);
    return present(image.findTopic(name), 'a topic that was created');
  }

  /** Each round holds at most one batch for a partition; what does not fit goes into the next one. */
  #rounds(topic: TopicImage, records: readonly OutgoingRecord[]): Batch[][] {
    const limit = this.#broker.partitions.ledHere(topic, 0).config['max.message.bytes'];
    const batches = new Map<number, Batch[]>();
    for (const [place, record] of records.entries()) {
      const partition = this.#partitionFor(topic, record);
      const bytes = sizeAtMost(record);
      let ofPartition = batches.get(partition);
      if (ofPartition === undefined) batches.set(partition, (ofPartition = []));
      let batch = ofPartition.at(-1);
      if (batch === undefined || batch.bytes + bytes > limit) {
        batch = { partition, records: [], places: [], bytes: RECORD_BATCH_OVERHEAD };
        ofPartition.push(batch);
      }
      batch.records.push(record);
      batch.places.push(place);
      batch.bytes += bytes;
    }
    const rounds: Batch[][] = [];
    for (const ofPartition of batches.values()) for (const [round, batch] of ofPartition.entries()) (rounds[round] ??= []).push(batch);
    return rounds;
  }

  #partitionFor(topic: TopicImage, { partition, key }: OutgoingRecord): number {
    const count = topic.partitions.length;
    if (partition !== undefined) {
      if (topic.partitions[partition] === undefined) throw missingPartition(topic, partition);
      return partition;
    }
    if (key !== null) return partitionOf(key, count);
    const turn = this.#turns.get(topic.id) ?? 0;
    this.#turns.set(topic.id, turn + 1);
    return turn % count;
  }

  async #send(topic: TopicImage, batches: readonly Batch[], place: number, metadata: RecordMetadata[]): Promise<void> {
    const { env, image } = this.#broker;
    const answer = await handleProduce(
      {
        transactionalId: null,
        acks: ALL_REPLICAS,
        timeoutMs: 0,
        topicData: [
          {
            name: topic.name,
            topicId: ZERO_UUID,
            partitionData: batches.map(({ partition, records }) => ({ index: partition, records: buildRecordBatch(env.compute, records) })),
          },
        ],
      },
      this.#context(place),
    );
    const answers = answer?.responses[0]?.partitionResponses ?? [];
    for (const [at, { partition, records, places }] of batches.entries()) {
      const { errorCode, errorMessage, baseOffset, logAppendTimeMs } = present(answers[at], 'the answer for a partition');
      if (errorCode !== NONE) {
        const name = errorNameOf(errorCode);
        throw refusal(name === undefined || name === 'NONE' ? 'UNKNOWN_SERVER_ERROR' : name, errorMessage ?? null, image, topic.name);
      }
      for (const [index, { timestamp }] of records.entries()) {
        metadata[present(places[index], 'the place of a record')] = {
          topic: topic.name,
          partition,
          offset: baseOffset + index,
          timestamp: logAppendTimeMs === undefined || logAppendTimeMs < 0 ? timestamp : logAppendTimeMs,
        };
      }
    }
  }

  /** The program that holds the broker is its owner, and may do everything. */
  #context(place: number): RequestContext {
    const { env, log } = this.#broker;
    return {
      broker: this.#broker,
      connection: inProcess,
      apiKey: PRODUCE,
      apiVersion: PRODUCE_VERSION,
      clientId: 'bucketrider-embedded',
      principal: 'User:ANONYMOUS',
      receivedMs: env.monotonicMs(),
      signal: this.#signal,
      log,
      authorize() {},
      inArrivalOrder: (stage) => this.#order.run(place, stage),
    };
  }
}

const inProcess: RequestContext['connection'] = {
  id: 0,
  listenerName: 'in process',
  localAddress: '127.0.0.1',
  localPort: 0,
  advertised: { host: 'localhost', port: 0 },
  remoteAddress: '127.0.0.1',
  remotePort: 0,
  clientSoftwareName: 'bucketrider',
  clientSoftwareVersion: '',
};

function sizeAtMost({ key, value, headers = [] }: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  // A character of a name takes three bytes at most.
  for (const header of headers) bytes += HEADER_OVERHEAD_BYTES + header.key.length * 3 + (header.value?.length ?? 0);
  return bytes;
}
