import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeCompute } from '../base/real/compute.ts';
import { kafkaErrors } from '../protocol/errors.ts';
import type { FetchRequest } from '../protocol/messages/fetch.ts';
import type { ListOffsetsRequest } from '../protocol/messages/list-offsets.ts';
import { buildEndTransactionMarker } from '../protocol/record-batch-control.ts';
import { buildRecordBatch, type BuildOptions } from '../protocol/record-batch-records.ts';
import { stampBatch } from '../protocol/record-batch.ts';
import { FakeWorld, metadataOf, TIMEOUT_MS, type Answers } from './fake-broker.testing.ts';
import { fetchRecords, type Assignment, type FetchOptions } from './fetcher.ts';

const compute = makeCompute();

function batch(baseOffset: number, values: readonly string[], options: BuildOptions = {}): Buffer {
  return buildRecordBatch(
    compute,
    values.map((value) => ({ timestamp: 1, value: Buffer.from(value) })),
    { baseOffset, ...options },
  );
}

function marker(baseOffset: number, outcome: 'COMMIT' | 'ABORT', producerId: number): Buffer {
  const made = buildEndTransactionMarker(compute, outcome, { producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1 });
  stampBatch(made, 0, baseOffset, 0);
  return made;
}

interface Told {
  readonly records?: Buffer;
  readonly error?: keyof typeof kafkaErrors;
  readonly aborted?: readonly { producerId: number; firstOffset: number }[];
}

/** Answers each partition that is asked for with what `tell` has for its offset; with nothing when that is nothing. */
function fetchAnswer(request: FetchRequest, tell: (topic: string, partition: number, offset: number) => Told | undefined): unknown {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    responses: request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition, fetchOffset }) => {
        const told = tell(topic, partition, fetchOffset) ?? {};
        return {
          partitionIndex: partition,
          errorCode: told.error === undefined ? 0 : kafkaErrors[told.error][0],
          highWatermark: 1000,
          lastStableOffset: 1000,
          abortedTransactions: told.aborted ?? null,
          records: told.records ?? Buffer.alloc(0),
          divergingEpoch: {},
          currentLeader: {},
          snapshotId: {},
        };
      }),
    })),
  };
}

async function worldOf(ports: readonly number[], answers: Answers): Promise<FakeWorld> {
  const world = new FakeWorld();
  for (const port of ports) await world.broker({ port, answers });
  return world;
}

interface Seen {
  readonly values: string[];
  readonly jumps: unknown[];
}

/** Reads to the end of the assignments, or until `most` records are there. */
async function read(
  world: FakeWorld,
  assignments: readonly Assignment[],
  options: Partial<FetchOptions> & { most?: number } = {},
): Promise<Seen> {
  const cluster = await world.cluster({ ports: [1] });
  const seen: Seen = { values: [], jumps: [] };
  const reading = (async () => {
    const { most = Infinity, ...rest } = options;
    for await (const { topic, partition, records } of fetchRecords({
      cluster,
      compute,
      assignments,
      onJump: (jump) => seen.jumps.push(jump),
      ...rest,
    })) {
      seen.values.push(...records.map(({ offset, value }) => `${topic}/${partition}@${offset}=${String(value)}`));
      if (seen.values.length >= most) break;
    }
  })();
  await world.clock.until(reading);
  cluster.close();
  return seen;
}

const oneTopic = (leaders: readonly number[] = [1]) => metadataOf([1, 2], [{ name: 't', leaders }]);

