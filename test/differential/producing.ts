// Producing: batches that are right and batches that are not, idempotent producers, InitProducerId.
import { randomBytes } from 'node:crypto';
import { buildCompressedRecordBatch } from '../../src/protocol/record-batch-records.ts';
import { withRecords } from '../../src/protocol/record-batch.ts';
import { compute, TIME, key, versionsOf, settled, create, batch, forged, production } from './asking.ts';
import type { Body, Duel } from './duel.ts';

export async function producing(duel: Duel): Promise<void> {
  await create(duel, { name: 'plain', partitions: 2 });
  await create(duel, { name: 'loose' });
  await create(duel, { name: 'compacted', configs: { 'cleanup.policy': 'compact' } });
  await create(duel, { name: 'stamped', configs: { 'message.timestamp.type': 'LogAppendTime' } });
  await create(duel, { name: 'small', configs: { 'max.message.bytes': '1000' } });
  await create(duel, {
    name: 'strict',
    configs: { 'message.timestamp.before.max.ms': '60000', 'message.timestamp.after.max.ms': '60000' },
  });
  await create(duel, { name: 'zipped', configs: { 'compression.type': 'gzip' } });
  const good = batch(['a', 'b']);
  const gzip = Buffer.from(await buildCompressedRecordBatch(compute, [{ timestamp: TIME, value: Buffer.from('z'.repeat(100)) }], 'gzip'));
  const zstd = Buffer.from(await buildCompressedRecordBatch(compute, [{ timestamp: TIME, value: Buffer.from('z'.repeat(100)) }], 'zstd'));
  const flipped = Buffer.from(good);
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
  for (const version of versionsOf(key.produce)) {
    const ask = (
      what: string,
      topic: string,
      records: Buffer | null,
      options: { partition?: number; acks?: number; ignore?: string[] } = {},
    ): Promise<unknown> =>
      duel.ask(key.produce, version, what, (party) => production(party, version, topic, options.partition ?? 0, records, options.acks), {
        ignore: options.ignore ?? [],
      });
    await ask('a good batch', 'plain', good);
    await ask('acks=1', 'plain', good, { acks: 1 });
    for (const acks of [2, -2]) await ask(`acks=${acks}`, 'plain', good, { acks });
    await ask('a topic that is not there', 'nowhere', good);
    await ask('a partition that is not there', 'plain', good, { partition: 7 });
    await ask('no records', 'plain', null);
    await ask('no bytes', 'plain', Buffer.alloc(0));
    await ask('one byte', 'plain', Buffer.alloc(1));
    await ask('two batches', 'plain', Buffer.concat([good, good]));
    await ask('half a second batch', 'loose', Buffer.concat([good, good.subarray(0, 40)]));
    await ask('half a batch', 'plain', good.subarray(0, good.length - 10));
    await ask('a wrong checksum', 'plain', flipped);
    for (const magic of [0, 1, 3, -1]) await ask(`magic ${magic}`, 'plain', forged(good, 16, 1, magic));
    await ask('a base offset', 'plain', forged(good, 0, 8, 5));
    await ask('a length too small', 'plain', forged(good, 8, 4, 10));
    await ask('a length below zero', 'plain', forged(good, 8, 4, -1));
    await ask('a control batch', 'plain', batch(['a'], { isControl: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }));
    for (const delta of [0, 2, -1]) await ask(`a last offset delta of ${delta}`, 'plain', forged(good, 23, 4, delta));
    for (const count of [0, 1, 3, -1]) await ask(`${count} records said`, 'plain', forged(good, 57, 4, count));
    for (const codec of [5, 6, 7]) await ask(`codec ${codec}`, 'plain', forged(good, 21, 2, codec));
    for (const codec of [1, 2, 3, 4]) await ask(`codec ${codec} that it is not`, 'plain', forged(good, 21, 2, codec));
    await ask('gzip', 'plain', gzip);
    await ask('zstd', 'plain', zstd);
    await ask('gzip with garbage in it', 'plain', withRecords(compute, good, Buffer.concat([gzip.subarray(61, 80), randomBytes(20)]), 1));
    await ask('into the compacted without a key', 'compacted', good);
    await ask('into the compacted with a key', 'compacted', batch(['a'], { key: 'k' }));
    await ask('into the stamped', 'stamped', good, { ignore: ['logAppendTimeMs'] });
    await ask('stamped by the client', 'plain', forged(good, 21, 2, 8));
    await ask('stamped by the client into the stamped', 'stamped', forged(good, 21, 2, 8), { ignore: ['logAppendTimeMs'] });
    await ask('too large', 'small', batch(['x'.repeat(1000)]));
    await ask('too old', 'strict', batch(['a'], { timestamp: Date.now() - 3_600_000 }));
    await ask('too new', 'strict', batch(['a'], { timestamp: Date.now() + 3_600_000 }));
    await ask('without a time', 'plain', batch(['a'], { timestamp: -1 }));
    await ask('with a time below zero', 'plain', batch(['a'], { timestamp: -1000 }));
    await ask('to be zipped', 'zipped', good);
    await ask('a producer without an epoch', 'loose', batch(['a'], { producerId: 5, producerEpoch: -1, baseSequence: 0 }));
    await ask('a producer without a sequence', 'plain', batch(['a'], { producerId: 5, producerEpoch: 0, baseSequence: -1 }));
    await ask(
      'a transaction without an id',
      'plain',
      batch(['a'], { producerId: 5, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
    );
    await ask('into the offsets of groups', '__consumer_offsets_x', good).catch(() => undefined);
  }
  await idempotence(duel);
  await initProducerId(duel);
}

async function idempotence(duel: Duel): Promise<void> {
  await create(duel, { name: 'once' });
  const send = (
    what: string,
    producerId: number,
    producerEpoch: number,
    baseSequence: number,
    values: readonly string[] = ['v'],
  ): Promise<unknown> =>
    duel.ask(key.produce, 11, what, (party) =>
      production(party, 11, 'once', 0, batch(values, { producerId, producerEpoch, baseSequence })),
    );
  for (let sequence = 0; sequence < 7; sequence++) await send(`sequence ${sequence}`, 70, 0, sequence);
  for (let sequence = 0; sequence < 9; sequence++) await send(`sequence ${sequence} again`, 70, 0, sequence);
  await send('another cut of the same', 70, 0, 5, ['v', 'v']);
  await send('an unknown producer at 41', 71, 0, 41);
  await send('a new epoch not at 0', 71, 1, 5);
  await send('a new epoch at 0', 71, 1, 0);
  await send('an old epoch', 71, 0, 42);
  await send('a wrap', 72, 0, 2_147_483_646, ['a', 'b', 'c']);
  await send('behind the wrap', 72, 0, 1);
  await send('the wrap again', 72, 0, 2_147_483_646, ['a', 'b', 'c']);
  await send('2147483647 alone', 73, 0, 2_147_483_647);
  await send('0 behind it', 73, 0, 0);
}

async function initProducerId(duel: Duel): Promise<void> {
  // Kafka fetches its first block of ids from the controller.
  await settled(() =>
    duel.kafka.ask(key.initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }),
  );
  for (const version of versionsOf(key.initProducerId)) {
    const ask = (what: string, body: Body): Promise<unknown> =>
      duel.ask(
        key.initProducerId,
        version,
        what,
        { transactionalId: null, transactionTimeoutMs: 60_000, ...body },
        { ignore: ['producerId'] },
      );
    await ask('without a transactional id', {});
    await ask('a timeout below zero', { transactionTimeoutMs: -1 });
    await ask('an empty transactional id', { transactionalId: '' });
    if (version >= 3) {
      await ask('an id and an epoch', { producerId: 70, producerEpoch: 0 });
      await ask('an id without an epoch', { producerId: 70 });
      await ask('an epoch without an id', { producerEpoch: 3 });
    }
  }
}
