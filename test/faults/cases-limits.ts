// What the machine gives too little of: descriptors, time, room in one call, the right to write, a folder for one's own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Connection } from '../../src/client/connection.ts';
import { TestMember } from '../../src/handlers/group-member.testing.ts';
import { Broker } from './broker.ts';
import type { Case } from './case.ts';
import { createTopic, findCoordinator, Ledger } from './ledger.ts';
import { remount } from './machine.ts';

const run = promisify(execFile);
const standFor = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const DESCRIPTORS = 200;
const MANY_PARTITIONS = 150;

const descriptors: Case = {
  name: 'when connections take every descriptor no log goes without: records of many partitions are written, read and kept, and it goes on afterwards',
  needs: [],
  run: async (place) => {
    const data = place.folder();
    const through = ['prlimit', `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`];
    const broker = await Broker.start(place, { data, through });
    const client = await broker.connect();
    await createTopic(client, 'orders', MANY_PARTITIONS);
    const ledger = new Ledger('orders');
    for (let n = 0; n < 10; n += 1) assert.equal(await ledger.write(client, { partition: n }), 'NONE');
    const crowd: Connection[] = [];
    for (let n = 0; n < 2 * DESCRIPTORS; n += 1)
      await broker.connect().then(
        (one) => crowd.push(one),
        () => undefined,
      );
    // All at once, each in a file of its own that is not there yet.
    const outcomes = await Promise.all(Array.from({ length: MANY_PARTITIONS }, (_, partition) => ledger.write(client, { partition })));
    assert.deepEqual([...new Set(outcomes)], ['NONE'], broker.said);
    await ledger.check(client);
    await standFor(1500); // a checkpoint
    for (let n = 0; n < MANY_PARTITIONS; n += 1)
      assert.equal(await ledger.write(client, { partition: n, bytes: 50_000 }), 'NONE', broker.said);
    for (const one of crowd) one.close();
    await standFor(200);
    const late = await broker.connect();
    await ledger.check(late);
    await broker.kill();
    const second = await Broker.start(place, { data, through });
    await ledger.check(await second.connect());
    await second.stop();
  },
};

const noDescriptors: Case = {
  name: 'without a single descriptor what has to open a file waits, and when there are some again it is done; nothing goes offline',
  needs: [],
  run: async (place) => {
    const data = place.folder();
    const broker = await Broker.start(place, { data, settings: ['log.segment.bytes=1048576'] });
    const client = await broker.connect();
    await createTopic(client, 'orders', 8);
    const ledger = new Ledger('orders');
    assert.equal(await ledger.write(client, { partition: 0 }), 'NONE');
    const allow = (count: number): Promise<unknown> => run('prlimit', ['--pid', String(broker.pid), `--nofile=${count}:`]);
    // Below what is open already: not even those kept for files can be had.
    await allow(10);
    let answered = 0;
    const waiting = Array.from({ length: 8 }, async (_, partition) => {
      const outcome = await ledger.write(client, { partition, bytes: 50_000 });
      answered += 1;
      return outcome;
    });
    await standFor(3000);
    assert.equal(answered, 0, broker.said);
    assert.equal(broker.count(/out of file descriptors/), 1, broker.said);
    await allow(1000);
    assert.deepEqual([...new Set(await Promise.all(waiting))], ['NONE'], broker.said);
    assert.equal(broker.count(/offline/), 0, broker.said);
    for (let n = 0; n < 80; n += 1) assert.equal(await ledger.write(client, { partition: n % 8, bytes: 200_000 }), 'NONE', broker.said);
    await ledger.check(client);
    await broker.kill();
    const second = await Broker.start(place, { data });
    await ledger.check(await second.connect());
    await second.stop();
  },
};

const STOPPED_MS = 5000;

