// The bytes that are sent, made before the clock starts: batches full of random values, Produce requests around them,
// and the answer each of them should get, so that looking at an answer costs a few reads.
import { randomFillSync } from 'node:crypto';
import { makeCompute } from '../../src/base/real/compute.ts';
import { encodeRequestFrame, encodeResponseFrame } from '../../src/protocol/headers.ts';
import { produceRequest, produceResponse } from '../../src/protocol/messages/produce.ts';
import { RECORD_BATCH_OVERHEAD } from '../../src/protocol/record-batch.ts';
import { buildRecordBatch } from '../../src/protocol/record-batch-records.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import type { BatchShape, ProduceLoad } from './messages.ts';

export const CLIENT_ID = 'bench';
/** The newest version that names topics; later ones want an id, which nothing here would gain from. */
export const PRODUCE_VERSION = 11;
/** Size of the frame, API key, version; the correlation id follows. */
const CORRELATION_ID_AT = 8;
/** Length, attributes, deltas, key and header count of a record of up to 8 KiB, at most. */
const RECORD_OVERHEAD = 14;

export interface SampleBatch {
  readonly bytes: Buffer;
  readonly records: number;
}

/** A batch of the shape, never larger than asked; a single record where more than one would not fit. */
export function sampleBatch({ batchBytes, recordBytes }: BatchShape): SampleBatch {
  const count = Math.max(1, Math.floor((batchBytes - RECORD_BATCH_OVERHEAD) / (recordBytes + RECORD_OVERHEAD)));
  const timestamp = Date.now();
  const records = Array.from({ length: count }, () => ({ timestamp, key: null, value: randomFillSync(Buffer.alloc(recordBytes)) }));
  return { bytes: buildRecordBatch(makeCompute(), records), records: count };
}

/** One request, ready to be sent again as soon as it has been answered. */
export interface PreparedRequest {
  /** Its first buffer belongs to this request alone; the batches are shared by all. */
  readonly buffers: readonly Buffer[];
  readonly batches: number;
}

export function stampCorrelationId({ buffers }: PreparedRequest, correlationId: number): void {
  (buffers[0] as Buffer).writeInt32BE(correlationId, CORRELATION_ID_AT);
}

/** Small requests are one buffer: a system call takes them as they are. */
const JOIN_BELOW_BYTES = 8192;

export function prepareRequest(load: ProduceLoad, batch: SampleBatch, firstPartition: number): PreparedRequest {
  const partitionData = Array.from({ length: load.batchesPerRequest }, (_, nth) => ({
    index: (firstPartition + nth) % load.partitions,
    records: batch.bytes,
  }));
  const buffers = encodeRequestFrame(
    produceRequest,
    { version: PRODUCE_VERSION, correlationId: 0, clientId: CLIENT_ID },
    { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData: [{ name: load.topic, topicId: ZERO_UUID, partitionData }] },
  );
  const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
  // What the encoder hands out lies in memory it shares; a request that lives for the whole run gets its own.
  const owned =
    bytes <= JOIN_BELOW_BYTES ? [Buffer.concat(buffers)] : buffers.map((part) => (part === batch.bytes ? part : Buffer.from(part)));
  return { buffers: owned, batches: load.batchesPerRequest };
}

/** Where to look in the answer to a request that went well. */
export interface ExpectedAnswer {
  /** Without the size before it. */
  readonly bytes: number;
  readonly firstErrorCodeAt: number;
  readonly errorCodeStride: number;
  readonly batches: number;
}

/** Encodes good answers and measures them: the layout is fixed as long as nothing went wrong. */
export function expectedAnswer(load: ProduceLoad): ExpectedAnswer {
  const encodedBytes = (partitions: number): number =>
    encodeGoodAnswer(load.topic, partitions, 0).reduce((sum, { length }) => sum + length, 0) - 4;
  const [one, many] = [encodedBytes(1), encodedBytes(load.batchesPerRequest)];
  const stride = load.batchesPerRequest === 1 ? 0 : Math.floor((many - one) / (load.batchesPerRequest - 1));
  // Correlation id, tags, topic count, name and its length, partition count; then the partition's index.
  const lengthBytes = (count: number): number => (count + 1 < 0x80 ? 1 : 2);
  const prefix = 4 + 1 + 1 + lengthBytes(load.topic.length) + load.topic.length + lengthBytes(load.batchesPerRequest);
  return { bytes: many, firstErrorCodeAt: prefix + 4, errorCodeStride: stride, batches: load.batchesPerRequest };
}

/** As the broker would answer: all partitions from 0 on taken, at offset 0. */
export function encodeGoodAnswer(topic: string, partitions: number, correlationId: number): Buffer[] {
  const partitionResponses = Array.from({ length: partitions }, (_, index) => ({
    index,
    errorCode: 0,
    baseOffset: 0,
    logStartOffset: 0,
    recordErrors: [],
  }));
  return encodeResponseFrame(
    produceResponse,
    { version: PRODUCE_VERSION, correlationId },
    { responses: [{ name: topic, topicId: ZERO_UUID, partitionResponses }] },
  );
}
