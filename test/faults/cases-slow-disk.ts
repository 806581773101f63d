// A disk that takes five seconds for a sync: those who wait for it wait, nobody else does, and what waits is bounded.
import assert from 'node:assert/strict';
import type { Connection } from '../../src/client/connection.ts';
import { TestMember } from '../../src/handlers/group-member.testing.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/messages/metadata.ts';
import { Broker } from './broker.ts';
import type { Case } from './case.ts';
import { createTopic, findCoordinator, Ledger, type Outcome } from './ledger.ts';
import type { Place } from './machine.ts';
import { inject, type Injection } from './strace.ts';

const SYNC_MS = 5000;
const FAST_MS = 100;
const BYTES = 200_000;
const everyTopic = { topics: null, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false };

async function prepared(
  place: Place,
  settings: string[],
): Promise<{ broker: Broker; client: Connection; ledger: Ledger; slow: () => Promise<Injection> }> {
  const broker = await Broker.start(place, { data: place.folder(), settings: ['offsets.topic.num.partitions=3', ...settings] });
  const client = await broker.connect();
  await createTopic(client, 'orders', 3);
  await findCoordinator(client);
  const ledger = new Ledger('orders');
  await ledger.pump(client, { partitions: 3, enough: () => ledger.acknowledged >= 30 });
  return { broker, client, ledger, slow: () => inject(place, broker, { calls: 'fdatasync,fsync', what: `delay_exit=${SYNC_MS * 1000}` }) };
}

/** So many connections, each with so many records under way at once. */
async function flood(broker: Broker, ledger: Ledger, connections: number, each: number): Promise<Promise<Outcome>[]> {
  const writers = await Promise.all(Array.from({ length: connections }, () => broker.connect()));
  return writers.flatMap((writer) => Array.from({ length: each }, (_, n) => ledger.write(writer, { partition: n % 3, bytes: BYTES })));
}

const patience: Case = {
  name: 'while a sync takes 5 s heartbeats, Metadata and reads take less than 100 ms, and produce is answered after the sync',
  needs: ['trace'],
  run: async (place) => {
    const { broker, client, ledger, slow } = await prepared(place, []);
    const member = await TestMember.connect(broker, { sessionTimeoutMs: 6000 });
    await member.join();
    assert.equal(await member.sync({ [member.memberId]: 'all' }), 'all');
    const known = ledger.copy();
    const reader = await broker.connect();

    const fault = await slow();
    const startedMs = performance.now();
    const first = ledger.write(client).then((outcome) => ({ outcome, ms: performance.now() - startedMs }));
    const others = await flood(broker, ledger, 20, 2);
    const tookMs: number[] = [];
    const timed = async (work: () => Promise<unknown>): Promise<void> => {
      const atMs = performance.now();
      await work();
      tookMs.push(performance.now() - atMs);
    };
    let rounds = 0;
    for (; performance.now() - startedMs < SYNC_MS - 500; rounds += 1) {
      await timed(async () => assert.equal(await member.heartbeat(), 'NONE'));
      await timed(() => reader.request({ request: metadataRequest, response: metadataResponse }, 12, everyTopic));
      await timed(() => known.check(reader));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(rounds > 30, `${rounds} rounds in ${SYNC_MS} ms`);
    // A machine that is busy with other things keeps anything waiting now and then; a sync would keep all of them waiting.
    const tooLong = tookMs.filter((ms) => ms >= FAST_MS);
    assert.ok(tooLong.length <= tookMs.length / 50, `of ${tookMs.length} these took long, in ms: ${tooLong.map(Math.round).join()}`);
    const { outcome, ms } = await first;
    assert.equal(outcome, 'NONE');
    assert.ok(ms >= SYNC_MS - 500, `answered after ${Math.round(ms)} ms, before the sync was over`);
    await fault.end();
    await Promise.all(others);
    assert.deepEqual([...ledger.outcomes.keys()], ['NONE']);
    assert.equal(await member.heartbeat(), 'NONE');
    await ledger.check(client);
    await broker.stop();
  },
};

const bounded: Case = {
  name: 'while a sync takes 5 s what clients send is not read beyond the bound of memory, and all of it is answered afterwards',
  needs: ['trace'],
  run: async (place) => {
    const { broker, client, ledger, slow } = await prepared(place, [
      'queued.max.request.bytes=16000000',
      'socket.request.max.bytes=4000000',
    ]);
    const before = broker.residentBytes;
    const fault = await slow();
    const sent = await flood(broker, ledger, 50, 16);
    let mostBytes = 0;
    for (const endMs = performance.now() + 3000; performance.now() < endMs;) {
      mostBytes = Math.max(mostBytes, broker.residentBytes);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const grown = Math.round((mostBytes - before) / 1e6);
    assert.ok(grown < 80, `memory grew by ${grown} MB while ${(sent.length * BYTES) / 1e6} MB were being sent`);
    await fault.end();
    await Promise.all(sent);
    assert.deepEqual([...ledger.outcomes.keys()], ['NONE']);
    await ledger.check(client);
    await broker.stop();
  },
};

export const slowDisks: Case[] = [patience, bounded];
