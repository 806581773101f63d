import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CollectingLogger, rateLimited, silentLogger, withFields } from './log.ts';

test('a thrown value becomes the field error, whatever it is', () => {
  const log = new CollectingLogger();
  const error = new RangeError('too far');
  log.error('failed', error);
  log.error('failed', 'a string');
  log.error('failed', 10n);
  log.error('failed', null);
  log.warn('with fields', { topic: 't', error });
  log.info('alone');
  const messages = log.lines.map((line) => (line.fields['error'] as Error | undefined)?.message);
  assert.deepEqual(messages, ['too far', 'thrown: a string', 'thrown: bigint', 'thrown: null', 'too far', undefined]);
  assert.deepEqual(log.lines[4]?.fields, { topic: 't', error });
  assert.deepEqual(log.messages('error'), ['failed', 'failed', 'failed', 'failed']);
  assert.equal(log.messages().length, 6);
  silentLogger.error('nothing happens');
});

test('fields given once stand on every line, and the line has the last word', () => {
  const log = new CollectingLogger();
  const inner = withFields(log, { partition: 3, topic: 'a' });
  inner.debug('x', { topic: 'b' });
  assert.deepEqual(log.lines, [{ level: 'debug', message: 'x', fields: { partition: 3, topic: 'b' } }]);
});

test('a repeated message passes once in its time, and says how many were left out', () => {
  const log = new CollectingLogger();
  let nowMs = 0;
  const limited = rateLimited(log, { everyMs: 1_000, monotonicMs: () => nowMs });
  for (let index = 0; index < 5; index += 1) limited.warn('disk full', { index });
  limited.error('disk full', { index: 'another level' });
  limited.warn('something else');
  assert.equal(log.lines.length, 3);
  nowMs = 999;
  limited.warn('disk full', { index: 5 });
  assert.equal(log.lines.length, 3);
  nowMs = 1_000;
  limited.warn('disk full', { index: 6 });
  assert.deepEqual(log.lines[3]?.fields, { index: 6, repeated: 5 });
  nowMs = 2_000;
  limited.warn('disk full', { index: 7 });
  assert.deepEqual(log.lines[4]?.fields, { index: 7 });
});

test('a flood of different messages does not grow the memory of what was said', () => {
  const log = new CollectingLogger();
  const limited = rateLimited(log, { everyMs: 1_000, monotonicMs: () => 0 });
  for (let index = 0; index < 1_000; index += 1) limited.warn(`message ${index}`);
  limited.warn('message 999');
  assert.equal(log.lines.length, 1_000);
  limited.warn('message 0'); // forgotten, so it passes again
  assert.equal(log.lines.length, 1_001);
});
