// Fetch load: every connection reads its partition from one offset to another, one request at a time, and throws the
// records away. Knows the shape of the batches in the log, so it need not look into them to know where it has come to.
import { encodeRequestFrame } from '../../src/protocol/headers.ts';
import { fetchRequest } from '../../src/protocol/messages/fetch.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { CLIENT_ID, sampleBatch, type SampleBatch } from './batches.ts';
import { openLoadConnection, type LoadConnection } from './connection.ts';
import type { FetchLoad, LoadResult } from './messages.ts';
import { Tally } from './tally.ts';

/** The last version whose answer has no variable lengths before the records. */
const FETCH_VERSION = 11;
const MAX_WAIT_MS = 500;

interface Run {
  readonly load: FetchLoad;
  readonly batch: SampleBatch;
  readonly tally: Tally;
  stopping: boolean;
  reading: number;
  readonly fail: (error: Error) => void;
}

class Consumer {
  readonly #run: Run;
  readonly #partition: number;
  #connection!: LoadConnection;
  #offset: number;
  #sentMs = 0;
  #done = false;

  constructor(run: Run, index: number) {
    this.#run = run;
    this.#partition = index % run.load.partitions;
    this.#offset = run.load.fromOffset;
  }

  async open(): Promise<void> {
    this.#connection = await openLoadConnection(this.#run.load, {
      onAnswer: (start, bytes) => this.#takeAnswer(start, bytes),
      onTurn: () => undefined,
      onLost: this.#run.fail,
    });
  }

  close(): void {
    this.#connection.close();
  }

  ask(): void {
    const { load } = this.#run;
    this.#sentMs = performance.now();
    const partition = { partition: this.#partition, fetchOffset: this.#offset, partitionMaxBytes: load.maxBytes };
    const request = {
      maxWaitMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: Math.max(load.maxBytes, 50 * 1024 * 1024),
      topics: [{ topic: load.topic, topicId: ZERO_UUID, partitions: [partition] }],
      forgottenTopicsData: [],
    };
    this.#connection.send(encodeRequestFrame(fetchRequest, { version: FETCH_VERSION, correlationId: 1, clientId: CLIENT_ID }, request));
  }

  #takeAnswer(start: Buffer, frameBytes: number): void {
    const { load, batch, tally, stopping } = this.#run;
    const { errorCode, recordBytes } = openingOf(start, frameBytes);
    if (errorCode !== 0) {
      this.#run.fail(new Error(`a fetch of partition ${this.#partition} at ${this.#offset} answers error ${errorCode}`));
      return;
    }
    // A cut-off batch at the end is not one; Kafka may send such.
    const batches = Math.floor(recordBytes / batch.bytes.length);
    const nowMs = performance.now();
    tally.add({ nowMs, latencyMs: nowMs - this.#sentMs, bytes: batches * batch.bytes.length, records: batches * batch.records });
    this.#offset += batches * batch.records;
    if (this.#offset >= load.toOffset) {
      this.#offset = load.fromOffset;
      if (load.once) this.#done = true;
    }
    if (!stopping && !this.#done) this.ask();
    else this.#run.reading -= 1;
  }
}

/** Of an answer in version 11 with one topic and one partition. */
function openingOf(start: Buffer, frameBytes: number): { errorCode: number; recordBytes: number } {
  const wholeError = start.readInt16BE(8); // correlation id, throttle time; the error; session id; topic count
  if (wholeError !== 0) return { errorCode: wholeError, recordBytes: 0 };
  const partitionAt = 18 + 2 + start.readInt16BE(18) + 4;
  const errorCode = start.readInt16BE(partitionAt + 4);
  const aborted = start.readInt32BE(partitionAt + 30); // behind high watermark, last stable offset and log start offset
  const recordsAt = partitionAt + 34 + Math.max(0, aborted) * 16 + 4;
  const recordBytes = Math.max(0, start.readInt32BE(recordsAt));
  if (recordsAt + 4 + recordBytes !== frameBytes) throw new Error('a fetch answer is not shaped as expected');
  return { errorCode, recordBytes };
}

export async function fetchAll(load: FetchLoad): Promise<LoadResult> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // heard below, or not needed any more
  const run: Run = {
    load,
    batch: sampleBatch(load),
    tally: new Tally(),
    stopping: false,
    reading: load.connections,
    fail: failed.reject,
  };
  const consumers = Array.from({ length: load.connections }, (_, index) => new Consumer(run, index));
  for (const consumer of consumers) await consumer.open();
  for (const consumer of consumers) consumer.ask();
  try {
    return await Promise.race([failed.promise, measure(run)]);
  } finally {
    for (const consumer of consumers) consumer.close();
  }
}

async function measure(run: Run): Promise<LoadResult> {
  const { load, tally } = run;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
  await pause(load.warmUpMs);
  tally.begin();
  if (load.once) while (run.reading > 0) await pause(1);
  else await pause(load.measureMs);
  tally.end();
  run.stopping = true;
  while (run.reading > 0) await pause(1);
  return tally.result();
}
