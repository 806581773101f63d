import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c as nativeCrc32c } from '@node-rs/crc32';
import { addRetainedBatches, DamagedSnapshotError, decodeProducerSnapshot, encodeProducers } from './producer-snapshot.ts';
import type { RetainedBatch, StoredProducer } from './producer-state.ts';

const crc32c = (bytes: Uint8Array): number => nativeCrc32c(Buffer.from(bytes));

const retained = (
  baseSequence: number,
  lastSequence: number,
  baseOffset: number,
  lastOffset: number,
  maxTimestamp: number,
): RetainedBatch => ({
  baseSequence,
  lastSequence,
  baseOffset,
  lastOffset,
  maxTimestamp,
  commit: undefined,
});

const producers: readonly StoredProducer[] = [
  {
    producerId: 2 ** 40,
    producerEpoch: 32_767,
    coordinatorEpoch: 4,
    lastTimestamp: 1_700_000_000_000,
    currentTransactionFirstOffset: 1000,
    batches: [retained(0, 4, 1000, 1004, 1_600_000_000_000), retained(5, 5, 1005, 1005, 1_700_000_000_000)],
  },
  {
    producerId: 3,
    producerEpoch: 0,
    coordinatorEpoch: -1,
    lastTimestamp: 55,
    currentTransactionFirstOffset: -1,
    batches: [retained(7, 9, 5, 7, 55)],
  },
  { producerId: 4, producerEpoch: 1, coordinatorEpoch: 0, lastTimestamp: 66, currentTransactionFirstOffset: -1, batches: [] },
];

const encoded = encodeProducers(producers, crc32c);
const batches = encoded.batches ?? Buffer.alloc(0);

test("a snapshot keeps every producer with its last batch, as Kafka's does", () => {
  const read = decodeProducerSnapshot(encoded.snapshot, 'x.snapshot', crc32c);
  assert.deepEqual(
    read,
    producers.map((producer) => ({ ...producer, batches: producer.batches.slice(-1) })),
  );
});

test('with the file beside it, all retained batches come back', () => {
  const last = decodeProducerSnapshot(encoded.snapshot, 'x.snapshot', crc32c);
  assert.deepEqual(addRetainedBatches(last, { snapshot: encoded.snapshot, batches, name: 'x.producers' }, crc32c), producers);
});

test('no second file is needed while no producer has more than one batch', () => {
  assert.equal(encodeProducers(producers.slice(1), crc32c).batches, undefined);
  assert.equal(
    encodeProducers([], crc32c).snapshot.toString('hex'),
    `0001${crc32c(Buffer.alloc(4)).toString(16).padStart(8, '0')}00000000`,
  );
});

test('sequences that wrapped inside a batch keep both ends', () => {
  const wrapped = retained(2_147_483_646, 7, 100, 109, 1);
  const { snapshot } = encodeProducers([{ ...producers[1]!, lastTimestamp: 1, batches: [wrapped] }], crc32c);
  assert.deepEqual(decodeProducerSnapshot(snapshot, 'x.snapshot', crc32c)[0]?.batches, [wrapped]);
});

test('a batch without sequences keeps none', () => {
  const unsequenced = retained(-1, -1, 100, 109, 1);
  const { snapshot } = encodeProducers([{ ...producers[1]!, lastTimestamp: 1, batches: [unsequenced] }], crc32c);
  assert.deepEqual(decodeProducerSnapshot(snapshot, 'x.snapshot', crc32c)[0]?.batches, [unsequenced]);
});

test('a flipped bit anywhere, a cut at any byte and bytes too many are damage, in both files', () => {
  const last = decodeProducerSnapshot(encoded.snapshot, 'x.snapshot', crc32c);
  const readers = [
    { bytes: encoded.snapshot, read: (bytes: Buffer): unknown => decodeProducerSnapshot(bytes, 'x.snapshot', crc32c) },
    {
      bytes: batches,
      read: (bytes: Buffer): unknown =>
        addRetainedBatches(last, { snapshot: encoded.snapshot, batches: bytes, name: 'x.producers' }, crc32c),
    },
  ];
  for (const { bytes, read } of readers) {
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      assert.throws(() => read(flipped), DamagedSnapshotError, `flipped at ${at}`);
      assert.throws(() => read(bytes.subarray(0, at)), DamagedSnapshotError, `cut at ${at}`);
    }
    assert.throws(() => read(Buffer.concat([bytes, Buffer.alloc(1)])), DamagedSnapshotError);
  }
});

test('counts that the bytes do not bear out are damage even under a right CRC', () => {
  for (const count of [-1, 2, 2_147_483_647]) {
    const bytes = Buffer.from(encoded.snapshot);
    bytes.writeInt32BE(count, 6);
    bytes.writeUInt32BE(crc32c(bytes.subarray(6)), 2);
    assert.throws(() => decodeProducerSnapshot(bytes, 'x.snapshot', crc32c), DamagedSnapshotError);
  }
});

test('the batches of another snapshot for the same offset are not taken for ours', () => {
  const other = encodeProducers([{ ...producers[0]!, lastTimestamp: 1 }], crc32c).snapshot;
  const last = decodeProducerSnapshot(other, 'x.snapshot', crc32c);
  assert.throws(() => addRetainedBatches(last, { snapshot: other, batches, name: 'x.producers' }, crc32c), /not written together/);
});
