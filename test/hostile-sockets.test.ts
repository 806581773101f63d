// Clients that are stuck, over real sockets: what they cost is measured, and that others are served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, createTopic, fetchOne, produce } from '../src/handlers/data-path.testing.ts';
import { frameOf } from './hostile/samples.ts';
import { apis } from '../src/handlers/index.ts';
import type { Api } from '../src/handlers/handler.ts';
import { sized, type Attacker } from './hostile/attacker.ts';
import { startMeasured } from './hostile/measured.ts';

const MiB = 2 ** 20;

test('a client that asks for much and reads nothing costs one answer, and the others are served', async () => {
  await using broker = await startMeasured({ settings: ['storage.cache.bytes=1000000'] });
  await createTopic(broker, { name: 'large', configs: { 'max.message.bytes': String(5 * MiB) } });
  for (let index = 0; index < 5; index++)
    await produce(broker.client, batchOf(['x'.repeat(4 * MiB)], { timestamp: Date.now() }), { topic: 'large' });
  const before = await broker.figures('collect');
  const fetch = apis.get(1) as Api;
  const topics = [
    {
      topic: 'large',
      partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, logStartOffset: -1, partitionMaxBytes: 50 * MiB }],
    },
  ];
  const body = {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 50 * MiB,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics,
    forgottenTopicsData: [],
    rackId: '',
  };
  const request = sized(frameOf(fetch, 11, body, { correlationId: 5 }));
  const stuck: Attacker[] = [];
  for (let client = 0; client < 10; client++) {
    const attacker = await broker.enemy();
    attacker.stopReading();
    attacker.send(...Array<Buffer>(50).fill(request));
    stuck.push(attacker);
  }
  for (let round = 0; round < 20; round++) assert.equal((await fetchOne(broker.client, 0, { topic: 'large', maxBytes: 10 })).errorCode, 0);
  const after = await broker.figures('collect');
  // 500 answers of 20 MiB were asked for, each read from the disk anew: every client may have one on its way.
  assert.ok(after.rssBytes - before.rssBytes < 350 * MiB, `${(after.rssBytes - before.rssBytes) / MiB} MiB more`);
  assert.equal(after.requestsInFlight, 0, 'what may not be written is not begun');
  for (const attacker of stuck) attacker.leave();
});