const stopped: Case = {
  name: 'a broker that stood still for longer than a session charges no member for it',
  needs: [],
  run: async (place) => {
    const broker = await Broker.start(place, {
      data: place.folder(),
      settings: ['group.min.session.timeout.ms=1000', 'offsets.topic.num.partitions=3'],
    });
    const client = await broker.connect();
    await findCoordinator(client);
    const member = await TestMember.connect(broker, { sessionTimeoutMs: 2000 });
    await member.join();
    assert.equal(await member.sync({ [member.memberId]: 'all' }), 'all');
    assert.equal(await member.heartbeat(), 'NONE');
    broker.signal('SIGSTOP');
    await standFor(STOPPED_MS);
    broker.signal('SIGCONT');
    await standFor(500); // whoever would be put out would be by now
    assert.equal(await member.heartbeat(), 'NONE');
    // It is not that nobody is ever put out.
    await standFor(4000);
    assert.equal(await member.heartbeat(), 'UNKNOWN_MEMBER_ID');
    await broker.stop();
  },
};

const readOnly: Case = {
  name: 'a directory that cannot be written to refuses the start by its name, and is as it was afterwards',
  needs: ['mount'],
  run: async (place) => {
    const directory = await place.ext4('24m');
    const data = join(directory, 'data');
    const broker = await Broker.start(place, { data });
    const client = await broker.connect();
    await createTopic(client, 'orders');
    const ledger = new Ledger('orders');
    await ledger.pump(client, { enough: () => ledger.acknowledged >= 50 });
    await broker.stop();

    await remount(directory, 'ro');
    const refused = Broker.launch(place, { data });
    const end = await refused.endsWithin(5000);
    assert.ok(end.code !== null && end.code > 0);
    assert.ok(refused.said.includes(data) && /read-only/.test(refused.said), refused.said);
    assert.doesNotMatch(refused.said, /\n\s+at /, 'no stack');

    await remount(directory, 'rw');
    const second = await Broker.start(place, { data });
    await ledger.check(await second.connect());
    await second.stop();
  },
};

const two: Case = {
  name: 'a second broker on the same directory is refused, told who has it, and harms nothing',
  needs: [],
  run: async (place) => {
    const data = place.folder();
    const broker = await Broker.start(place, { data });
    const client = await broker.connect();
    await createTopic(client, 'orders');
    const ledger = new Ledger('orders');
    await ledger.pump(client, { enough: () => ledger.acknowledged >= 50 });
    const second = Broker.launch(place, { data });
    const end = await second.endsWithin(15_000);
    assert.ok(end.code !== null && end.code > 0);
    assert.ok(second.said.includes(data) && second.said.includes(String(broker.pid)), second.said);
    await ledger.pump(client, { enough: () => ledger.acknowledged >= 100 });
    await broker.kill();
    const third = await Broker.start(place, { data });
    await ledger.check(await third.connect());
    await third.stop();
  },
};

const short: Case = {
  name: 'calls that write and read less than they were asked to are gone on with',
  needs: ['compile'],
  run: async (place) => {
    const library = place.path('short-io.so');
    await run('cc', ['-shared', '-fPIC', '-O1', '-o', library, join(import.meta.dirname, 'short-io.c'), '-ldl']);
    const data = place.folder();
    const ledger = new Ledger('orders');
    const settings = ['log.segment.bytes=1048576'];
    for (let life = 0; life < 3; life += 1) {
      const broker = await Broker.start(place, { data, settings, env: { LD_PRELOAD: library } });
      const client = await broker.connect();
      if (life === 0) await createTopic(client, 'orders', 3);
      await ledger.check(client);
      const enough = ledger.acknowledged + 300;
      await ledger.pump(client, { partitions: 3, enough: () => ledger.acknowledged >= enough });
      if (life === 1) await broker.stop();
      else await broker.kill();
    }
    // And as it is on the disk for one that reads in one go.
    const broker = await Broker.start(place, { data, settings });
    await ledger.check(await broker.connect());
    await broker.stop();
  },
};

export const limits: Case[] = [descriptors, noDescriptors, stopped, readOnly, two, short];
