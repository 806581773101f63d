import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveBrokerConfig } from '../config/broker-configs.ts';
import { memoryShares } from './memory-shares.ts';

const MiB = 2 ** 20;

function sharesOf(settings: Readonly<Record<string, string>>, limitMiB: number): number[] {
  const texts = new Map(Object.entries(settings));
  const { tailCacheBytes, queuedMaxRequestBytes } = memoryShares(
    resolveBrokerConfig({ static: texts }),
    (name) => texts.has(name),
    limitMiB * MiB,
  );
  return [tailCacheBytes / MiB, queuedMaxRequestBytes / MiB];
}

test('a container with little memory gets a small cache and little room for requests; without one the defaults hold', () => {
  assert.deepEqual(sharesOf({}, Infinity), [64, 128]);
  assert.deepEqual(sharesOf({}, 16 * 1024), [64, 128]);
  assert.deepEqual(sharesOf({}, 1024), [64, 64]);
  assert.deepEqual(sharesOf({}, 256), [16, 16]);
});

test('what the settings say is taken at its word', () => {
  const settings = { 'storage.cache.bytes': `${200 * MiB}`, 'queued.max.request.bytes': `${150 * MiB}` };
  assert.deepEqual(sharesOf(settings, 256), [200, 150]);
});
