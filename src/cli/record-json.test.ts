import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordFromJson, recordJson } from './record-json.ts';

const located = {
  topic: 't',
  partition: 1,
  timestampType: 'CreateTime',
  record: { offset: 5, timestamp: 1000, key: Buffer.from([0xff, 0xfe]), value: Buffer.from('text'), headers: [{ key: 'h', value: null }] },
} as const;

test('a record as JSON says everything, and marks what is no text', () => {
  assert.deepEqual(recordJson(located), {
    topic: 't',
    partition: 1,
    offset: 5,
    timestamp: 1000,
    timestampType: 'CreateTime',
    key: '//4=',
    keyEncoding: 'base64',
    value: 'text',
    headers: [{ key: 'h', value: null }],
  });
});

test('what a record was written as, it is read from', () => {
  const { key, value, headers } = located.record;
  assert.deepEqual(recordFromJson(JSON.stringify(recordJson(located))), { key, value, headers, partition: 1, timestamp: 1000 });
});

test('a value that is no text is sent as its JSON, a missing one is null, and headers may be an object', () => {
  const record = recordFromJson('{"key":7,"value":{"id":1},"headers":{"a":"b","c":null},"timestamp":"2026-01-31T00:00:00Z"}');
  assert.deepEqual(record, {
    key: Buffer.from('7'),
    value: Buffer.from('{"id":1}'),
    headers: [
      { key: 'a', value: Buffer.from('b') },
      { key: 'c', value: null },
    ],
    timestamp: Date.UTC(2026, 0, 31),
  });
  assert.deepEqual(recordFromJson('{}'), { key: null, value: null, headers: [] });
});

test('a line that is no record says what is wrong with it', () => {
  for (const [line, message] of [
    ['', /it is not JSON/],
    ['[1]', /it is not a JSON object/],
    ['{"partition":-1}', /its partition/],
    ['{"timestamp":"soon"}', /its timestamp/],
    ['{"value":1,"valueEncoding":"base64"}', /its value is not base64/],
    ['{"key":"a","keyEncoding":"hex"}', /its keyEncoding is not base64/],
    ['{"headers":[{"value":"a"}]}', /one of its headers has no key/],
    ['{"headers":1}', /its headers/],
  ] as const)
    assert.throws(() => recordFromJson(line), message, line);
});
