// Kills the built program again and again while idempotent producers write to it, and checks after every start that each
// acknowledged batch is where it was acknowledged to be, byte for byte, and at the end that every partition holds every
// producer's batches once, in order, without a gap: what was retried after a kill has not been written twice.
//
//   node test/crash/kill-cycles.ts [--cycles 40] [--seed 1] [--set KEY=VALUE ...] [--in DIRECTORY] [--after-kill COMMAND]
//
// With a file system that forgets what was not synced (LazyFS: --in its mount, and a command that writes lazyfs::clear-cache
// into its fifo) each kill is a power loss.
//
// The moment of a kill is a number of acknowledgements drawn from the seed, so that load decides it and not a clock.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../../src/base/memory/random.ts';
import { makeCompute } from '../../src/base/real/compute.ts';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/messages/create-topics.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/messages/fetch.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/messages/init-producer-id.ts';
import { produceRequest, produceResponse } from '../../src/protocol/messages/produce.ts';
import { buildRecordBatch, iterateRecords } from '../../src/protocol/record-batch-records.ts';
import { baseOffsetOf, iterateBatches, lastOffsetOf, sizeInBytesOf } from '../../src/protocol/record-batch.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { freePort, startProgram, type RunningProgram } from '../clients/program.ts';

const { values: flags } = parseArgs({
  options: {
    cycles: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    set: { type: 'string', multiple: true, default: [] },
    in: { type: 'string', default: tmpdir() },
    'after-kill': { type: 'string', default: '' },
  },
});

const TOPIC = 'kill-cycles';
const PARTITIONS = 6;
const PRODUCERS = 4;
const MAX_IN_FLIGHT = 5;
const MAX_ACKS_PER_LIFE = 600;
const compute = makeCompute();
const random = new SeededRandom(Number(flags.seed));
const network = makeRealNetwork();

/** The record that a producer writes as its nth into a partition; anybody can say what it must be. */
function valueOf(producer: number, partition: number, n: number): Buffer {
  const mixed = Math.imul(n + 1, 2654435761) ^ Math.imul(producer + 1, 40503) ^ Math.imul(partition + 7, 69069);
  const length = mixed % 19 === 0 ? 50_000 : 40 + (Math.abs(mixed) % 500);
  const value = Buffer.alloc(length, mixed & 0xff);
  value.write(`${producer} ${partition} ${n} `, 'latin1');
  return value;
}

interface Batch {
  readonly first: number;
  readonly count: number;
  /** Where it was acknowledged to be. */
  baseOffset: number | undefined;
}

/** What one producer has sent to one partition and waits for; it is sent again, as it was, after a kill. */
interface Lane {
  next: number;
  readonly unacknowledged: Batch[];
  readonly acknowledged: Batch[];
}

interface Producer {
  readonly index: number;
  id: number;
  readonly lanes: Lane[];
}

const producers: Producer[] = Array.from({ length: PRODUCERS }, (_, index) => ({
  index,
  id: -1,
  lanes: Array.from({ length: PARTITIONS }, () => ({ next: 0, unacknowledged: [], acknowledged: [] })),
}));

const connect = (port: number): Promise<Connection> => Connection.connect({ network, host: '127.0.0.1', port, clientId: 'kill-cycles' });

function encodeBatch(producer: Producer, partition: number, { first, count }: Batch): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    timestamp: 1_700_000_000_000 + first,
    key: null,
    value: valueOf(producer.index, partition, first + index),
    headers: [],
  }));
  return buildRecordBatch(compute, records, { producerId: producer.id, producerEpoch: 0, baseSequence: first });
}

async function send(connection: Connection, producer: Producer, partition: number, batch: Batch, acknowledged: () => void): Promise<void> {
  const answer = await connection.request({ request: produceRequest, response: produceResponse }, 11, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [
      { name: TOPIC, topicId: ZERO_UUID, partitionData: [{ index: partition, records: encodeBatch(producer, partition, batch) }] },
    ],
  });
  const told = answer.responses[0]?.partitionResponses[0];
  assert.equal(
    told?.errorCode,
    0,
    `producer ${producer.index} partition ${partition} sequence ${batch.first}: ${told?.errorMessage ?? ''}`,
  );
  const lane = producer.lanes[partition] as Lane;
  assert.equal(lane.unacknowledged.shift(), batch, 'answers come in the order of the requests');
  batch.baseOffset = told.baseOffset;
  lane.acknowledged.push(batch);
  acknowledged();
}

