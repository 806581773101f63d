import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { kafkaErrors, type ErrorName } from '../protocol/errors.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../protocol/messages/offset-for-leader-epoch.ts';
import { buildCompressedRecordBatch } from '../protocol/record-batch-records.ts';
import { appendInTransaction, batchOf, compute, createTopic, offsetAt, produce, TOPIC } from './data-path.testing.ts';

const code = (name: ErrorName): number => kafkaErrors[name][0];
const START = Date.UTC(2024, 0, 1) - 100_000;

/** Offsets 0..2 at +0, +10, +20; 3..4 at +5, +50; 5 at +50. */
async function withRecords(broker: TestBroker): Promise<void> {
  await createTopic(broker);
  const at = (timestamps: number[]): Promise<Buffer> | Buffer =>
    buildCompressedRecordBatch(
      compute,
      timestamps.map((timestamp) => ({ timestamp: START + timestamp, value: Buffer.from('v') })),
      'gzip',
    );
  await produce(broker.client, await at([0, 10, 20]));
  await produce(broker.client, await at([5, 50]));
  await produce(broker.client, batchOf(['v'], { timestamp: START + 50 }));
}

for (let version = 1; version <= 11; version += 1) {
  test(`ListOffsets ${version} finds the first record at or after a timestamp, the earliest and the latest offset`, async () => {
    await using broker = await startTestBroker();
    await withRecords(broker);
    const find = async (timestamp: number): Promise<number[]> => {
      const { errorCode, offset, timestamp: found } = await offsetAt(broker.client, timestamp, { version });
      return [errorCode, offset, found];
    };
    assert.deepEqual(await find(START - 1), [0, 0, START]);
    assert.deepEqual(await find(START + 1), [0, 1, START + 10]);
    assert.deepEqual(await find(START + 21), [0, 4, START + 50]);
    assert.deepEqual(await find(START + 51), [0, -1, -1], 'none is no error');
    assert.deepEqual(await find(-2), [0, 0, -1]);
    assert.deepEqual(await find(-1), [0, 6, -1]);
  });
}

test('the answers are the same after a clean stop and after a kill, from files and without their indexes', async () => {
  let broker = await startTestBroker();
  await withRecords(broker);
  const answers = async (): Promise<unknown[]> => [
    await offsetAt(broker.client, START + 1),
    await offsetAt(broker.client, START + 21),
    await offsetAt(broker.client, -3),
    await offsetAt(broker.client, -1).then(({ offset }) => offset),
  ];
  const before = await answers();
  broker = await broker.restart();
  assert.deepEqual(await answers(), before);
  broker = await broker.crash();
  assert.deepEqual(await answers(), before);
  await broker.stop();
});

test('-3 is the first record with the largest timestamp, from version 7 on', async () => {
  await using broker = await startTestBroker();
  await withRecords(broker);
  const { offset, timestamp } = await offsetAt(broker.client, -3, { version: 7 });
  assert.deepEqual([offset, timestamp], [4, START + 50]);
  assert.equal((await offsetAt(broker.client, -3, { version: 6 })).errorCode, code('UNSUPPORTED_VERSION'));
});

test('-4, -5 and -6 name the start of what is local, and nothing, since nothing is tiered; each from its version on', async () => {
  await using broker = await startTestBroker();
  await withRecords(broker);
  assert.equal((await offsetAt(broker.client, -4, { version: 8 })).offset, 0);
  assert.equal((await offsetAt(broker.client, -4, { version: 7 })).errorCode, code('UNSUPPORTED_VERSION'));
  assert.equal((await offsetAt(broker.client, -5, { version: 9 })).offset, -1);
  assert.equal((await offsetAt(broker.client, -5, { version: 8 })).errorCode, code('UNSUPPORTED_VERSION'));
  assert.equal((await offsetAt(broker.client, -6, { version: 11 })).offset, -1);
  assert.equal((await offsetAt(broker.client, -6, { version: 10 })).errorCode, code('UNSUPPORTED_VERSION'));
  assert.equal((await offsetAt(broker.client, -7, { version: 11 })).errorCode, code('UNSUPPORTED_VERSION'));
});