suite('fetching', () => {
  test('begins inside a batch, goes over gaps, and stops before the end it was given', async () => {
    const log = [batch(0, ['a', 'b', 'c']), batch(10, ['d', 'e']), batch(12, ['f'])];
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      Fetch: (request: FetchRequest) =>
        fetchAnswer(request, (_topic, _partition, offset) => ({ records: offset < 3 ? Buffer.concat(log.slice(0, 2)) : log[2]! })),
    });
    const { values } = await read(world, [{ topic: 't', partition: 0, from: 1, until: 12 }]);
    assert.deepEqual(values, ['t/0@1=b', 't/0@2=c', 't/0@10=d', 't/0@11=e']);
    const { values: more } = await read(world, [{ topic: 't', partition: 0, from: 1, until: 13 }]);
    assert.deepEqual(more.at(-1), 't/0@12=f');
  });

  test('a batch that the answer cuts off is asked for again', async () => {
    const [first, second] = [batch(0, ['a']), batch(1, ['b'])];
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      Fetch: (request: FetchRequest) =>
        fetchAnswer(request, (_topic, _partition, offset) => ({
          records: offset === 0 ? Buffer.concat([first, second.subarray(0, 40)]) : second,
        })),
    });
    const { values } = await read(world, [{ topic: 't', partition: 0, from: 0, until: 2 }]);
    assert.deepEqual(values, ['t/0@0=a', 't/0@1=b']);
  });

  test('every leader is asked for its own partitions, by topic id where there is one', async () => {
    const id = 'AAAAAAAAAAAAAAAAAAAAAQ';
    const world = await worldOf([1, 2], {
      Metadata: () => metadataOf([1, 2], [{ name: 't', id, leaders: [1, 2, 1] }]),
      Fetch: (request: FetchRequest) =>
        fetchAnswer(request, (_topic, partition, offset) => (offset === 0 ? { records: batch(0, [`of ${partition}`]) } : undefined)),
    });
    const assignments = [0, 1, 2].map((partition) => ({ topic: 't', partition, from: 0, until: 1 }));
    const { values } = await read(world, assignments);
    assert.deepEqual(values.toSorted(), ['t/0@0=of 0', 't/1@0=of 1', 't/2@0=of 2']);
    const asked = world.asked.filter(({ api }) => api === 'Fetch').map(({ body, ...rest }) => ({ ...rest, body: body as FetchRequest }));
    assert.deepEqual(
      asked.map(({ port, version, body }) => [
        port,
        version,
        body.topics[0]?.topicId,
        body.topics[0]?.partitions.map(({ partition }) => partition),
      ]),
      [
        [1, 18, id, [0, 2]],
        [2, 18, id, [1]],
      ],
    );
  });

  test('a broker without topic ids is asked by name', async () => {
    const world = new FakeWorld();
    await world.broker({
      port: 1,
      ranges: { ApiVersions: [0, 0], Metadata: [0, 2], Fetch: [0, 5] },
      answers: { Metadata: () => oneTopic(), Fetch: (request: FetchRequest) => fetchAnswer(request, () => ({ records: batch(0, ['a']) })) },
    });
    assert.deepEqual((await read(world, [{ topic: 't', partition: 0, from: 0, until: 1 }])).values, ['t/0@0=a']);
    assert.equal(world.asked.at(-1)?.version, 5);
  });

  test('after a move the new leader is asked, after a broken connection the same one', async () => {
    let leader = 1;
    let broken = false;
    const world = await worldOf([1, 2], {
      Metadata: () => oneTopic([leader]),
      Fetch: (request: FetchRequest, { port }) => {
        if (port === 1) {
          leader = 2;
          return fetchAnswer(request, () => ({ error: 'NOT_LEADER_OR_FOLLOWER' }));
        }
        if (!broken) {
          broken = true;
          return 'close';
        }
        return fetchAnswer(request, () => ({ records: batch(0, ['a']) }));
      },
    });
    assert.deepEqual((await read(world, [{ topic: 't', partition: 0, from: 0, until: 1 }])).values, ['t/0@0=a']);
    assert.deepEqual(
      world.asked.filter(({ api }) => api === 'Fetch').map(({ port }) => port),
      [1, 2, 2],
    );
  });

  test('an error that does not pass ends it at once, one that might when time is up', async () => {
    let error: keyof typeof kafkaErrors = 'TOPIC_AUTHORIZATION_FAILED';
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      Fetch: (request: FetchRequest) => fetchAnswer(request, () => ({ error })),
    });
    const assignments = [{ topic: 't', partition: 0, from: 0 }];
    await assert.rejects(read(world, assignments), { errorName: 'TOPIC_AUTHORIZATION_FAILED' });
    assert.equal(world.clock.monotonicMs(), 0);
    error = 'UNKNOWN_TOPIC_OR_PARTITION';
    await assert.rejects(read(world, assignments), { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
    assert.ok(world.clock.monotonicMs() >= TIMEOUT_MS && world.clock.monotonicMs() < TIMEOUT_MS + 2000);
  });

  test('an offset that is not there any more is left for the nearest one, and that is told', async () => {
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      ListOffsets: (request: ListOffsetsRequest) => {
        const offset = request.topics[0]?.partitions[0]?.timestamp === -2 ? 50 : 60;
        return { throttleTimeMs: 0, topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, offset }] }] };
      },
      Fetch: (request: FetchRequest) =>
        fetchAnswer(request, (_topic, _partition, offset) =>
          offset < 50 ? { error: 'OFFSET_OUT_OF_RANGE' } : { records: batch(50, ['a']) },
        ),
    });
    const { values, jumps } = await read(world, [{ topic: 't', partition: 0, from: 7, until: 51 }]);
    assert.deepEqual(values, ['t/0@50=a']);
    assert.deepEqual(jumps, [{ topic: 't', partition: 0, from: 7, to: 50 }]);
  });

  test('control batches are never seen, and a committed reader does not see what was aborted', async () => {
    const transactional = (producerId: number): BuildOptions => ({ producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true });
    const log = Buffer.concat([
      batch(0, ['plain']),
      batch(1, ['aborted 1'], transactional(8)),
      batch(2, ['committed 1'], transactional(9)),
      marker(3, 'ABORT', 8),
      batch(4, ['committed 2'], transactional(8)),
      marker(5, 'COMMIT', 8),
      marker(6, 'COMMIT', 9),
      batch(7, ['aborted 2'], transactional(9)),
      marker(8, 'ABORT', 9),
    ]);
    const aborted = [
      { producerId: 8, firstOffset: 1 },
      { producerId: 9, firstOffset: 7 },
    ];
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      Fetch: (request: FetchRequest) => fetchAnswer(request, () => ({ records: log, ...(request.isolationLevel === 1 && { aborted }) })),
    });
    const assignments = [{ topic: 't', partition: 0, from: 0, until: 9 }];
    const valuesOf = ({ values }: Seen): string[] => values.map((text) => text.replace(/.*=/, ''));
    assert.deepEqual(valuesOf(await read(world, assignments)), ['plain', 'aborted 1', 'committed 1', 'committed 2', 'aborted 2']);
    assert.deepEqual(valuesOf(await read(world, assignments, { isolation: 'read_committed' })), ['plain', 'committed 1', 'committed 2']);
  });

  test('a batch that does not give its CRC is refused', async () => {
    const spoilt = batch(0, ['a']);
    spoilt.writeUInt8(99, spoilt.length - 2);
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      Fetch: (request: FetchRequest) => fetchAnswer(request, () => ({ records: spoilt })),
    });
    await assert.rejects(read(world, [{ topic: 't', partition: 0, from: 0 }]), { errorName: 'CORRUPT_MESSAGE' });
  });

  test('a partition without a leader does not keep the others waiting', async () => {
    const world = await worldOf([1], {
      Metadata: () => metadataOf([1], [{ name: 't', leaders: [-1, 1] }]),
      Fetch: (request: FetchRequest) => fetchAnswer(request, () => ({ records: batch(0, ['a']) })),
    });
    const assignments = [0, 1].map((partition) => ({ topic: 't', partition, from: 0, until: 1 }));
    assert.deepEqual((await read(world, assignments, { most: 1 })).values, ['t/1@0=a']);
    await assert.rejects(read(world, assignments), { errorName: 'LEADER_NOT_AVAILABLE' });
  });

  test('the next request travels while records are read, and none goes out once all is read', async () => {
    const world = await worldOf([1], {
      Metadata: () => oneTopic(),
      Fetch: (request: FetchRequest) =>
        fetchAnswer(request, (_topic, _partition, offset) => ({ records: batch(offset, [String(offset)]) })),
    });
    const { values } = await read(world, [{ topic: 't', partition: 0, from: 0, until: 5 }]);
    assert.equal(values.length, 5);
    assert.equal(world.asked.filter(({ api }) => api === 'Fetch').length, 5);
  });
});
