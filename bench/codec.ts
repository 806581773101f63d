// How fast the compiled codecs are beside code written by hand: Produce and Fetch at every version, both directions, a
// small and a large message each. Run by `node bench/codec.ts`; `--quick` measures the oldest and newest versions only,
// and any other argument, such as `FetchRequest`, only that message.
// Rounds of both sides alternate and the best round of each counts, so that a busy machine blurs both alike.
import assert from 'node:assert/strict';
import { decode, encode } from '../src/protocol/codec.ts';
import { fetchRequest, fetchResponse, type FetchRequest, type FetchResponse } from '../src/protocol/messages/fetch.ts';
import { produceRequest, produceResponse, type ProduceRequest, type ProduceResponse } from '../src/protocol/messages/produce.ts';
import { Reader, ZERO_UUID } from '../src/protocol/reader.ts';
import type { Message } from '../src/protocol/schema.ts';
import { Writer } from '../src/protocol/writer.ts';
import { tell } from './alone.ts';
import * as hand from './codec-by-hand.ts';

const RECORDS = Buffer.alloc(1024, 'x');
const BIG_OFFSET = 5_000_000_000;

interface Size {
  readonly label: string;
  readonly topics: number;
  readonly partitions: number;
}

const SIZES: readonly Size[] = [
  { label: 'small', topics: 1, partitions: 2 },
  { label: 'large', topics: 10, partitions: 100 },
];

const list = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const nameOf = (index: number): string => `orders-in-region-${index}`;
const idOf = (index: number): string => Buffer.alloc(16, index + 1).toString('base64url');

/** Names where the version has names, ids where it has ids: what is decoded then equals what was encoded. */
const called = (index: number, byId: boolean): { name: string; topicId: string } =>
  byId ? { name: '', topicId: idOf(index) } : { name: nameOf(index), topicId: ZERO_UUID };

function aProduceRequest(version: number, size: Size): ProduceRequest {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: list(size.topics, (topic) => ({
      ...called(topic, version >= 13),
      partitionData: list(size.partitions, (index) => ({ index, records: RECORDS })),
    })),
  };
}

function aProduceResponse(version: number, size: Size): ProduceResponse {
  return {
    responses: list(size.topics, (topic) => ({
      ...called(topic, version >= 13),
      partitionResponses: list(size.partitions, (index) => ({
        index,
        errorCode: 0,
        baseOffset: BIG_OFFSET + index,
        logAppendTimeMs: -1,
        logStartOffset: version >= 5 ? 7 : -1,
        recordErrors: [],
        errorMessage: null,
        currentLeader: { leaderId: -1, leaderEpoch: -1 },
      })),
    })),
    throttleTimeMs: 0,
    nodeEndpoints: [],
  };
}

function aFetchRequest(version: number, size: Size): FetchRequest {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 52_428_800,
    isolationLevel: 1,
    sessionId: version >= 7 ? 1_234_567 : 0,
    sessionEpoch: version >= 7 ? 12 : -1,
    topics: list(size.topics, (topic) => {
      const { name, topicId } = called(topic, version >= 13);
      return {
        topic: name,
        topicId,
        partitions: list(size.partitions, (partition) => ({
          partition,
          currentLeaderEpoch: version >= 9 ? 4 : -1,
          fetchOffset: BIG_OFFSET + partition,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: 1_048_576,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: version >= 18 ? BIG_OFFSET : Number.MAX_SAFE_INTEGER,
        })),
      };
    }),
    forgottenTopicsData: [],
    rackId: '',
  };
}

function aFetchResponse(version: number, size: Size): FetchResponse {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: version >= 7 ? 1_234_567 : 0,
    responses: list(size.topics, (topic) => {
      const { name, topicId } = called(topic, version >= 13);
      return {
        topic: name,
        topicId,
        partitions: list(size.partitions, (partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          highWatermark: BIG_OFFSET + partitionIndex,
          lastStableOffset: BIG_OFFSET,
          logStartOffset: version >= 5 ? 7 : -1,
          divergingEpoch: { epoch: -1, endOffset: -1 },
          // Every tenth partition has moved, so that tags are part of the measurement.
          currentLeader: version >= 12 && partitionIndex % 10 === 9 ? { leaderId: 2, leaderEpoch: 9 } : { leaderId: -1, leaderEpoch: -1 },
          snapshotId: { endOffset: -1, epoch: -1 },
          abortedTransactions: partitionIndex % 4 === 1 ? [{ producerId: 4001, firstOffset: BIG_OFFSET }] : null,
          preferredReadReplica: -1,
          records: RECORDS,
        })),
      };
    }),
    nodeEndpoints: version >= 16 ? [{ nodeId: 2, host: 'broker-2.example', port: 9092, rack: null }] : [],
  };
}

