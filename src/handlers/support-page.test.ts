import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { apis } from './index.ts';
import { supportPage } from './support-page.ts';

test('the support page says what the table of handlers says; if not, run node scripts/generate-support.ts', () => {
  const committed = readFileSync(join(import.meta.dirname, '../../docs/generated/support.md'), 'utf8');
  assert.ok(committed === supportPage(apis), 'docs/generated/support.md is out of date');
});

test('the page tells what is served from what is not', () => {
  const page = supportPage(apis);
  assert.match(page, /^\| 3 \| Metadata \| 0–13 \| 0–13 \|$/m);
  assert.match(page, /^\| 0 \| Produce \| 3–13 \| 3–13 \(advertised from 0\) \|$/m);
  assert.match(page, /^\| 90 \| DescribeShareGroupOffsets \| 0–1 \|  \|$/m);
  assert.match(supportPage(new Map()), /^0 of the 77 APIs/m);
});

test('no API is served twice, or in versions that its tables do not have', () => {
  for (const { key, name, request, response, minVersion, maxVersion } of apis.values()) {
    assert.equal(request.apiKey, key, name);
    assert.equal(response.apiKey, key, name);
    assert.ok(request.versions.min <= minVersion && minVersion <= maxVersion && maxVersion <= request.versions.max, name);
  }
});

test('every API that can fail as a whole has an answer for that', () => {
  // These answer each failure where it belongs, and throw nothing.
  const needNone = new Set(['Produce', 'ListOffsets', 'FindCoordinator', 'OffsetForLeaderEpoch']);
  const without = [...apis.values()].filter(({ name, failure }) => failure === undefined && !needNone.has(name));
  assert.deepEqual(
    without.map(({ name }) => name),
    [],
  );
});
