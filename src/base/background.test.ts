import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Background } from './background.ts';
import { InvariantError } from './invariant.ts';
import { CollectingLogger } from './log.ts';

function make(): { background: Background; log: CollectingLogger; fatal: Error[] } {
  const log = new CollectingLogger();
  const fatal: Error[] = [];
  return { background: new Background({ log, onFatal: (error) => fatal.push(error) }), log, fatal };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

test('stopping tells all work to stop, waits for it and starts no more', async () => {
  const { background, log, fatal } = make();
  const order: string[] = [];
  background.run('patient', async (signal) => {
    await untilAborted(signal).catch(() => {});
    for (let step = 0; step < 10; step += 1) await Promise.resolve();
    order.push('patient ended');
  });
  background.run('abrupt', untilAborted);
  background.run('short', async () => {});
  await Promise.resolve();
  assert.deepEqual(background.running.slice(0, 2), ['patient', 'abrupt']);
  const stopped = background.stop();
  background.run('late', async () => void order.push('late ran'));
  await Promise.all([stopped, background.stop()]);
  order.push('stopped');
  assert.deepEqual(order, ['patient ended', 'stopped']);
  assert.deepEqual(background.running, []);
  assert.deepEqual(log.messages('error'), []);
  assert.deepEqual(fatal, []);
  assert.equal(background.started, 3);
  assert.equal(background.failed, 0);
});

test('failed work is logged with its name and counted, and the rest goes on', async () => {
  const { background, log, fatal } = make();
  const error = new Error('no room');
  background.run('cleaner', () => Promise.reject(error));
  background.run('retention', () => {
    throw error; // before it has returned a promise, and so the first to fail
  });
  background.run('other', untilAborted);
  await new Promise((resolve) => void setImmediate(resolve));
  assert.deepEqual(
    log.lines.map((line) => line.fields),
    [
      { work: 'retention', error },
      { work: 'cleaner', error },
    ],
  );
  assert.equal(background.failed, 2);
  assert.deepEqual(background.running, ['other']);
  assert.deepEqual(fatal, []);
  await background.stop();
});

test('a broken invariant reaches the one who fails the broker, also while it stops', async () => {
  const { background, log, fatal } = make();
  const first = new InvariantError('offsets grow');
  const last = new InvariantError('nothing is lost');
  background.run('one', () => Promise.reject(first));
  background.run('two', async (signal) => {
    await untilAborted(signal).catch(() => {});
    throw last;
  });
  await background.stop();
  assert.deepEqual(fatal, [first, last]);
  assert.equal(log.messages('error').length, 2);
});

test('an error that is not the signal s own counts as a failure also while stopping', async () => {
  const { background, log } = make();
  background.run('flush', async (signal) => {
    await untilAborted(signal).catch(() => {});
    throw new Error('the last flush failed');
  });
  await background.stop();
  assert.deepEqual(log.messages('error'), ['background work failed']);
});
