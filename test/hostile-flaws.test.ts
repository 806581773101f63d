// The flaws that were published against other brokers, each played against ours over real sockets, as far as it concerns
// what is served. The broker is a process of its own, so that what an attack costs can be measured.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { makeCompute } from '../src/base/real/compute.ts';
import { batchOf, createTopic, fetchOne, produce, recordsOf } from '../src/handlers/data-path.testing.ts';
import { kafkaErrors } from '../src/protocol/errors.ts';
import { fetchRequest, fetchResponse } from '../src/protocol/messages/fetch.ts';
import { ZERO_UUID } from '../src/protocol/reader.ts';
import { withRecords } from '../src/protocol/record-batch.ts';
import { includes } from '../src/protocol/schema.ts';
import { NO_TAGS, probe, requestHead, sized, type Attacker } from './hostile/attacker.ts';
import { startMeasured } from './hostile/measured.ts';
import { servedVersions } from './hostile/samples.ts';

const MiB = 2 ** 20;
const PRODUCE = 0;
const METADATA = 3;

/** Its topic is written to by an honest client, who reads it again after every attack. */
const broker = await startMeasured();
after(() => broker[Symbol.asyncDispose]());
const honest = { topic: 'honest', topicId: await createTopic(broker, { name: 'honest' }) };
await produce(broker.client, batchOf(['one', 'two'], { timestamp: Date.now() }), honest);

async function checkHonest(): Promise<void> {
  assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0, honest)), ['0:one', '1:two']);
  const { failures, errors } = await broker.figures('collect');
  assert.deepEqual([failures, errors], [[], []]);
}

/** Sends each frame on a connection of its own, which the broker has let in by then. All have been read when it returns. */
async function attackWith(frames: readonly Buffer[]): Promise<Attacker[]> {
  const attackers: Attacker[] = [];
  for (const frame of frames) {
    const attacker = await broker.enemy();
    attacker.send(probe);
    await attacker.until(1);
    attacker.send(frame);
    attackers.push(attacker);
  }
  // What came on other connections before this was read before this.
  for (let round = 0; round < 3; round++) await fetchOne(broker.client, 0, honest);
  return attackers;
}

test('CVE-2026-111108: what an array claims to hold is not set aside for it, in any API and version', async () => {
  const before = await broker.figures('collect');
  const frames: Buffer[] = [];
  for (const { api, version } of servedVersions()) {
    const flexible = includes(api.request.flexible, version);
    const head = Buffer.concat([requestHead(api.key, version, 1), ...(flexible ? [NO_TAGS] : [])]);
    const claim = Buffer.from(flexible ? 'ffffffff0f' : '7fffffff', 'hex');
    // Wherever the first array stands: it claims all that can be claimed, and 4 KiB follow.
    for (const zeros of [0, 1, 4, 7]) frames.push(sized(Buffer.concat([head, Buffer.alloc(zeros), claim, Buffer.alloc(4096)])));
  }
  const attackers = await attackWith(frames);
  const { heapBytes, rssBytes } = await broker.figures();
  for (const attacker of attackers) attacker.leave();
  assert.ok(heapBytes - before.heapBytes < 80 * MiB, `the heap has grown by ${(heapBytes - before.heapBytes) / MiB} MiB`);
  assert.ok(rssBytes - before.rssBytes < 150 * MiB, `${(rssBytes - before.rssBytes) / MiB} MiB more are resident`);
  await checkHonest();
});

test('CVE-2026-111115: tags that nobody knows are neither kept nor skipped for ever', async () => {
  const before = await broker.figures('collect');
  // A Metadata request with a million tags of one byte each in its header: 3 MiB.
  const tags = Buffer.concat([Buffer.from([0xc0, 0x84, 0x3d]), Buffer.alloc(3_000_000, Buffer.from([0x64, 0x01, 0x00]))]);
  const frame = sized(Buffer.concat([requestHead(METADATA, 12, 1), tags, Buffer.from([1, 0, 0, 0])]));
  for (const attacker of await attackWith(Array<Buffer>(10).fill(frame))) {
    await attacker.until(2);
    assert.deepEqual([attacker.answers.length, attacker.closed], [1, true], 'the probe was answered, the attack was not');
  }
  const { heapBytes, longestTurnMs } = await broker.figures('collect');
  assert.ok(longestTurnMs < 300, `a turn took ${longestTurnMs} ms of processor time`);
  assert.ok(heapBytes - before.heapBytes < 20 * MiB);
  await checkHonest();
});

