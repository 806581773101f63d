import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMemoryEnv } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { openFileLimit } from './open-file-limit.ts';

async function envWithLimits(text: string | undefined): Promise<ReturnType<typeof makeMemoryEnv>> {
  const env = makeMemoryEnv({ compute: makeCompute() });
  if (text === undefined) return env;
  await env.files.makeDirectory('/proc/self');
  const file = await env.files.open('/proc/self/limits', 'create');
  await file.write([Buffer.from(text)], 0);
  await file.close();
  return env;
}

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                20000                files\n`;

test('the setting decides where it says a number', async () => {
  assert.equal(await openFileLimit(await envWithLimits(limits('20000')), 7), 7);
});

test('half of what the process may open, less a reserve, goes to the logs', async () => {
  assert.equal(await openFileLimit(await envWithLimits(limits('20000')), 0), 9936);
  assert.equal(await openFileLimit(await envWithLimits(limits('256')), 0), 64);
  assert.equal(await openFileLimit(await envWithLimits(limits('1048576')), 0), 20_000);
});

test('a system that does not say gets a number that fits everywhere', async () => {
  assert.equal(await openFileLimit(await envWithLimits(undefined), 0), 512);
  assert.equal(await openFileLimit(await envWithLimits('Max open files            unlimited\n'), 0), 512);
});
