// The writer against single values, and the scratch space that messages share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../base/invariant.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

function written(write: (writer: Writer) => void): string {
  const writer = new Writer();
  write(writer);
  const bytes = Buffer.concat(writer.buffers());
  assert.equal(writer.length, bytes.length);
  return bytes.toString('hex');
}

test('a number that does not fit its field is refused rather than cut', () => {
  const refused: ((writer: Writer) => void)[] = [
    (w) => w.int8(128),
    (w) => w.int16(-32_769),
    (w) => w.int16(NaN),
    (w) => w.int32(2 ** 31),
    (w) => w.int32(1.5),
    (w) => w.uint16(-1),
    (w) => w.uint32(2 ** 32),
    (w) => w.int64(NaN),
    (w) => w.uvarint(-1),
    (w) => w.varlong(2 ** 53),
    (w) => w.uuid('no UUID'),
    (w) => w.uuid('AAAAAAAAAAAAAAAAAAAAA='),
    (w) => w.uuid('AAAAAAAAAAAAAAAAAAAAAä'),
    (w) => w.string('a'.repeat(32_768)),
    (w) => w.compactString('ö'.repeat(16_384)),
  ];
  for (const write of refused) assert.throws(() => written(write), RangeError, write.toString());
});

test('strings are UTF-8, of any length and either form', () => {
  for (const text of [
    '',
    'a',
    'ö',
    'x'.repeat(40),
    'ö'.repeat(40),
    '日'.repeat(40),
    'x'.repeat(41),
    '😀'.repeat(300),
    'a'.repeat(32_767),
  ]) {
    const utf8 = Buffer.from(text);
    const plain = Buffer.from(
      written((w) => w.string(text)),
      'hex',
    );
    assert.equal(plain.readInt16BE(), utf8.length);
    assert.ok(plain.subarray(2).equals(utf8));
    const compact = new Reader(
      Buffer.from(
        written((w) => w.compactString(text)),
        'hex',
      ),
    );
    assert.equal(compact.compactString(), text);
    assert.equal(compact.remaining, 0);
  }
});

test('messages that are written at the same time do not share bytes', () => {
  const writers = Array.from({ length: 5 }, () => new Writer());
  for (let round = 0; round < 3000; round++) for (const [index, writer] of writers.entries()) writer.int32(index);
  for (const [index, writer] of writers.entries()) {
    const reader = new Reader(Buffer.concat(writer.buffers()));
    for (let round = 0; round < 3000; round++) assert.equal(reader.int32(), index);
    assert.equal(reader.remaining, 0);
  }
});

test('bytes of finished messages stay as they are while later ones are written', () => {
  const kept = Array.from({ length: 2000 }, (_, index) => {
    const writer = new Writer();
    writer.int32(index);
    if (index % 7 === 0) writer.raw(Buffer.alloc(index * 20, index)); // some outgrow the slab they begin in
    if (index % 5 !== 0) return { index, chunks: writer.buffers() };
    new Writer().int64(-1); // dropped half-way, as by an error
    return { index, chunks: writer.buffers() };
  });
  for (const { index, chunks } of kept) {
    const reader = new Reader(Buffer.concat(chunks));
    assert.equal(reader.int32(), index);
    const rest = index % 7 === 0 ? index * 20 : 0;
    assert.ok(reader.buffer.subarray(4).equals(Buffer.alloc(rest, index)));
  }
});

test('small messages are cut from one piece of memory', () => {
  const memory = new Set<ArrayBufferLike>();
  for (let index = 0; index < 100; index++) {
    const writer = new Writer();
    writer.raw(Buffer.alloc(100, 1));
    for (const chunk of writer.buffers()) memory.add(chunk.buffer);
  }
  assert.ok(memory.size <= 2, `${memory.size} pieces`);
});

test('records are woven in at their place, also when the scratch space grows around them', () => {
  const writer = new Writer();
  const records = Buffer.from('records');
  const expected: Buffer[] = [];
  for (let round = 0; round < 200; round++) {
    const filling = Buffer.alloc(round * 3, round);
    writer.raw(filling);
    writer.compactNullableRecords([records, Buffer.alloc(0), records]);
    writer.records(Buffer.alloc(0));
    expected.push(filling, Buffer.from([15]), records, records, Buffer.alloc(4));
  }
  writer.nullableRecords(null);
  writer.compactNullableRecords(null);
  expected.push(Buffer.from('ffffffff00', 'hex'));
  const chunks = writer.buffers();
  assert.equal(chunks.filter((chunk) => chunk === records).length, 400);
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat(expected)));
  assert.ok(chunks.every(({ length }) => length > 0));
});

test('a tagged value is preceded by its size, whatever that turns out to be', () => {
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 100_000]) {
    const content = Buffer.alloc(size, 7);
    const bytes = written((w) => {
      w.raw(Buffer.alloc(10, 1));
      const mark = w.beginTag();
      for (let at = 0; at < size; at += 1000) w.raw(content.subarray(at, at + 1000));
      w.endTag(mark);
      w.int8(9);
    });
    const reader = new Reader(Buffer.from(bytes, 'hex'), 10);
    assert.equal(reader.uvarint(), size);
    assert.ok(reader.buffer.subarray(reader.at, reader.at + size).equals(content));
    reader.skip(size);
    assert.equal(reader.int8(), 9);
  }
});

test('a finished message is written to no more', () => {
  const writer = new Writer();
  writer.int32(1);
  assert.equal(writer.buffers(), writer.buffers());
  assert.throws(() => writer.int32(2), InvariantError);
  assert.throws(() => writer.weave(Buffer.from('x')), InvariantError);
});
