// Every message at every version reads back what it wrote, writes what a second encoder writes, and does so by either way of
// making a codec.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileDecoder, compileEncoder, type Backend } from '../src/protocol/compile.ts';
import { Reader } from '../src/protocol/reader.ts';
import { includes, type Message } from '../src/protocol/schema.ts';
import { Writer } from '../src/protocol/writer.ts';
import { allMessages, allVersions, diceOf, otherThanDefault, referenceBytes, sampleOf, type Sample } from './protocol-samples.ts';

const backends: readonly Backend[] = ['source', 'closures'];
const SAMPLES = 6;

function encoded(message: Message, version: number, backend: Backend, value: Sample): Buffer {
  const writer = new Writer();
  compileEncoder(message, version, backend)(value, writer);
  const bytes = Buffer.concat(writer.buffers());
  assert.equal(writer.length, bytes.length);
  return bytes;
}

function decoded(message: Message, version: number, backend: Backend, bytes: Buffer): unknown {
  // The message stands in the middle of a larger buffer: a reader that ignores its bounds would be found out.
  const padded = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(3, 0xee)]);
  const reader = new Reader(padded, 3, 3 + bytes.length);
  const value = compileDecoder(message, version, backend)(reader);
  assert.equal(reader.remaining, 0);
  return value;
}

for (const backend of backends) {
  test(`every message at every version reads back what it wrote (${backend})`, () => {
    const dice = diceOf(backend === 'source' ? 1 : 2);
    for (const [message, version] of allVersions()) {
      const what = `${message.name} v${version}`;
      const encode = compileEncoder(message, version, backend);
      const decode = compileDecoder(message, version, backend);
      for (let round = 0; round < SAMPLES; round++) {
        const value = sampleOf(message, version, dice, { large: round === 0 });
        const writer = new Writer();
        encode(value, writer);
        const bytes = Buffer.concat(writer.buffers());
        assert.equal(bytes.toString('hex'), referenceBytes(message, version, value).toString('hex'), what);
        const reader = new Reader(bytes);
        assert.deepEqual(decode(reader), value, what);
        assert.equal(reader.remaining, 0, what);
      }
    }
  });

  test(`unknown tags are passed over wherever they stand (${backend})`, () => {
    const dice = diceOf(3);
    for (const [message, version] of allVersions()) {
      const value = sampleOf(message, version, dice, { large: false });
      const bytes = referenceBytes(message, version, value, dice);
      assert.deepEqual(decoded(message, version, backend, bytes), value, `${message.name} v${version}`);
    }
  });
}

test('decoded objects have the same fields in the same order at every version', () => {
  const dice = diceOf(4);
  for (const message of allMessages) {
    const shapes = new Set<string>();
    for (let version = message.versions.min; version <= message.versions.max; version++) {
      const bytes = encoded(message, version, 'source', sampleOf(message, version, dice, { large: false }));
      shapes.add(Object.keys(decoded(message, version, 'source', bytes) as object).join());
    }
    assert.deepEqual([...shapes], [Object.keys(message.fields).join()], message.name);
  }
});

test('fields with a default and tagged fields may be left out', () => {
  const dice = diceOf(5);
  for (const [message, version] of allVersions()) {
    const value = sampleOf(message, version, dice, { large: false });
    const required = Object.entries(value).filter(
      ([name]) => message.fields[name]?.default === undefined && message.fields[name]?.tag === undefined,
    );
    for (const backend of backends) {
      const bytes = encoded(message, version, backend, Object.fromEntries(required));
      const read = decoded(message, version, backend, bytes) as Sample;
      for (const [name, kept] of required) assert.deepEqual(read[name], kept, `${message.name} v${version} ${name}`);
    }
  }
});

test('a value that the version has no room for is dropped where Kafka drops it, and refused elsewhere', () => {
  const dice = diceOf(6);
  let dropped = 0;
  let refused = 0;
  for (const [message, version] of allVersions()) {
    const value = sampleOf(message, version, dice, { large: false });
    for (const [name, field] of Object.entries(message.fields)) {
      if (includes(field.versions, version)) continue;
      const other = { ...value, [name]: otherThanDefault(field, dice) };
      for (const backend of backends) {
        if (field.ignorable) {
          assert.ok(encoded(message, version, backend, other).equals(encoded(message, version, backend, value)));
          dropped++;
        } else {
          const what = `${message.name} v${version} ${name}`;
          assert.throws(() => encoded(message, version, backend, other), { name: 'KafkaError', errorName: 'UNSUPPORTED_VERSION' }, what);
          refused++;
        }
      }
    }
  }
  assert.ok(dropped > 100 && refused > 100, `${dropped} dropped, ${refused} refused`);
});

test('codecs work where code generation is forbidden', () => {
  const program = `
    import assert from 'node:assert/strict';
    import { decode, encode } from ${JSON.stringify(join(import.meta.dirname, '../src/protocol/codec.ts'))};
    import { apiVersionsRequest } from ${JSON.stringify(join(import.meta.dirname, '../src/protocol/messages/api-versions.ts'))};
    import { Reader } from ${JSON.stringify(join(import.meta.dirname, '../src/protocol/reader.ts'))};
    import { Writer } from ${JSON.stringify(join(import.meta.dirname, '../src/protocol/writer.ts'))};
    assert.throws(() => new Function('return 1'), EvalError);
    const value = { clientSoftwareName: 'a', clientSoftwareVersion: '1' };
    const writer = new Writer();
    encode(apiVersionsRequest, 3, value, writer);
    const bytes = Buffer.concat(writer.buffers());
    assert.equal(bytes.toString('hex'), '0261023100');
    assert.deepEqual(decode(apiVersionsRequest, 3, new Reader(bytes)), value);
  `;
  const options = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program];
  execFileSync(process.execPath, options, { stdio: 'pipe' });
});
