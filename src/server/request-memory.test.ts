import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestMemory, type MemoryWaiter } from './request-memory.ts';

const KiB = 1024;

class Waiter implements MemoryWaiter {
  readonly name: string;
  readonly heard: string[];
  missingBytes: number;

  constructor(name: string, heard: string[], missingBytes = 0) {
    this.name = name;
    this.heard = heard;
    this.missingBytes = missingBytes;
  }

  readOn(toFrameEnd: boolean): void {
    this.heard.push(toFrameEnd ? `${this.name} to the end` : this.name);
  }

  giveUpTurn(): void {
    this.heard.push(`${this.name} gives up`);
  }

  probe(): void {
    this.heard.push(`${this.name}?`);
  }
}

function memoryOf(limitBytes: number): {
  memory: RequestMemory;
  heard: string[];
  settle: () => string[];
  waiter: (name: string, missing?: number) => Waiter;
} {
  const deferred: (() => void)[] = [];
  const heard: string[] = [];
  const memory = new RequestMemory(limitBytes, (run) => void deferred.push(run));
  const settle = (): string[] => {
    for (let run = deferred.shift(); run !== undefined; run = deferred.shift()) run();
    return heard.splice(0);
  };
  return { memory, heard, settle, waiter: (name, missing) => new Waiter(name, heard, missing) };
}

test('those who wait read again in the order of waiting, as many as there is room for', () => {
  const { memory, settle, waiter } = memoryOf(1024 * KiB);
  memory.whole = 1024 * KiB;
  for (const name of ['a', 'b', 'c', 'd']) memory.wait(waiter(name));
  assert.deepEqual(settle(), []);
  memory.whole -= 100 * KiB;
  memory.admitSoon();
  memory.admitSoon();
  assert.deepEqual(settle(), ['a', 'b']);
  memory.whole -= 500 * KiB;
  memory.admitSoon();
  assert.deepEqual(settle(), ['c', 'd']);
  assert.equal(memory.waiting, 0);
});

test('whoever is in the middle of a frame goes before those who would begin one', () => {
  const { memory, settle, waiter } = memoryOf(1024 * KiB);
  memory.whole = 1024 * KiB;
  memory.wait(waiter('begins'));
  memory.wait(waiter('continues', 10 * KiB));
  memory.whole -= 1;
  memory.admitSoon();
  assert.deepEqual(settle(), ['continues']);
});

test('one who has left is not called', () => {
  const { memory, settle, waiter } = memoryOf(1024);
  memory.whole = 1024;
  const [gone, here] = [waiter('gone'), waiter('here')];
  memory.wait(gone);
  memory.wait(here);
  memory.forget(gone);
  memory.whole = 0;
  memory.admitSoon();
  assert.deepEqual(settle(), ['here']);
});

test('when unfinished frames hold it all, some are read to their end, no more than a quarter of the limit at a time', () => {
  const { memory, settle, waiter } = memoryOf(1024 * KiB);
  memory.partial = 1024 * KiB;
  const waiters = ['a', 'b', 'c'].map((name) => waiter(name, 200 * KiB));
  for (const each of waiters) memory.wait(each);
  assert.deepEqual(settle(), ['a to the end', 'b to the end']);
  memory.forget(waiters[0]!); // its frame is whole
  memory.whole = 300 * KiB;
  memory.admitSoon();
  assert.deepEqual(settle(), [], 'what is whole will be answered and come back');
  memory.whole = 0;
  memory.admitSoon();
  assert.deepEqual(settle(), ['c to the end']);
});

test('a turn that is not used goes to the next one', () => {
  const { memory, settle, waiter } = memoryOf(1024 * KiB);
  memory.partial = 1024 * KiB;
  const [silent, steady, third] = [waiter('silent', 150 * KiB), waiter('steady', 150 * KiB), waiter('third', 300 * KiB)];
  for (const each of [silent, steady, third]) memory.wait(each);
  assert.deepEqual(settle(), ['silent to the end', 'steady to the end']);
  steady.missingBytes -= 1;
  memory.tick(1000);
  assert.deepEqual(settle(), ['silent gives up', 'third?', 'third to the end']);
});
