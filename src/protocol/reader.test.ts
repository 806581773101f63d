// The reader against single values: what it takes, and what it refuses and why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from './errors.ts';
import { Reader, uuidAt, ZERO_UUID } from './reader.ts';
import { Writer } from './writer.ts';

const over = (text: string): Reader => new Reader(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function refuses(read: () => unknown, why: RegExp): void {
  assert.throws(read, (thrown) => thrown instanceof ProtocolError && why.test(thrown.message));
}

test('a varint has at most 32 bits in at most five bytes', () => {
  assert.equal(over('00').uvarint(), 0);
  assert.equal(over('7f').uvarint(), 127);
  assert.equal(over('8001').uvarint(), 128);
  assert.equal(over('ffffffff0f').uvarint(), 4_294_967_295);
  refuses(() => over('ffffffff1f').uvarint(), /longer than 32 bits/);
  refuses(() => over('ffffffffff01').uvarint(), /longer than 32 bits/);
  refuses(() => over('ff').uvarint(), /1 bytes are wanted, and 0 are left/);
  refuses(() => over('').uvarint(), /1 bytes are wanted, and 0 are left/);
});

test('signed varints are zigzag, and those of 64 bits are clamped to the safe range', () => {
  assert.equal(over('01').varint(), -1);
  assert.equal(over('feffffff0f').varint(), 2_147_483_647);
  assert.equal(over('ffffffff0f').varint(), -2_147_483_648);
  assert.equal(over('01').varlong(), -1);
  assert.equal(over('feffffffffffffffff01').varlong(), Number.MAX_SAFE_INTEGER);
  assert.equal(over('ffffffffffffffffff01').varlong(), Number.MIN_SAFE_INTEGER);
  refuses(() => over('ffffffffffffffffff02').varlong(), /longer than 64 bits/);
  refuses(() => over('ffffffffffffffffffff01').varlong(), /longer than 64 bits/);
});

test('signed varints read back what was written', () => {
  const values = [
    0,
    -1,
    1,
    63,
    -64,
    64,
    2 ** 27,
    -(2 ** 27) - 1,
    2 ** 28,
    2 ** 31,
    -(2 ** 31),
    2 ** 45 + 1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ];
  const writer = new Writer();
  for (const value of values) {
    writer.varlong(value);
    if (value === (value | 0)) writer.varint(value);
  }
  const reader = new Reader(Buffer.concat(writer.buffers()));
  for (const value of values) {
    assert.equal(reader.varlong(), value);
    if (value === (value | 0)) assert.equal(reader.varint(), value);
  }
  assert.equal(reader.remaining, 0);
});

test('lengths below null, lengths beyond what is there and nulls in the wrong place are refused', () => {
  refuses(() => over('ffff').string(), /string is null where it may not be/);
  refuses(() => over('fffe').string(), /length -2/);
  refuses(() => over('fffe').nullableString(), /length -2/);
  refuses(() => over('00').compactString(), /null where it may not be/);
  refuses(() => over('0003 6161').string(), /3 bytes are wanted, and 2 are left/);
  refuses(() => over('ffffffff').bytes(), /null where it may not be/);
  refuses(() => over('fffffffe').nullableBytes(), /length -2/);
  refuses(() => over('00').compactBytes(), /null where it may not be/);
  refuses(() => over('7fffffff').nullableBytes(), /2147483647 bytes are wanted/);
  refuses(() => over('ffffffff').count(1), /list is null where it may not be/);
  refuses(() => over('fffffffe').nullableCount(1), /length -2/);
  refuses(() => over('00').compactCount(1), /null where it may not be/);
  assert.equal(over('ffff').nullableString(), null);
  assert.equal(over('00').compactNullableString(), null);
  assert.equal(over('ffffffff').nullableBytes(), null);
  assert.equal(over('ffffffff').nullableCount(1), -1);
  assert.equal(over('00').compactNullableCount(1), -1);
});

test('a list may not claim more elements than the bytes left can hold', () => {
  assert.equal(over('00000002 00000000').count(2), 2);
  refuses(() => over('00000003 00000000').count(2), /claims 3 elements, and 4 bytes are left/);
  refuses(() => over('00000003 00000000').nullableCount(2), /claims 3 elements/);
  refuses(() => over('04 00000000').compactCount(2), /claims 3 elements/);
  refuses(() => over('ffffffff0f 00000000').compactNullableCount(1), /claims 4294967294 elements/);
});

test('a string is never longer than Kafka allows, though a compact length could say so', () => {
  const bytes = Buffer.alloc(40_000, 'a');
  const withLength = (length: number): Reader => {
    const writer = new Writer();
    writer.uvarint(length + 1);
    return new Reader(Buffer.concat([...writer.buffers(), bytes]));
  };
  assert.equal(withLength(32_767).compactString().length, 32_767);
  refuses(() => withLength(32_768).compactString(), /claims 32768 bytes/);
});

test('a struct that may be null begins with one of two marks', () => {
  assert.equal(over('01').present(), true);
  assert.equal(over('ff').present(), false);
  refuses(() => over('00').present(), /neither null nor present/);
  refuses(() => over('02').present(), /neither null nor present/);
  assert.equal(over('01').taggedPresent(), true);
  assert.equal(over('00').taggedPresent(), false);
  refuses(() => over('02').taggedPresent(), /neither null nor present/);
});

test('the end is that of the message, not that of the buffer', () => {
  const reader = new Reader(Buffer.from('0001020304', 'hex'), 1, 3);
  assert.equal(reader.remaining, 2);
  assert.equal(reader.int8(), 1);
  refuses(() => reader.int16(), /2 bytes are wanted, and 1 are left/);
  assert.equal(reader.int8(), 2);
  assert.equal(reader.remaining, 0);
});

test('a UUID is 22 characters of base64url, as Kafka shows it', () => {
  for (const bytes of ['00112233445566778899aabbccddeeff', 'fbefbefbefbefbefbefbefbefbefbefb', 'ffffffffffffffffffffffffffffffff']) {
    const buffer = Buffer.from(bytes, 'hex');
    assert.equal(uuidAt(new DataView(buffer.buffer, buffer.byteOffset), 0), buffer.toString('base64url'));
  }
  assert.equal(over('00'.repeat(16)).uuid(), ZERO_UUID);
});
