// Bytes from an enemy: a decoder returns or throws ProtocolError, never anything else, and what it builds stays within a
// small multiple of what it was given. The published flaws behind it: CVE-2026-111108, CVE-2026-111115, CVE-2022-34917.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileDecoder } from '../src/protocol/compile.ts';
import { ProtocolError } from '../src/protocol/errors.ts';
import { metadataRequest } from '../src/protocol/messages/metadata.ts';
import { Reader } from '../src/protocol/reader.ts';
import type { Message } from '../src/protocol/schema.ts';
import { allVersions, diceOf, referenceBytes, sampleOf, type Dice } from './protocol-samples.ts';

type Decode = (reader: Reader) => unknown;

/** What the object graph takes, roughly as V8 lays it out. Frozen objects are the shared defaults, byte values are slices. */
function weight(value: unknown): number {
  if (typeof value === 'string') return value.length === 0 ? 0 : 16 + value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (Object.isFrozen(value)) return 0;
  if (Buffer.isBuffer(value)) return 96;
  const parts = Object.values(value);
  return 24 + 8 * parts.length + parts.reduce<number>((sum, part) => sum + weight(part), 0);
}

/** Small structs are the worst: two bytes on the wire (an empty string and no tags) are an object and its place in a list. */
const WEIGHT_PER_BYTE = 64;
/** The outermost object, of up to some twenty fields with a list or a byte value each. */
const WEIGHT_OF_NOTHING = 3000;

/** Whether the bytes were read; all but a ProtocolError fails the test. */
function survives(decode: Decode, bytes: Buffer, what: () => string): boolean {
  let value: unknown;
  try {
    value = decode(new Reader(bytes));
  } catch (thrown) {
    assert.ok(thrown instanceof ProtocolError, `${what()}: ${String(thrown)} on ${bytes.toString('hex')}`);
    return false;
  }
  const allowed = WEIGHT_OF_NOTHING + WEIGHT_PER_BYTE * bytes.length;
  assert.ok(weight(value) <= allowed, `${what()}: ${weight(value)} bytes of memory for ${bytes.length} on the wire`);
  return true;
}

/** A sample whose bytes are few enough to try every cut of them. */
function smallBytes(message: Message, version: number, dice: Dice): Buffer {
  let smallest = referenceBytes(message, version, sampleOf(message, version, dice, { large: false }), dice);
  for (let tries = 0; tries < 20 && (smallest.length > 300 || smallest.length < 10); tries++) {
    const bytes = referenceBytes(message, version, sampleOf(message, version, dice, { large: false }), dice);
    if (bytes.length < smallest.length || smallest.length < 10) smallest = bytes;
  }
  return smallest;
}

const poison = [
  '7fffffff', // the longest list or byte value
  '80000000',
  'ffffffff', // null, or most of a varint
  'fffffffe',
  '7fff',
  'fffe',
  'ffffffff0f', // the largest varint
  'ffffffff1f', // one that is too large
  'ffffffffff01',
  '8080808000', // zero, in a roundabout way
  '00',
  'ff',
].map((text) => Buffer.from(text, 'hex'));

test('a message cut at any byte is refused, or was complete before', () => {
  const dice = diceOf(11);
  for (const [message, version] of allVersions()) {
    const decode = compileDecoder(message, version);
    const bytes = smallBytes(message, version, dice);
    assert.ok(survives(decode, bytes, () => message.name));
    for (let length = 0; length < bytes.length; length++) {
      const read = survives(decode, bytes.subarray(0, length), () => `${message.name} v${version} cut at ${length}`);
      assert.equal(read, false, `${message.name} v${version} cut at ${length} of ${bytes.length} was read`);
    }
  }
});

test('wrong lengths, flipped bits, foreign bytes and random tags are refused or read, never anything else', () => {
  const dice = diceOf(12);
  let read = 0;
  let refused = 0;
  for (const [message, version] of allVersions()) {
    const sourceDecode = compileDecoder(message, version, 'source');
    const closureDecode = compileDecoder(message, version, 'closures');
    const bytes = smallBytes(message, version, dice);
    for (let round = 0; round < 80; round++) {
      const broken = mutate(bytes, dice);
      const what = (): string => `${message.name} v${version}`;
      const survived = survives(sourceDecode, broken, what);
      if (survived) read++;
      else refused++;
      if (round % 4 === 0) assert.equal(survives(closureDecode, broken, what), survived, `${what()}: ${broken.toString('hex')}`);
    }
  }
  // Both happen often, or the mutations are no good.
  assert.ok(read > 5000 && refused > 5000, `${read} read, ${refused} refused`);
});

function mutate(bytes: Buffer, dice: Dice): Buffer {
  const broken = Buffer.from(bytes);
  const at = dice(Math.max(1, bytes.length));
  switch (dice(4)) {
    case 0: {
      if (broken.length > 0) broken[at] = (broken[at] ?? 0) ^ (1 << dice(8));
      return broken;
    }
    case 1: {
      const wrong = poison[dice(poison.length)]!;
      return Buffer.concat([broken.subarray(0, at), wrong, broken.subarray(at + wrong.length)]);
    }
    case 2:
      return Buffer.concat([broken.subarray(0, at), Buffer.from(Array.from({ length: dice(8) }, () => dice(256))), broken.subarray(at)]);
    default:
      return Buffer.concat([broken.subarray(0, at), Buffer.from(Array.from({ length: dice(40) }, () => dice(256)))]);
  }
}

test('random bytes are refused or read by every decoder', () => {
  const dice = diceOf(13);
  for (const [message, version] of allVersions()) {
    const decode = compileDecoder(message, version);
    for (let round = 0; round < 20; round++) {
      // Small numbers are plausible lengths and counts, so they get further in than even chance would.
      const bytes = Buffer.from(Array.from({ length: dice(200) }, () => (dice(2) === 0 ? dice(4) : dice(256))));
      survives(decode, bytes, () => `${message.name} v${version}`);
    }
  }
});

test('a claimed length costs no memory: the claim alone is refused in every version of every message', () => {
  for (const [message, version] of allVersions()) {
    const decode = compileDecoder(message, version);
    // Wherever the first length stands, it claims as much as can be claimed, with nothing behind it.
    for (let zeros = 0; zeros < 40; zeros++) {
      for (const claim of ['7fffffff', 'feffffff0f']) {
        survives(decode, Buffer.concat([Buffer.alloc(zeros), Buffer.from(claim, 'hex')]), () => `${message.name} v${version}`);
      }
    }
  }
});

test('a message of millions of tiny elements is refused before they are built', () => {
  const count = 3_000_000;
  const bytes = Buffer.alloc(4 + count * 2);
  bytes.writeInt32BE(count);
  assert.throws(() => compileDecoder(metadataRequest, 1)(new Reader(bytes)), /more than 2097152 list elements/);
});

test('a struct with more tags than any has is refused', () => {
  const tag = Buffer.from('6400', 'hex');
  const withTags = (count: number): Buffer =>
    Buffer.concat([
      Buffer.from('0102', 'hex'),
      Buffer.from([(count & 127) | 128, count >> 7]),
      ...Array.from({ length: count }, () => tag),
    ]);
  const read = (count: number): unknown =>
    compileDecoder(
      metadataRequest,
      11,
    )(new Reader(Buffer.concat([Buffer.from('0100', 'hex'), Buffer.from('00', 'hex'), withTags(count).subarray(2)])));
  assert.doesNotThrow(() => read(1000));
  assert.throws(() => read(1025), /1025 tagged values/);
});
