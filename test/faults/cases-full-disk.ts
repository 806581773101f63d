// Small file systems that really fill up, with the short writes and the refusals that come with it.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestMember } from '../../src/handlers/group-member.testing.ts';
import { Broker } from './broker.ts';
import type { Case } from './case.ts';
import { untilWritten } from './cases-refusals.ts';
import { createTopic, findCoordinator, Ledger } from './ledger.ts';
import type { Place } from './machine.ts';

const settings = ['storage.reserve.bytes=1048576', 'offsets.topic.num.partitions=3'];
const BALLAST_BYTES = 6 * 1024 * 1024;

/** As a client does: what can be tried again is, for a while. */
async function commitOffset(member: TestMember, offset: number): Promise<void> {
  const deadline = performance.now() + 3000;
  for (;;) {
    const outcome = await member.commit('orders', 0, offset);
    if (outcome === 'NONE') return;
    assert.match(outcome ?? '', /^(NOT_COORDINATOR|COORDINATOR_LOAD_IN_PROGRESS|COORDINATOR_NOT_AVAILABLE)$/);
    assert.ok(performance.now() < deadline, `the commit of offset ${offset} was refused for 3 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const filled = (what: string, mounted: (place: Place) => Promise<string>): Case => ({
  name: `on ${what} that is full records are refused, fetches and committed offsets go on, room that is made is used without a restart, and nothing acknowledged is lost`,
  needs: ['mount'],
  run: async (place) => {
    const directory = await mounted(place);
    writeFileSync(join(directory, 'ballast'), Buffer.alloc(BALLAST_BYTES, 1));
    const data = join(directory, 'data');
    const broker = await Broker.start(place, { data, settings });
    const client = await broker.connect();
    await createTopic(client, 'orders', 3);
    await findCoordinator(client);
    const member = await TestMember.connect(broker);
    await commitOffset(member, 1);
    const ledger = new Ledger('orders');
    await ledger.write(client);
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the first checkpoint makes the reserve
    await ledger.pump(client, { partitions: 3, enough: () => ledger.countOf('KAFKA_STORAGE_ERROR') >= 20 });
    assert.equal(ledger.countOf('UNKNOWN_SERVER_ERROR'), 0);
    assert.ok(ledger.acknowledged > 50);
    for (let offset = 2; offset <= 100; offset += 1) await commitOffset(member, offset);
    await ledger.check(client);
    assert.deepEqual(await member.offsets('orders', 1), [100]);
    assert.equal(broker.count(/"level":50/), 1, broker.said);

    rmSync(join(directory, 'ballast'));
    await untilWritten(ledger, client, 5000);
    // Filled once more, and killed.
    const refusedBefore = ledger.countOf('KAFKA_STORAGE_ERROR');
    await ledger.pump(client, {
      partitions: 3,
      bytes: () => 20_000,
      enough: () => ledger.countOf('KAFKA_STORAGE_ERROR') > refusedBefore + 20,
    });
    await broker.kill();
    const second = await Broker.start(place, { data, settings });
    const again = await second.connect();
    await ledger.check(again);
    await findCoordinator(again);
    const returned = await TestMember.connect(second);
    assert.deepEqual(await returned.offsets('orders', 1), [100]);
    await commitOffset(returned, 101);
    await second.stop();

    const third = await Broker.start(place, { data, settings });
    const last = await third.connect();
    await ledger.check(last);
    await findCoordinator(last);
    assert.deepEqual(await (await TestMember.connect(third)).offsets('orders', 1), [101]);
    await third.kill();
  },
});

export const fullDisks: Case[] = [filled('a tmpfs', (place) => place.tmpfs('24m')), filled('an ext4', (place) => place.ext4('28m'))];
