import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFormat, unescape } from './record-format.ts';
import type { LocatedRecord } from './record-json.ts';

const located = (over: Partial<LocatedRecord['record']> = {}): LocatedRecord => ({
  topic: 'orders',
  partition: 3,
  timestampType: 'CreateTime',
  record: {
    offset: 42,
    timestamp: 1_769_817_600_123,
    key: Buffer.from('k'),
    value: Buffer.from('välue'),
    headers: [
      { key: 'a', value: Buffer.from('1') },
      { key: 'b', value: null },
    ],
    ...over,
  },
});

const formatted = (format: string, record: LocatedRecord = located(), count = 1): string => compileFormat(format)(record, count).toString();

test("kcat's tokens", () => {
  assert.equal(formatted('%t [%p] at %o: %k=%s (%K %S) %T %h\\n'), 'orders [3] at 42: k=välue (1 6) 1769817600123 a=1,b=NULL\n');
  assert.deepEqual(compileFormat('%R')(located(), 1), Buffer.from([0, 0, 0, 6]));
  assert.deepEqual(compileFormat('%R')(located({ value: null }), 1), Buffer.from([255, 255, 255, 255]));
});

test("rpk's tokens", () => {
  assert.equal(formatted('%i %v %V %d %H %h{%k:%v;}%%', located(), 7), '7 välue 6 1769817600123 2 a:1;b:;%');
  assert.equal(formatted('%k{hex} %v{base64} %v{json} %d{iso}'), '6b dsOkbHVl "välue" 2026-01-31T00:00:00.123Z');
});

test('a key or value that is null is empty, has the length -1, and is null as JSON', () => {
  assert.equal(formatted('<%k|%v|%K|%V|%k{json}>', located({ key: null, value: null })), '<||-1|-1|null>');
});

test('bytes that are no text pass through as they are', () => {
  const value = Buffer.from([0xff, 0x00, 0x80]);
  assert.deepEqual(compileFormat('%v')(located({ value }), 1), value);
});

test('escapes are bytes, and other letters are themselves', () => {
  assert.deepEqual(
    compileFormat('a\\t\\n\\r\\0\\\\\\xff\\qé😀')(located(), 1),
    Buffer.concat([Buffer.from('a\t\n\r\0\\'), Buffer.from([255]), Buffer.from('\\qé😀')]),
  );
  assert.deepEqual(unescape('\\x1f|'), Buffer.from([0x1f, 0x7c]));
});

test('a token that means nothing is refused', () => {
  for (const [wrong, message] of [
    ['%z', /%z means nothing/],
    ['%', /% means nothing/],
    ['%v{yaml}', /%v\{yaml\} means nothing/],
    ['%h{%k', /a brace is never closed/],
  ] as const)
    assert.throws(() => compileFormat(wrong), { name: 'CommandError', exitCode: 2, message }, wrong);
});
