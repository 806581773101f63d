import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMemoryEnv } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { shareDescriptors, type DescriptorShares } from './descriptor-shares.ts';

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

const shares = async (text: string | undefined, setting = 0, logDirs = 1): Promise<DescriptorShares> =>
  shareDescriptors(await envWithLimits(text), { setting, logDirs });

test('the setting decides where it says a number', async () => {
  assert.deepEqual(await shares(limits('20000'), 100), { filesOfLogDir: 100, connections: 19_836 });
});

test('half of what the process may open, less a reserve, goes to the logs, and the rest but for that reserve to connections', async () => {
  assert.deepEqual(await shares(limits('20000')), { filesOfLogDir: 9936, connections: 10_000 });
  assert.deepEqual(await shares(limits('256')), { filesOfLogDir: 64, connections: 128 });
  assert.deepEqual(await shares(limits('1048576')), { filesOfLogDir: 20_000, connections: 1_028_512 });
});

test('log dirs share their part', async () => {
  assert.equal((await shares(limits('20000'), 0, 3)).filesOfLogDir, 3312);
});

test('however few there are, some files can be open and some clients come in', async () => {
  assert.deepEqual(await shares(limits('64'), 0, 20), { filesOfLogDir: 8, connections: 16 });
});

test('a system that does not say gets a number that fits everywhere', async () => {
  assert.deepEqual(await shares(undefined), { filesOfLogDir: 512, connections: Infinity });
  assert.deepEqual(await shares('Max open files            unlimited\n'), { filesOfLogDir: 512, connections: Infinity });
});
