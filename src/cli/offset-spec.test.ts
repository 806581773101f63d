import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOffsetSpec, parseOffsetSpecs } from './offset-spec.ts';

const now = Date.UTC(2026, 0, 31, 12);
const time = (timestampMs: number) => ({ at: 'time', timestampMs });

test('a place is a word, an offset, a distance from an end, or a time', () => {
  const places: readonly (readonly [string, unknown])[] = [
    ['start', { at: 'start' }],
    ['beginning', { at: 'start' }],
    ['earliest', { at: 'start' }],
    ['end', { at: 'end' }],
    ['latest', { at: 'end' }],
    ['0', { at: 'offset', offset: 0 }],
    ['12', { at: 'offset', offset: 12 }],
    ['-10', { at: 'before end', count: 10 }],
    ['+10', { at: 'after start', count: 10 }],
    ['@1769817600000', time(1_769_817_600_000)],
    ['@1769817600', time(1_769_817_600_000)],
    ['@2h', time(now - 7_200_000)],
    ['@-90s', time(now - 90_000)],
    ['@2026-01-30', time(Date.UTC(2026, 0, 30))],
    ['@2026-01-30T10:20:30Z', time(Date.UTC(2026, 0, 30, 10, 20, 30))],
    ['@2026-01-30T10:20:30.5+01:00', time(Date.UTC(2026, 0, 30, 9, 20, 30, 500))],
  ];
  for (const [text, from] of places) assert.deepEqual(parseOffsetSpec(text, now), { from }, text);
});

test('a range is two places with a colon, also where a time holds colons itself', () => {
  const ranges: readonly (readonly [string, unknown, unknown])[] = [
    ['5:10', { at: 'offset', offset: 5 }, { at: 'offset', offset: 10 }],
    [':end', { at: 'start' }, { at: 'end' }],
    ['-5:end', { at: 'before end', count: 5 }, { at: 'end' }],
    ['@2h:@1h', time(now - 7_200_000), time(now - 3_600_000)],
    ['@2h:1h', time(now - 7_200_000), time(now - 3_600_000)],
    ['@2026-01-30T10:20:30Z:2026-01-30T10:20:31Z', time(Date.UTC(2026, 0, 30, 10, 20, 30)), time(Date.UTC(2026, 0, 30, 10, 20, 31))],
    ['@1769817600:end', time(1_769_817_600_000), { at: 'end' }],
  ];
  for (const [text, from, until] of ranges) assert.deepEqual(parseOffsetSpec(text, now), { from, until }, text);
  assert.deepEqual(parseOffsetSpec('7:', now), { from: { at: 'offset', offset: 7 } });
});

test("kcat's two ends of a range of time are put together", () => {
  assert.deepEqual(parseOffsetSpecs(['s@1769817600000', 'e@1769817601000'], now), {
    from: time(1_769_817_600_000),
    until: time(1_769_817_601_000),
  });
  assert.deepEqual(parseOffsetSpecs([], now), { from: { at: 'start' } });
});

test('what is no place is refused with the places that there are', () => {
  for (const wrong of ['', 'begin', '5:x', '@', '@yesterday', '@2026-13-40', '1.5', '--5', 'stored'])
    assert.throws(() => parseOffsetSpec(wrong, now), { name: 'CommandError', exitCode: 2, message: /is no place in a topic/ }, wrong);
});
