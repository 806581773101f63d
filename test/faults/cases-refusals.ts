// The disk refuses a call of the running broker: what fails must fail whole, and what was acknowledged must be there.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Broker } from './broker.ts';
import type { Case } from './case.ts';
import { createTopic, Ledger } from './ledger.ts';
import type { Place } from './machine.ts';
import { inject, startedWith, type Fault } from './strace.ts';

const SMALL = (): number => 200;
const LARGE = (): number => 60_000;
const WRITES = 'pwritev,pwrite64,writev,write';
/** What sockets are not written with. */
const FILE_WRITES = 'pwritev,pwrite64';
const SYNCS = 'fdatasync,fsync';
/** From the refusal to the end of the process (design.md, section 5). */
const ENDS_WITHIN_MS = 1000;

interface Deadly {
  readonly name: string;
  readonly fault: (files: { journal: string; segment: string; data: string; folder: string }) => Fault;
  readonly bytes: () => number;
}

const deadly: Deadly[] = [
  {
    name: 'a failed sync of the journal',
    fault: ({ journal }) => ({ calls: SYNCS, what: 'error=EIO', paths: [journal] }),
    bytes: SMALL,
  },
  {
    name: 'a failed sync of a segment',
    fault: ({ segment }) => ({ calls: SYNCS, what: 'error=EIO', paths: [segment] }),
    bytes: LARGE,
  },
  { name: 'a failed sync of a checkpoint, some seconds later', fault: () => ({ calls: SYNCS, what: 'error=EIO:when=4+' }), bytes: SMALL },
  { name: 'a failed write to a segment', fault: ({ segment }) => ({ calls: WRITES, what: 'error=EIO', paths: [segment] }), bytes: SMALL },
  { name: 'a failed write to the journal', fault: ({ journal }) => ({ calls: WRITES, what: 'error=EIO', paths: [journal] }), bytes: SMALL },
  {
    name: 'a disk that has become read-only under a segment',
    fault: ({ segment }) => ({ calls: WRITES, what: 'error=EROFS', paths: [segment] }),
    bytes: LARGE,
  },
];

async function prepared(place: Place): Promise<{ broker: Broker; data: string; ledger: Ledger; journal: string; segment: string }> {
  const data = place.folder();
  const broker = await Broker.start(place, { data });
  const ledger = new Ledger('orders');
  const client = await broker.connect();
  await createTopic(client, 'orders', 3);
  await ledger.pump(client, { partitions: 3, enough: () => ledger.acknowledged >= 60 });
  return {
    broker,
    data,
    ledger,
    journal: join(data, 'bucketrider.journal'),
    segment: join(data, 'orders-0', '00000000000000000000.log'),
  };
}

async function checkAfterRestart(place: Place, data: string, ...ledgers: readonly Ledger[]): Promise<void> {
  const broker = await Broker.start(place, { data });
  const client = await broker.connect();
  for (const ledger of ledgers) {
    await ledger.check(client);
    assert.equal(await ledger.write(client), 'NONE');
  }
  await broker.stop();
}

const deadlyCases = deadly.map(({ name, fault, bytes }): Case => ({
  name: `${name} acknowledges nothing, ends the broker within a second, and costs nothing that was acknowledged`,
  needs: ['trace'],
  run: async (place) => {
    const { broker, data, ledger, journal, segment } = await prepared(place);
    const client = await broker.connect();
    await inject(place, broker, fault({ journal, segment, data, folder: join(data, 'orders-0') }));
    const refusedMs: number[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (;;) {
          const outcome = await ledger.write(client, { bytes: bytes() });
          if (outcome === 'NONE') continue;
          refusedMs.push(performance.now());
          if (outcome === 'CLOSED') return;
          assert.equal(outcome, 'KAFKA_STORAGE_ERROR');
        }
      }),
    );
    const end = await broker.endsWithin(5000);
    assert.ok(end.code !== null && end.code > 0, `it ended with ${end.code ?? end.signal}`);
    assert.ok(end.atMs - Math.min(...refusedMs) < ENDS_WITHIN_MS, 'too late');
    assert.match(broker.said, /(EIO|EROFS).*/);
    assert.match(broker.said, /what it acknowledged is kept as promised/);
    await checkAfterRestart(place, data, ledger);
  },
}));