interface Subject {
  readonly message: Message;
  readonly sample: (version: number, size: Size) => unknown;
  readonly read: (version: number, buffer: Buffer) => unknown;
  readonly write: (version: number, value: never) => Buffer[];
}

const SUBJECTS: readonly Subject[] = [
  { message: produceRequest, sample: aProduceRequest, read: hand.readProduceRequest, write: hand.writeProduceRequest },
  { message: produceResponse, sample: aProduceResponse, read: hand.readProduceResponse, write: hand.writeProduceResponse },
  { message: fetchRequest, sample: aFetchRequest, read: hand.readFetchRequest, write: hand.writeFetchRequest },
  { message: fetchResponse, sample: aFetchResponse, read: hand.readFetchResponse, write: hand.writeFetchResponse },
];

const ROUNDS = 30;
const ROUND_MS = 4;

/** Milliseconds. Rounds are short, so that some of them have the processor to themselves; processor time would be counted in coarser ticks. */
function runOnce(work: () => unknown, times: number): number {
  const begin = performance.now();
  for (let index = 0; index < times; index++) kept = work();
  return performance.now() - begin;
}

/** Keeps results from being optimized away. */
let kept: unknown;

/** Operations a second of both. */
function race(ours: () => unknown, byHand: () => unknown): [number, number] {
  const contestants = [ours, byHand].map((work) => {
    let times = 1;
    while (runOnce(work, times) < ROUND_MS && times < 2 ** 24) times *= 2; // also warms up
    runOnce(work, times);
    return { work, times, best: Infinity };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const contestant of contestants) {
      contestant.best = Math.min(contestant.best, runOnce(contestant.work, contestant.times));
    }
  }
  const [first = 0, second = 0] = contestants.map(({ times, best }) => (times / best) * 1000);
  return [first, second];
}

const worst = { ratio: 0, what: '' };

function report(what: string, [ours, byHand]: [number, number]): void {
  const ratio = byHand / ours;
  if (ratio > worst.ratio) Object.assign(worst, { ratio, what });
  const show = (rate: number): string => Math.round(rate).toLocaleString('en').padStart(12);
  console.log(`${what.padEnd(38)}${show(ours)}${show(byHand)}   ${ratio.toFixed(2)}${ratio > 1.5 ? '  ABOVE 1.5' : ''}`);
}

const quick = process.argv.includes('--quick');
const only = process.argv.slice(2).filter((argument) => argument !== '--quick');
console.log(`${''.padEnd(38)}${'ops/s'.padStart(12)}${'by hand'.padStart(12)}   time, by hand = 1`);
for (const { message, sample, read, write } of SUBJECTS) {
  if (only.length > 0 && !only.includes(message.name)) continue;
  for (let version = message.versions.min; version <= message.versions.max; version++) {
    if (quick && version !== message.versions.min && version !== message.versions.max) continue;
    for (const size of SIZES) {
      const value = sample(version, size);
      const ours = (): Buffer[] => {
        const writer = new Writer();
        encode(message, version, value as never, writer);
        return writer.buffers();
      };
      const byHand = (): Buffer[] => write(version, value as never);
      const bytes = Buffer.concat(ours());
      assert.deepEqual(Buffer.concat(byHand()), bytes, `${message.name} v${version}`);
      const decoded = decode(message, version, new Reader(bytes));
      assert.deepEqual(decoded, value);
      assert.deepEqual(read(version, bytes), value);
      const label = `${message.name} v${version} ${size.label}`;
      report(
        `${label} decode`,
        race(
          () => decode(message, version, new Reader(bytes)),
          () => read(version, bytes),
        ),
      );
      report(`${label} encode`, race(ours, byHand));
    }
  }
}
tell('time, by hand = 1', worst.ratio);
console.log(`worst: ${worst.ratio.toFixed(2)} (${worst.what})`);
assert.notEqual(kept, undefined);
if (process.connected) process.disconnect();
