import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CollectingLogger } from '../../base/log.ts';
import { MemoryDisk } from '../../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../../base/memory/env.ts';
import { stampBatch } from '../../protocol/record-batch.ts';
import { batchOf, compute } from '../log-dir.testing.ts';
import { offsetFileName } from './log-names.ts';
import { tidyFolder } from './tidy-folder.ts';

const directory = '/data/orders-0';

/** Names without leading zeros: `14.log.swap`. A `.log` holds one batch with the offsets from its base to the one given. */
async function folder(...files: (string | [name: string, lastOffset: number])[]): Promise<MemoryEnv> {
  const env = makeMemoryEnv({ compute, disk: new MemoryDisk({ modelsPowerLoss: true }) });
  await env.files.makeDirectory(directory);
  for (const file of files) {
    const [name, lastOffset] = typeof file === 'string' ? [file, -1] : file;
    const [, offset = '', rest = ''] = /^(\d+)(\..*)$/.exec(name) ?? [];
    const handle = await env.files.open(
      `${directory}/${offset === '' ? name : offsetFileName(Number(offset), '.log').replace('.log', rest)}`,
      'create',
    );
    if (lastOffset >= 0) {
      const { bytes } = batchOf({ values: Array.from({ length: lastOffset - Number(offset) + 1 }, () => 'v') });
      stampBatch(bytes, 0, Number(offset), 0);
      await handle.write([bytes], 0);
    }
    await handle.close();
  }
  return env;
}

const tidied = async (env: MemoryEnv): Promise<string[]> => {
  const log = new CollectingLogger();
  const files = await tidyFolder({ env, log, directory });
  const names = (await env.files.readDirectory(directory)).map(({ name }) => name);
  assert.deepEqual(
    files.map(({ offset, suffix, mark }) => offsetFileName(offset, suffix, mark ?? '')).sort(),
    names.filter((name) => /^\d{20}\.(log|index|timeindex|txnindex|snapshot|producers)/.test(name)).sort(),
  );
  return names.map((name) => name.replace(/^0+(?=\d)/, '')).sort();
};

test('a tidy folder is left as it is', async () => {
  const files = ['0.index', '0.log', '0.timeindex', '14.log', '14.snapshot', 'leader-epoch-checkpoint', 'partition.metadata'];
  assert.deepEqual(await tidied(await folder(...files)), files);
});

test('deleted and unfinished files go, finished ones stay', async () => {
  assert.deepEqual(
    await tidied(
      await folder('0.log', '0.log.deleted', '0.index.deleted', '7.snapshot.deleted', '5.log.cleaned', '5.timeindex.cleaned', '5.log'),
    ),
    ['0.log', '5.log'],
  );
});

test('indexes without their segment go; snapshots are for recovery to judge', async () => {
  assert.deepEqual(await tidied(await folder('0.index', '0.timeindex', '0.txnindex', '0.snapshot', '5.log')), ['0.snapshot', '5.log']);
});

test('finished segments take the place of those they were made from, whatever was renamed or deleted by then', async () => {
  // Segments 0, 10 and 20 were cleaned into one that ends at 24; 30 was not.
  const swap = [['0.log.swap', 24] as [string, number], '0.index.swap', '0.timeindex.swap', '0.txnindex.swap'];
  const old = ['0.log', '0.index', '0.timeindex', '10.log', '10.index', '10.snapshot', '20.log'];
  const rest = ['30.index', '30.log', '30.snapshot'];
  const done = ['0.index', '0.log', '0.timeindex', '0.txnindex', ...rest];
  for (let gone = 0; gone <= old.length; gone += 1)
    assert.deepEqual(await tidied(await folder(...swap, ...old.slice(gone), ...rest)), done, `${gone} deleted`);
  // The old files are gone and some of the new ones renamed.
  assert.deepEqual(await tidied(await folder('0.log', '0.index', '0.timeindex.swap', '0.txnindex.swap', ...rest)), done);
});

test('of a split that was not finished nothing is used', async () => {
  // Parts are finished from the back; the whole is still there.
  assert.deepEqual(await tidied(await folder('0.log', '0.log.cleaned', ['10.log.swap', 12], '10.index.swap')), ['0.log']);
});

test('a finished part before an unfinished one takes its place', async () => {
  assert.deepEqual(await tidied(await folder(['0.log.swap', 4], '0.log', '5.log', '20.log.cleaned', '20.log')), [
    '0.log',
    '20.log',
    '5.log',
  ]);
});

test('a power loss at any step of tidying leaves what the next start tidies to the same end', async () => {
  const start = [['0.log.swap', 24] as [string, number], '0.index.swap', '0.log', '10.log', '20.log', '20.index', '30.log'];
  for (let step = 0, done = false; !done; step += 1) {
    const env = await folder(...start);
    const synced = env.disk.copyAfterPowerLoss(() => true);
    let left = step;
    const again = makeMemoryEnv({ compute, disk: synced });
    synced.inject({ skip: step, times: 1, delayMs: 0 });
    const operation = tidyFolder({
      env: { ...again, files: stopAfter(again.files, () => (left -= 1) < 0) },
      log: new CollectingLogger(),
      directory,
    });
    done = await operation.then(
      () => true,
      () => false,
    );
    for (const keep of [0, 1, 2]) {
      const found = makeMemoryEnv({ compute, disk: synced.copyAfterPowerLoss(({ id }) => keep === 2 || id % 2 === keep) });
      assert.deepEqual(await tidied(found), ['0.index', '0.log', '30.log'], `step ${step}, survival ${keep}`);
    }
  }
});

/** A file system that throws instead of doing anything once `over` says so. */
function stopAfter(files: MemoryEnv['files'], over: () => boolean): MemoryEnv['files'] {
  return new Proxy(files, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (['rename', 'remove', 'syncDirectory'].includes(String(name)) && over()) return Promise.reject(new Error('stopped'));
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