test('-1 is the last stable offset for those who read committed, and a timestamp behind it finds nothing for them', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  await produce(broker.client, batchOf(['a'], { timestamp: START }));
  await appendInTransaction(broker, ['in doubt']);
  const at = async (timestamp: number, isolationLevel: number): Promise<number[]> => {
    const { errorCode, offset } = await offsetAt(broker.client, timestamp, { isolationLevel });
    return [errorCode, offset];
  };
  assert.deepEqual(
    [await at(-1, 0), await at(-1, 1)],
    [
      [0, 2],
      [0, 1],
    ],
  );
  assert.deepEqual(
    [await at(START + 1, 0), await at(START + 1, 1)],
    [
      [0, 1],
      [0, -1],
    ],
  );
  await appendInTransaction(broker, 'commit');
  assert.deepEqual(
    [await at(-1, 0), await at(-1, 1), await at(START + 1, 1)],
    [
      [0, 3],
      [0, 3],
      [0, 1],
    ],
  );
});

test('an empty log has an earliest and a latest offset and no timestamps', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  assert.equal((await offsetAt(broker.client, -1)).offset, 0);
  assert.equal((await offsetAt(broker.client, -2)).offset, 0);
  assert.deepEqual(await offsetAt(broker.client, -3), { errorCode: 0, timestamp: -1, offset: -1, leaderEpoch: -1 });
  assert.equal((await offsetAt(broker.client, 0)).offset, -1);
});

test('an unknown topic or partition and a wrong leader epoch are errors of the partition', async () => {
  let broker = await startTestBroker();
  await createTopic(broker);
  broker = await broker.restart();
  assert.equal((await offsetAt(broker.client, -1, { topic: 'nowhere' })).errorCode, code('UNKNOWN_TOPIC_OR_PARTITION'));
  assert.equal((await offsetAt(broker.client, -1, { partition: 3 })).errorCode, code('UNKNOWN_TOPIC_OR_PARTITION'));
  assert.equal((await offsetAt(broker.client, -1, { currentLeaderEpoch: 0 })).errorCode, code('FENCED_LEADER_EPOCH'));
  assert.equal((await offsetAt(broker.client, -1, { currentLeaderEpoch: 9 })).errorCode, code('UNKNOWN_LEADER_EPOCH'));
  await broker.stop();
});

async function endOfEpoch(
  broker: TestBroker,
  leaderEpoch: number,
  version = 4,
  currentLeaderEpoch = -1,
): Promise<[number, number, number]> {
  const answer = await broker.client.request({ request: offsetForLeaderEpochRequest, response: offsetForLeaderEpochResponse }, version, {
    topics: [{ topic: TOPIC, partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }],
  });
  const told = answer.topics[0]?.partitions[0];
  assert.ok(told);
  return [told.errorCode, told.leaderEpoch, told.endOffset];
}

for (const version of [2, 3, 4]) {
  test(`OffsetForLeaderEpoch ${version} gives the end of the largest epoch not above the asked one`, async () => {
    let broker = await startTestBroker();
    await createTopic(broker);
    await produce(broker.client, batchOf(['a', 'b'])); // epoch 0: offsets 0 and 1
    broker = await broker.restart(); // epoch 1: nothing
    broker = await broker.crash(); // epoch 2
    await produce(broker.client, batchOf(['c']));
    assert.deepEqual(await endOfEpoch(broker, 0, version), [0, 0, 2]);
    assert.deepEqual(await endOfEpoch(broker, 2, version), [0, 2, 3]);
    const [error, epoch, end] = await endOfEpoch(broker, 1, version);
    assert.deepEqual([error, end], [0, 2]);
    assert.ok(epoch === 0 || epoch === 1);
    assert.deepEqual(await endOfEpoch(broker, 3, version), [0, -1, -1]);
    assert.deepEqual((await endOfEpoch(broker, 0, version, 1))[0], code('FENCED_LEADER_EPOCH'));
    assert.deepEqual((await endOfEpoch(broker, 0, version, 3))[0], code('UNKNOWN_LEADER_EPOCH'));
    await broker.stop();
  });
}

test('leader epochs grow with every start, so that a log that lost its end can be told from one that did not', async () => {
  let broker = await startTestBroker();
  await createTopic(broker);
  for (const epoch of [0, 1, 2, 3]) {
    assert.equal((await offsetAt(broker.client, -1)).leaderEpoch, epoch);
    broker = epoch % 2 === 0 ? await broker.restart() : await broker.crash();
  }
  await broker.stop();
});
