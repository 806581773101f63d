import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResetTo } from './reset-words.ts';

const NOW_MS = Date.UTC(2026, 0, 31, 12);
const to = (text: string): unknown => parseResetTo({ to: text }, NOW_MS);

test('--to takes ends, offsets, shifts, times, groups and files', () => {
  assert.deepEqual(to('start'), { to: 'start' });
  assert.deepEqual(to('latest'), { to: 'end' });
  assert.deepEqual(to('current'), { to: 'current' });
  assert.deepEqual(to('5'), { to: 'offset', offset: 5 });
  assert.deepEqual(to('+10'), { to: 'shift', by: 10 });
  assert.deepEqual(to('-10'), { to: 'shift', by: -10 });
  assert.deepEqual(to('@2h'), { to: 'time', timestampMs: NOW_MS - 7_200_000 });
  assert.deepEqual(to('@1769817600000'), { to: 'time', timestampMs: 1_769_817_600_000 });
  assert.deepEqual(to('@2026-01-31T10:00:00Z'), { to: 'time', timestampMs: Date.UTC(2026, 0, 31, 10) });
  assert.deepEqual(to('group:a:b'), { to: 'group', groupId: 'a:b' });
  assert.deepEqual(to('file:x/y.csv'), { to: 'file', path: 'x/y.csv' });
});

test('the flags of Kafka say the same', () => {
  const parse = (flags: Parameters<typeof parseResetTo>[0]): unknown => parseResetTo(flags, NOW_MS);
  assert.deepEqual(parse({ toEarliest: true }), to('start'));
  assert.deepEqual(parse({ toLatest: true }), to('end'));
  assert.deepEqual(parse({ toCurrent: true }), to('current'));
  assert.deepEqual(parse({ toOffset: '5' }), to('5'));
  assert.deepEqual(parse({ shiftBy: '-10' }), to('-10'));
  assert.deepEqual(parse({ shiftBy: '10' }), to('+10'));
  assert.deepEqual(parse({ toDatetime: '2026-01-31T10:00:00.000' }), to('@2026-01-31T10:00:00Z'), 'without a zone it is UTC');
  assert.deepEqual(parse({ toDatetime: '2026-01-31T12:00:00.000+02:00' }), to('@2026-01-31T10:00:00Z'));
  assert.deepEqual(parse({ byDuration: 'PT2H' }), to('@2h'));
  assert.deepEqual(parse({ byDuration: 'P1DT2H30M0.5S' }), { to: 'time', timestampMs: NOW_MS - 95_400_500 });
  assert.deepEqual(parse({ fromFile: 'f' }), to('file:f'));
});

test('no place, two places and a place that is none are refused', () => {
  assert.throws(() => parseResetTo({}, NOW_MS), /--to says where to read on, and it is missing/);
  assert.throws(() => parseResetTo({ to: 'start', toLatest: true }, NOW_MS), /it is said twice/);
  for (const text of ['middle', '@yesterday', '1.5', 'group:', '']) assert.throws(() => to(text), /is no place to read on/, text);
  assert.throws(() => parseResetTo({ byDuration: 'PT' }, NOW_MS), /--by-duration takes/);
  assert.throws(() => parseResetTo({ toDatetime: 'noon' }, NOW_MS), /--to-datetime takes/);
  assert.throws(() => parseResetTo({ shiftBy: 'x' }, NOW_MS), /--shift-by takes a number/);
});