/** Writes until the connection breaks. */
async function produce(port: number, producer: Producer, acknowledged: () => void): Promise<void> {
  const connection = await connect(port);
  const pending: Promise<void>[] = [];
  const broken = new AbortController();
  const failures: unknown[] = [];
  const start = (partition: number, batch: Batch): void => {
    pending.push(
      send(connection, producer, partition, batch, acknowledged).catch((thrown: unknown) => {
        broken.abort();
        if (!connection.closed) failures.push(thrown);
      }),
    );
  };
  for (const [partition, { unacknowledged }] of producer.lanes.entries()) for (const batch of unacknowledged) start(partition, batch);
  while (!broken.signal.aborted) {
    for (const [partition, lane] of producer.lanes.entries()) {
      while (lane.unacknowledged.length < MAX_IN_FLIGHT) {
        const count = 1 + (lane.next % 3);
        const batch: Batch = { first: lane.next, count, baseOffset: undefined };
        lane.next += count;
        lane.unacknowledged.push(batch);
        start(partition, batch);
      }
    }
    await Promise.race(pending.splice(0));
  }
  await Promise.allSettled(pending);
  if (failures.length > 0) throw failures[0];
}

/** Every batch of the partition from the offset on, by base offset. */
async function readFrom(connection: Connection, partition: number, from: number): Promise<{ batches: Map<number, Buffer>; end: number }> {
  const batches = new Map<number, Buffer>();
  let fetchOffset = from;
  for (;;) {
    const answer = await connection.request({ request: fetchRequest, response: fetchResponse }, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: TOPIC, topicId: ZERO_UUID, partitions: [{ partition, fetchOffset, partitionMaxBytes: 4_000_000 }] }],
      forgottenTopicsData: [],
    });
    const told = answer.responses[0]?.partitions[0];
    assert.equal(told?.errorCode, 0, `reading partition ${partition} from ${fetchOffset}`);
    const records = told.records ?? Buffer.alloc(0);
    for (const at of iterateBatches(records)) {
      batches.set(baseOffsetOf(records, at), Buffer.from(records.subarray(at, at + sizeInBytesOf(records, at))));
      fetchOffset = lastOffsetOf(records, at) + 1;
    }
    if (fetchOffset >= told.highWatermark) return { batches, end: told.highWatermark };
    assert.ok(records.length > 0, `partition ${partition} gives nothing at ${fetchOffset} below ${told.highWatermark}`);
  }
}

function checkBatch(bytes: Buffer | undefined, producer: Producer, partition: number, batch: Batch): void {
  assert.ok(
    bytes !== undefined,
    `producer ${producer.index}, partition ${partition}: the batch from ${batch.first} was acknowledged at offset ${batch.baseOffset} and is not there`,
  );
  let n = batch.first;
  for (const { value } of iterateRecords(bytes)) {
    assert.ok(
      value?.equals(valueOf(producer.index, partition, n)),
      `producer ${producer.index}, partition ${partition}: record ${n} is another one`,
    );
    n += 1;
  }
  assert.equal(n, batch.first + batch.count);
}

/** Looks at what was acknowledged since the last look. */
async function checkAcknowledged(connection: Connection, checkedBefore: number[][]): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const fresh = producers.map(({ lanes, index }) =>
      (lanes[partition] as Lane).acknowledged.slice(checkedBefore[index]?.[partition] ?? 0),
    );
    const offsets = fresh.flat().map(({ baseOffset }) => baseOffset ?? 0);
    if (offsets.length === 0) continue;
    const { batches } = await readFrom(connection, partition, Math.min(...offsets));
    for (const [index, list] of fresh.entries()) {
      for (const batch of list) checkBatch(batches.get(batch.baseOffset ?? -1), producers[index] as Producer, partition, batch);
      (checkedBefore[index] as number[])[partition] = ((checkedBefore[index] as number[])[partition] ?? 0) + list.length;
    }
  }
}

