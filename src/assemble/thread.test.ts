import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Thread } from '../base/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { makeThreads } from '../base/real/threads.ts';
import { buildRecordBatch } from '../protocol/record-batch-records.ts';
import { CleanerWork, type CleanerAsk, type FilteredPiece } from '../storage/log/cleaner-work.ts';
import { threadFile } from './thread-file.ts';

const compute = makeCompute();
const batch = (key: string, baseOffset: number): Buffer =>
  buildRecordBatch(compute, [{ timestamp: 1, key: Buffer.from(key), value: Buffer.from('value') }], { baseOffset });

const copy = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
const handOf = (ask: CleanerAsk): ArrayBuffer[] => ('bytes' in ask ? [ask.bytes.buffer as ArrayBuffer] : []);

const asks = (): CleanerAsk[] => {
  const pieces = Buffer.concat([batch('a', 0), batch('b', 1), batch('a', 2)]);
  return [
    { kind: 'begin', hashKey: new Uint8Array(16), maxMapBytes: 1e6, loadFactor: 0.9, firstDirtyOffset: 0, aborted: [] },
    { kind: 'index', bytes: copy(pieces) },
    {
      kind: 'beginFiltering',
      latestOffset: 2,
      aborted: [],
      rules: { nowMs: 5, deleteRetentionMs: 5, lastRecords: new Map(), upperBoundOffset: 3 },
    },
    { kind: 'filter', bytes: copy(pieces) },
  ];
};

async function withThread(work: (thread: Thread) => Promise<void>): Promise<void> {
  const thread = await makeThreads(threadFile).start('cleaner');
  try {
    await work(thread);
  } finally {
    await thread.stop();
  }
}

test('a thread answers the cleaner as its own thread would, and takes the buffers that are handed over', async () => {
  const work = new CleanerWork(compute);
  await withThread(async (thread) => {
    for (const ask of asks()) {
      const here = await work.answer(structuredClone(ask));
      const there = await thread.ask(ask, handOf(ask));
      assert.deepEqual(there, here);
      if ('bytes' in ask) assert.equal(ask.bytes.length, 0);
      if (ask.kind === 'filter') assert.equal((there as FilteredPiece).recordsKept, 2);
    }
  });
});

test('what a program throws comes back by its name, and the thread lives on', async () => {
  await withThread(async (thread) => {
    const [begin] = asks();
    await thread.ask(begin, []);
    const damaged = batch('a', 0);
    damaged[70] = 0xff;
    await assert.rejects(thread.ask({ kind: 'index', bytes: copy(damaged) }, []), { errorName: 'CORRUPT_MESSAGE' });
    const answer = await thread.ask({ kind: 'index', bytes: copy(batch('a', 0)) }, []);
    assert.equal((answer as { latestOffset: number }).latestOffset, 0);
  });
});

test('a thread that cannot be had is refused, and one that was stopped answers nobody', async () => {
  await assert.rejects(makeThreads(new URL('./no-such-file.js', threadFile)).start('cleaner'));
  await assert.rejects(makeThreads(threadFile).start('no such program'), /no such program/);
  const thread = await makeThreads(threadFile).start('cleaner');
  await thread.stop();
  await assert.rejects(thread.ask(asks()[0], []), /ended/);
});
