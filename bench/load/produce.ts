// Produce load: every connection keeps so many requests in flight, or sends each when it is due. A request that is due
// and cannot be sent yet is late from the moment it was due, so a server that stalls cannot hide the requests it delayed.
import { setTimeout as sleep } from 'node:timers/promises';
import { decode } from '../../src/protocol/codec.ts';
import { decodeResponseHeader } from '../../src/protocol/headers.ts';
import { produceResponse } from '../../src/protocol/messages/produce.ts';
import { Reader } from '../../src/protocol/reader.ts';
import {
  expectedAnswer,
  prepareRequest,
  PRODUCE_VERSION,
  sampleBatch,
  stampCorrelationId,
  type ExpectedAnswer,
  type PreparedRequest,
  type SampleBatch,
} from './batches.ts';
import { openLoadConnection, type LoadConnection } from './connection.ts';
import type { LoadResult, ProduceLoad } from './messages.ts';
import { Tally } from './tally.ts';

/** A paced load looks at its schedule this often. */
const PACE_MS = 1;
/** A paced load that is so many requests behind has met a server that cannot take the rate. */
const MOST_BEHIND = 200_000;

/** What the connections of one load share. */
interface Run {
  readonly load: ProduceLoad;
  readonly batch: SampleBatch;
  readonly expected: ExpectedAnswer;
  readonly tally: Tally;
  stopping: boolean;
  requestsLeft: number;
  readonly fail: (error: Error) => void;
}

class Producer {
  readonly #run: Run;
  readonly #requests: PreparedRequest[];
  readonly #sentMs: number[] = [];
  #connection!: LoadConnection;
  #sent = 0;
  #answered = 0;
  /** Due times of requests that wait for their turn; of a paced load only. */
  readonly #due: number[] = [];

  constructor(run: Run, index: number) {
    this.#run = run;
    const { load, batch } = run;
    const spans = Math.ceil(load.partitions / load.batchesPerRequest);
    const first = Math.floor((index * spans) / load.connections);
    // One more than can be in flight: what is sent again has been answered, so its bytes have left.
    const count = Math.max(load.inFlight + 1, spans);
    this.#requests = Array.from({ length: count }, (_, nth) =>
      prepareRequest(load, batch, ((first + nth) % spans) * load.batchesPerRequest),
    );
  }

  async open(): Promise<void> {
    this.#connection = await openLoadConnection(this.#run.load, {
      onAnswer: (start, bytes) => this.#takeAnswer(start, bytes),
      onTurn: () => this.refill(),
      onLost: this.#run.fail,
    });
  }

  get inFlight(): number {
    return this.#sent - this.#answered;
  }

  get behind(): number {
    return this.#due.length;
  }

  close(): void {
    this.#connection.close();
  }

  due(dueMs: number): void {
    this.#due.push(dueMs);
  }

  /** Sends what may be sent, in one piece. */
  refill(): void {
    const { load, stopping } = this.#run;
    const paced = load.requestsPerSecond > 0;
    const room = load.inFlight - this.inFlight;
    const count = Math.min(room, paced ? this.#due.length : room, this.#run.requestsLeft);
    if (count <= 0 || stopping) return;
    this.#run.requestsLeft -= count;
    const nowMs = performance.now();
    this.#connection.cork();
    for (let nth = 0; nth < count; nth += 1) {
      const request = this.#requests[this.#sent % this.#requests.length] as PreparedRequest;
      stampCorrelationId(request, this.#sent);
      this.#sentMs.push(paced ? (this.#due.shift() ?? nowMs) : nowMs);
      this.#sent += 1;
      this.#connection.send(request.buffers);
    }
    this.#connection.uncork();
  }

  #takeAnswer(start: Buffer, bytes: number): void {
    const { expected, tally, batch, load } = this.#run;
    if (start.readInt32BE(0) !== this.#answered) {
      this.#run.fail(new Error(`an answer to request ${start.readInt32BE(0)} where ${this.#answered} was next`));
      return;
    }
    if (bytes !== expected.bytes || !allWell(start, expected)) {
      this.#run.fail(new Error(explain(start)));
      return;
    }
    this.#answered += 1;
    const nowMs = performance.now();
    const latencyMs = nowMs - (this.#sentMs.shift() ?? nowMs);
    tally.add({ nowMs, latencyMs, bytes: load.batchesPerRequest * batch.bytes.length, records: load.batchesPerRequest * batch.records });
  }
}

function allWell(start: Buffer, { firstErrorCodeAt, errorCodeStride, batches }: ExpectedAnswer): boolean {
  for (let nth = 0; nth < batches; nth += 1) if (start.readInt16BE(firstErrorCodeAt + nth * errorCodeStride) !== 0) return false;
  return true;
}

function explain(frame: Buffer): string {
  const reader = new Reader(frame);
  decodeResponseHeader(produceResponse, PRODUCE_VERSION, reader);
  const { responses } = decode(produceResponse, PRODUCE_VERSION, reader);
  const refused = responses.flatMap(({ partitionResponses }) => partitionResponses).find(({ errorCode }) => errorCode !== 0);
  return refused === undefined
    ? `an answer of ${frame.length} bytes is not shaped as expected`
    : `partition ${refused.index} answers error ${refused.errorCode} ${refused.errorMessage ?? ''}`;
}

export async function produce(load: ProduceLoad): Promise<LoadResult> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // heard below, or not needed any more
  const batch = sampleBatch(load);
  const run: Run = {
    load,
    batch,
    expected: expectedAnswer(load),
    tally: new Tally(),
    stopping: false,
    requestsLeft: load.totalRequests || Infinity,
    fail: failed.reject,
  };
  const producers = Array.from({ length: load.connections }, (_, index) => new Producer(run, index));
  for (const producer of producers) await producer.open();
  const pacing = load.requestsPerSecond > 0 ? pace(run, producers) : undefined;
  for (const producer of producers) producer.refill();
  try {
    return await Promise.race([failed.promise, ...(pacing === undefined ? [] : [pacing.failed]), measure(run, producers)]);
  } finally {
    pacing?.stop();
    for (const producer of producers) producer.close();
  }
}

async function measure(run: Run, producers: readonly Producer[]): Promise<LoadResult> {
  await sleep(run.load.warmUpMs);
  run.tally.begin();
  if (run.load.totalRequests > 0) while (run.requestsLeft > 0 || producers.some(({ inFlight }) => inFlight > 0)) await sleep(5);
  else await sleep(run.load.measureMs);
  run.tally.end();
  run.stopping = true;
  while (producers.some(({ inFlight }) => inFlight > 0)) await sleep(1);
  return run.tally.result();
}

/** How many requests are due by then: the first at once, each next one an interval later. */
export function dueBy(elapsedMs: number, requestsPerSecond: number): number {
  return Math.floor((elapsedMs / 1000) * requestsPerSecond) + 1;
}

/** Hands due requests to the connections in turn. */
function pace({ load }: Run, producers: readonly Producer[]): { stop: () => void; failed: Promise<never> } {
  const startMs = performance.now();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let scheduled = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (; scheduled < dueBy(nowMs - startMs, load.requestsPerSecond); scheduled += 1)
      producers[scheduled % producers.length]?.due(startMs + (scheduled / load.requestsPerSecond) * 1000);
    for (const producer of producers) producer.refill();
    if (producers.some(({ behind }) => behind > MOST_BEHIND)) failed.reject(new Error('the server does not take the rate'));
  }, PACE_MS);
  return { stop: () => clearInterval(timer), failed: failed.promise };
}