test('CVE-2022-34917: a client that announces 100 MiB and sends little costs little', async () => {
  const before = await broker.figures('collect');
  const announcement = Buffer.alloc(4 + 1000);
  announcement.writeInt32BE(100 * MiB);
  requestHead(PRODUCE, 9, 1).copy(announcement, 4);
  const attackers = await attackWith(Array<Buffer>(200).fill(announcement));
  const { connections, requestMemoryBytes, rssBytes } = await broker.figures('collect');
  assert.equal(connections, 1 + attackers.length);
  assert.ok(requestMemoryBytes >= 200 * 1000 && requestMemoryBytes <= 200 * 16_384, `${requestMemoryBytes} bytes are set aside`);
  assert.ok(rssBytes - before.rssBytes < 60 * MiB, `${(rssBytes - before.rssBytes) / MiB} MiB more are resident`);
  await checkHonest();
  for (const attacker of attackers) attacker.leave();
});

test('CVE-2018-1288: whoever says to be a replica gets no records, and moves nothing', async () => {
  for (const version of [4, 12, 13, 14, 15, 18]) {
    const { responses } = await broker.client.request({ request: fetchRequest, response: fetchResponse }, version, {
      ...(version < 15 ? { replicaId: 1 } : { replicaState: { replicaId: 1, replicaEpoch: 9 } }),
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ ...honest, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MiB }] }],
      forgottenTopicsData: [],
    });
    const [partition] = responses[0]?.partitions ?? [];
    assert.deepEqual([partition?.errorCode, partition?.records?.length], [kafkaErrors.NOT_LEADER_OR_FOLLOWER[0], 0], `version ${version}`);
  }
  await checkHonest();
});

// Of GHSA-47w3-66wq-cpxg (what a batch is says the batch, not the request) tells src/handlers/produce.test.ts; of frame lengths
// that a client believes (CVE-2026-10142) src/client/cluster.test.ts; of chunk lengths in snappy (CVE-2023-34455)
// src/protocol/compression.test.ts. Those of passwords and tokens concern nothing that is served yet.

const zeros = Buffer.alloc(64 * MiB);
for (const [codec, bits, part] of [
  ['gzip', 1, gzipSync(zeros)],
  ['zstd', 4, zstdCompressSync(zeros)],
] as const) {
  test(`a bomb of ${codec}, 900 MiB in a batch below max.message.bytes, is refused as too large`, async () => {
    const packed = Buffer.concat(Array<Buffer>(14).fill(part));
    const bomb = withRecords(makeCompute(), batchOf(['x'], { timestamp: Date.now() }), packed, bits);
    assert.ok(bomb.length < 1_048_588, `${bomb.length} bytes would be too large by themselves`);
    const clients = await Promise.all([1, 2, 3].map(() => broker.connect()));
    const told = await Promise.all(clients.map((client) => produce(client, Buffer.from(bomb), honest)));
    assert.deepEqual(new Set(told.map(({ errorCode }) => errorCode)), new Set([kafkaErrors.MESSAGE_TOO_LARGE[0]]));
    const { rssBytes } = await broker.figures();
    // One at a time may have its 128 MiB; what the allocator has not given back yet comes to the same again.
    assert.ok(rssBytes < 700 * MiB, `${rssBytes / MiB} MiB are resident`);
    await checkHonest();
  });
}

test('a hundred thousand partitions in one Fetch leave the others their turns', async () => {
  const count = 100_000;
  const partitions = Array.from({ length: count }, (_, partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 10 }));
  await broker.figures();
  const { responses } = await (
    await broker.connect()
  ).request({ request: fetchRequest, response: fetchResponse }, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic: 'honest', topicId: ZERO_UUID, partitions }],
    forgottenTopicsData: [],
  });
  assert.equal(responses[0]?.partitions.length, count);
  const { longestTurnMs } = await broker.figures();
  assert.ok(longestTurnMs < 300, `a turn took ${longestTurnMs} ms of processor time`);
  await checkHonest();
});
