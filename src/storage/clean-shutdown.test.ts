import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCleanShutdown, encodeCleanShutdown } from './clean-shutdown.ts';

test('the mark of a clean shutdown carries the broker epoch', () => {
  assert.equal(encodeCleanShutdown(57).toString(), '{"version":0,"brokerEpoch":57}');
  assert.equal(decodeCleanShutdown(encodeCleanShutdown(57)), 57);
  assert.equal(decodeCleanShutdown(Buffer.from('{"version":9,"brokerEpoch":3,"more":1}')), 3);
});

test('a mark without an epoch is still a mark', () => {
  for (const text of ['', 'x', 'null', '[]', '{}', '{"brokerEpoch":"1"}', '{"brokerEpoch":1.5}'])
    assert.equal(decodeCleanShutdown(Buffer.from(text)), undefined, text);
});