/** Every record of every producer once, in order. */
async function checkWhole(connection: Connection): Promise<number> {
  let records = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const { batches } = await readFrom(connection, partition, 0);
    const next = producers.map(() => 0);
    let offset = 0;
    for (const [baseOffset, bytes] of batches) {
      assert.equal(baseOffset, offset, `partition ${partition} has a gap before ${baseOffset}`);
      for (const { value } of iterateRecords(bytes)) {
        const [producer = -1, , n = -1] = (value?.toString('latin1', 0, 40) ?? '').split(' ').map(Number);
        assert.equal(n, next[producer], `partition ${partition}: of producer ${producer} record ${next[producer]} should follow`);
        assert.ok(value?.equals(valueOf(producer, partition, n)));
        next[producer] = n + 1;
        offset += 1;
        records += 1;
      }
    }
    for (const { index, lanes } of producers) {
      const last = (lanes[partition] as Lane).acknowledged.at(-1);
      if (last !== undefined)
        assert.ok(
          (next[index] ?? 0) >= last.first + last.count,
          `partition ${partition}: the last acknowledged records of producer ${index} are missing`,
        );
    }
  }
  return records;
}

const program = resolve(import.meta.dirname, '../../dist/bin.cjs');
const dataDirectory = mkdtempSync(join(flags.in, 'bucketrider-kill-'));
const checked = producers.map(() => Array.from({ length: PARTITIONS }, () => 0));
let passed = 0;
let running: RunningProgram | undefined;
try {
  const cycles = Number(flags.cycles);
  for (let cycle = 0; cycle <= cycles; cycle += 1) {
    const port = await freePort();
    const broker = (running = await startProgram({ file: program, port, dataDirectory, settings: flags.set }));
    const connection = await connect(port);
    if (cycle === 0) {
      const created = await connection.request({ request: createTopicsRequest, response: createTopicsResponse }, 7, {
        topics: [
          {
            name: TOPIC,
            numPartitions: PARTITIONS,
            replicationFactor: 1,
            assignments: [],
            configs: [{ name: 'segment.bytes', value: '1048576' }],
          },
        ],
        timeoutMs: 10_000,
        validateOnly: false,
      });
      assert.equal(created.topics[0]?.errorCode, 0);
      for (const producer of producers) {
        const answer = await connection.request({ request: initProducerIdRequest, response: initProducerIdResponse }, 4, {
          transactionalId: null,
          transactionTimeoutMs: 60_000,
        });
        producer.id = answer.producerId;
      }
    }
    await checkAcknowledged(connection, checked);
    if (cycle === cycles) {
      const records = await checkWhole(connection);
      connection.close();
      assert.equal(await broker.stop(), undefined);
      console.log(`ok - after ${cycles} kills all ${records} records are there once and in order`);
      passed += 1;
      break;
    }
    const killAfter = 1 + Math.floor(random.next() * MAX_ACKS_PER_LIFE);
    let acknowledgements = 0;
    const onAcknowledged = (): void => {
      acknowledgements += 1;
      if (acknowledgements === killAfter) void broker.kill();
    };
    const outcomes = await Promise.allSettled(producers.map((producer) => produce(port, producer, onAcknowledged)));
    connection.close();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    await broker.kill();
    if (flags['after-kill'] !== '') execFileSync('sh', ['-c', flags['after-kill']], { stdio: 'inherit' });
    console.log(`ok - life ${cycle + 1}: killed after ${acknowledgements} acknowledgements, ready in ${Math.round(broker.readyMs)} ms`);
    passed += 1;
  }
  rmSync(dataDirectory, { recursive: true, force: true });
  console.log(`${passed} passed, 0 failed`);
} catch (thrown) {
  console.log(`not ok - ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  console.log(`the data is kept in ${dataDirectory}; the broker said:\n${running?.lastLines() ?? ''}`);
  await running?.kill();
  console.log(`${passed} passed, 1 failed`);
  process.exitCode = 1;
}
