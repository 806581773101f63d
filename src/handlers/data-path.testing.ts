// What tests of producing and reading share: a topic, a batch, and the three requests in any version.
import assert from 'node:assert/strict';
import type { TestBroker } from '../assemble/broker.testing.ts';
import { makeCompute } from '../base/real/compute.ts';
import type { Connection } from '../client/connection.ts';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { fetchRequest, fetchResponse, type FetchResponse } from '../protocol/messages/fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import { produceRequest, produceResponse, type ProduceResponse } from '../protocol/messages/produce.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { decodeRecords, buildRecordBatch, type BuildOptions, type RecordToWrite } from '../protocol/record-batch-records.ts';
import { buildEndTransactionMarker } from '../protocol/record-batch-control.ts';
import { iterateBatches, sizeInBytesOf } from '../protocol/record-batch.ts';
import { prepareOwn } from '../storage/log/prepare.ts';

export const compute = makeCompute();
export const TOPIC = 'orders';

export async function createTopic(
  { client }: Pick<TestBroker, 'client'>,
  options: { name?: string; partitions?: number; configs?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const answer = await client.request({ request: createTopicsRequest, response: createTopicsResponse }, 7, {
    topics: [
      {
        name: options.name ?? TOPIC,
        numPartitions: options.partitions ?? 1,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(options.configs ?? {}).map(([name, value]) => ({ name, value })),
      },
    ],
    timeoutMs: 1000,
    validateOnly: false,
  });
  assert.equal(answer.topics[0]?.errorCode, 0, answer.topics[0]?.errorMessage ?? '');
  return answer.topics[0]?.topicId ?? ZERO_UUID;
}

/** A batch of one record for each value; timestamps count up from 1,000 below the clock. */
export function batchOf(
  values: readonly (string | null)[],
  options: BuildOptions & { timestamp?: number; key?: string | null } = {},
): Buffer {
  const first = options.timestamp ?? Date.UTC(2024, 0, 1) - 1000;
  const records = values.map((value, index): RecordToWrite => ({
    timestamp: first + index,
    key: options.key == null ? null : Buffer.from(options.key),
    value: value === null ? null : Buffer.from(value),
    headers: [],
  }));
  return buildRecordBatch(compute, records, options);
}

export type PartitionProduced = ProduceResponse['responses'][number]['partitionResponses'][number];

export async function produce(
  client: Connection,
  records: Buffer | null,
  options: { version?: number; acks?: number; partition?: number; topic?: string; topicId?: string } = {},
): Promise<PartitionProduced> {
  const answer = await client.request({ request: produceRequest, response: produceResponse }, options.version ?? 11, {
    transactionalId: null,
    acks: options.acks ?? -1,
    timeoutMs: 1000,
    topicData: [
      {
        name: options.topic ?? TOPIC,
        topicId: options.topicId ?? ZERO_UUID,
        partitionData: [{ index: options.partition ?? 0, records }],
      },
    ],
  });
  const told = answer.responses[0]?.partitionResponses[0];
  assert.ok(told);
  return told;
}

export interface FetchAsked {
  readonly partition?: number;
  readonly offset: number;
  readonly maxBytes?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
  readonly topic?: string;
  readonly topicId?: string;
}

export interface FetchOptions {
  readonly version?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly isolationLevel?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
}

export function fetchAll(client: Connection, asked: readonly FetchAsked[], options: FetchOptions = {}): Promise<FetchResponse> {
  const { version = 12, ...rest } = options;
  return client.request({ request: fetchRequest, response: fetchResponse }, version, {
    maxWaitMs: 0,
    minBytes: 0,
    ...rest,
    topics: asked.map(({ partition = 0, offset, maxBytes = 1_000_000, topic = TOPIC, topicId = ZERO_UUID, ...epochs }) => ({
      topic,
      topicId,
      partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes, ...epochs }],
    })),
    forgottenTopicsData: [],
  });
}

export type PartitionFetched = FetchResponse['responses'][number]['partitions'][number];

export async function fetchOne(
  client: Connection,
  offset: number,
  options: FetchOptions & Omit<FetchAsked, 'offset'> = {},
): Promise<PartitionFetched> {
  const { partition, currentLeaderEpoch, lastFetchedEpoch, topic, topicId, ...rest } = options;
  const asked = {
    offset,
    ...(partition !== undefined && { partition }),
    ...(currentLeaderEpoch !== undefined && { currentLeaderEpoch }),
    ...(lastFetchedEpoch !== undefined && { lastFetchedEpoch }),
    ...(topic !== undefined && { topic }),
    ...(topicId !== undefined && { topicId }),
  };
  const answer = await fetchAll(client, [asked], rest);
  assert.equal(answer.errorCode, 0);
  const told = answer.responses[0]?.partitions[0];
  assert.ok(told);
  return told;
}

/**
 * Appends records of a producer's transaction to partition 0, or its end; as its coordinator would, since there is none yet
 * that a client could ask.
 */
export async function appendInTransaction(
  { broker }: Pick<TestBroker, 'broker'>,
  what: readonly string[] | 'commit' | 'abort',
  { producerId = 900, baseSequence = 0, topic = TOPIC }: { producerId?: number; baseSequence?: number; topic?: string } = {},
): Promise<void> {
  const image = broker.image.findTopic(topic);
  assert.ok(image);
  const log = broker.partitions.ledHere(image, 0);
  const timestamp = Date.UTC(2024, 0, 1);
  const isEnd = what === 'commit' || what === 'abort';
  const batch = isEnd
    ? buildEndTransactionMarker(compute, what === 'commit' ? 'COMMIT' : 'ABORT', {
        producerId,
        producerEpoch: 0,
        coordinatorEpoch: 0,
        timestamp,
      })
    : batchOf(what, { producerId, producerEpoch: 0, baseSequence, isTransactional: true });
  const prepared = Object.assign(prepareOwn(batch), { marker: isEnd ? { outcome: what, coordinatorEpoch: 0 } : undefined });
  await log.append(prepared, { origin: 'coordinator', expectedLeaderEpoch: log.leaderEpoch }).committed.wait();
}

/** `offset:value` of each record in an answer. */
export async function recordsOf({ records }: Pick<PartitionFetched, 'records'>): Promise<string[]> {
  const found: string[] = [];
  for (const at of iterateBatches(records ?? Buffer.alloc(0))) {
    const batch = (records as Buffer).subarray(at, at + sizeInBytesOf(records as Buffer, at));
    for (const { offset, value } of await decodeRecords(compute, batch, 1_000_000)) found.push(`${offset}:${value?.toString() ?? 'null'}`);
  }
  return found;
}

export async function offsetAt(
  client: Connection,
  timestamp: number,
  options: { version?: number; isolationLevel?: number; currentLeaderEpoch?: number; partition?: number; topic?: string } = {},
): Promise<{ errorCode: number; timestamp: number; offset: number; leaderEpoch: number }> {
  const answer = await client.request({ request: listOffsetsRequest, response: listOffsetsResponse }, options.version ?? 9, {
    replicaId: -1,
    isolationLevel: options.isolationLevel ?? 0,
    topics: [
      {
        name: options.topic ?? TOPIC,
        partitions: [{ partitionIndex: options.partition ?? 0, currentLeaderEpoch: options.currentLeaderEpoch ?? -1, timestamp }],
      },
    ],
    timeoutMs: 0,
  });
  const told = answer.topics[0]?.partitions[0];
  assert.ok(told);
  return { errorCode: told.errorCode, timestamp: told.timestamp, offset: told.offset, leaderEpoch: told.leaderEpoch };
}