/** A full disk refuses everything; a file that alone cannot grow shows what happens when a group fails at that place. */
const full = (what: string, paths: (files: { journal: string; segment: string }) => string[]): Case => ({
  name: `while ${what} has no room clients are refused and others read on, and it ends by itself`,
  needs: ['trace'],
  run: async (place) => {
    const { broker, data, ledger, journal, segment } = await prepared(place);
    const client = await broker.connect();
    const fault = await inject(place, broker, { calls: FILE_WRITES, what: 'error=ENOSPC', paths: paths({ journal, segment }) });
    let outcome = await ledger.write(client);
    for (let n = 0; outcome === 'NONE' && n < 100; n += 1) outcome = await ledger.write(client);
    assert.equal(outcome, 'KAFKA_STORAGE_ERROR');
    await ledger.check(client);
    if (paths({ journal, segment }).length === 0) {
      await standFor(2500); // it looks once a second whether there is room
      for (let n = 0; n < 20; n += 1) assert.equal(await ledger.write(client, { partition: n % 3 }), 'KAFKA_STORAGE_ERROR');
      assert.ok(broker.count(/"msg":/) <= 2, broker.said);
    }
    await fault.end();
    await untilWritten(ledger, client, 5000);
    assert.ok(broker.count(/there is room on the disk again/) > 0);
    await broker.kill();
    await checkAfterRestart(place, data, ledger);
  },
});

const standFor = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function untilWritten(ledger: Ledger, client: Parameters<Ledger['write']>[0], ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    const outcome = await ledger.write(client);
    if (outcome === 'NONE') return;
    assert.equal(outcome, 'KAFKA_STORAGE_ERROR');
    assert.ok(performance.now() < deadline, `nothing was taken for ${ms} ms`);
    await standFor(50);
  }
}

const KILLS = 12;

/** One thread makes all calls, so that the n-th of the process is the n-th of the thread, which is what strace counts. */
const oneThread = { UV_THREADPOOL_SIZE: '1' };

const kills: Case = {
  name: `killed at its first, second, ... ${KILLS}th sync, over and over on one log dir, it loses nothing that was acknowledged`,
  needs: ['trace'],
  run: async (place) => {
    const data = place.folder();
    const ledger = new Ledger('orders');
    for (let n = 1; n <= KILLS; n += 1) {
      const through = startedWith({ calls: SYNCS, what: `signal=SIGKILL:when=${n}` });
      const broker = Broker.launch(place, { data, through: [...through], env: oneThread });
      await Promise.race([broker.ended, writeUntilClosed(broker, ledger)]);
      const { code, signal } = await broker.endsWithin(20_000);
      assert.ok(signal === 'SIGKILL' || code === 137, `kill ${n}: it ended with ${code ?? signal}:\n${broker.said}`);
    }
    assert.ok(ledger.acknowledged > 0, 'no life was long enough to acknowledge anything');
    await checkAfterRestart(place, data, ledger);
  },
};

async function writeUntilClosed(broker: Broker, ledger: Ledger): Promise<void> {
  while (broker.port === 0 && !broker.over) await standFor(5);
  try {
    const client = await broker.connect();
    await createTopic(client, 'orders', 3).catch(() => undefined); // it is there already, or this was the last call
    await ledger.pump(client, { partitions: 3, enough: () => broker.over });
  } catch {
    // killed before it could be called
  }
  await broker.ended;
}

const unreadable: Case = {
  name: 'a file that the disk does not give back is an error of its partition, and the connection lives',
  needs: ['trace'],
  run: async (place) => {
    const first = await prepared(place);
    await first.broker.stop();
    const broker = await Broker.start(place, { data: first.data });
    const client = await broker.connect();
    const fault = await inject(place, broker, { calls: 'pread64,preadv,read,readv', what: 'error=EIO', paths: [first.segment] });
    await assert.rejects(first.ledger.check(client), /orders-0 at 0: KAFKA_STORAGE_ERROR/);
    await assert.rejects(first.ledger.check(client), /orders-0 at 0: KAFKA_STORAGE_ERROR/);
    assert.equal(broker.count(/a partition cannot be read: the disk refuses/), 1);
    await fault.end();
    await first.ledger.check(client);
    assert.equal(await first.ledger.write(client), 'NONE');
    await broker.stop();
  },
};

export const refusals: Case[] = [
  ...deadlyCases,
  full('the disk', () => []),
  full('a segment', ({ segment }) => [segment]),
  full('the journal', ({ journal }) => [journal]),
  kills,
  unreadable,
];
