import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InvariantError } from '../../base/invariant.ts';
import { type ErrorName, KafkaError } from '../../protocol/errors.ts';
import { type AppendOrigin, type CheckRules, type ProducerBatch, ProducerState } from './producer-state.ts';

const LAST_SEQUENCE = 2_147_483_647;
const DAY = 86_400_000;

/** A client's batch of `records` records; sequences as the name of the argument says. */
function batch(options: Partial<ProducerBatch> & { records?: number } = {}): ProducerBatch {
  const { records = 1, ...rest } = options;
  return {
    producerId: 7,
    producerEpoch: 0,
    baseSequence: 0,
    lastOffsetDelta: records - 1,
    maxTimestamp: 1000,
    isTransactional: false,
    isControl: false,
    ...rest,
  };
}

function marker(outcome: 'commit' | 'abort', options: Partial<ProducerBatch> & { coordinatorEpoch?: number } = {}): ProducerBatch {
  const { coordinatorEpoch = 0, ...rest } = options;
  return batch({ isTransactional: true, isControl: true, baseSequence: -1, marker: { outcome, coordinatorEpoch }, ...rest });
}

/** A log that checks and appends, as a partition does, at the next offset. */
class Log {
  readonly producers = new ProducerState<string>();
  end = 0;

  append(appended: ProducerBatch, origin: AppendOrigin = 'client', rules?: CheckRules) {
    const found = this.producers.check(appended, origin, rules);
    if (found) return { duplicate: found.duplicate };
    const base = this.end;
    this.end += appended.lastOffsetDelta + 1;
    return { base, completed: this.producers.append(appended, base, `commit of ${base}`) };
  }
}

function assertRefused(run: () => unknown, errorName: ErrorName): void {
  assert.throws(run, (thrown) => thrown instanceof KafkaError && thrown.errorName === errorName);
}

test('batches in sequence are taken, and one that is out of it is refused without changing anything', () => {
  const log = new Log();
  log.append(batch({ baseSequence: 0, records: 3 }));
  log.append(batch({ baseSequence: 3, records: 2 }));
  for (const baseSequence of [4, 6, 100, 2]) assertRefused(() => log.append(batch({ baseSequence })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.deepEqual(log.append(batch({ baseSequence: 5 })), { base: 5, completed: undefined });
});

test('a resend of any of the last five batches comes back as the batch it was, with its commit', () => {
  const log = new Log();
  for (let index = 0; index < 6; index++) log.append(batch({ baseSequence: index * 10, records: 10, maxTimestamp: 500 + index }));
  for (let index = 1; index < 6; index++)
    assert.deepEqual(log.append(batch({ baseSequence: index * 10, records: 10 })).duplicate, {
      baseSequence: index * 10,
      lastSequence: index * 10 + 9,
      baseOffset: index * 10,
      lastOffset: index * 10 + 9,
      maxTimestamp: 500 + index,
      commit: `commit of ${index * 10}`,
    });
  assert.equal(log.end, 60);
});

test('a resend of the sixth last batch, or of another cut of the same sequences, is out of order', () => {
  const log = new Log();
  for (let index = 0; index < 6; index++) log.append(batch({ baseSequence: index * 10, records: 10 }));
  assertRefused(() => log.append(batch({ baseSequence: 0, records: 10 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assertRefused(() => log.append(batch({ baseSequence: 50, records: 9 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assertRefused(() => log.append(batch({ baseSequence: 51, records: 9 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
});

test('a batch appended twice before its commit shares the slot, which its owner may empty', () => {
  const log = new Log();
  log.append(batch());
  const { duplicate } = log.append(batch());
  assert.equal(duplicate?.commit, 'commit of 0');
  if (duplicate) duplicate.commit = undefined;
  assert.equal(log.append(batch()).duplicate?.commit, undefined);
});

test('sequences wrap from 2147483647 to 0 between batches', () => {
  const log = new Log();
  log.append(batch({ baseSequence: LAST_SEQUENCE - 1, records: 2 }));
  assertRefused(() => log.append(batch({ baseSequence: 1 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  log.append(batch({ baseSequence: 0 }));
  log.append(batch({ baseSequence: 1 }));
});

test('sequences wrap inside a batch, and its resend is recognised', () => {
  const log = new Log();
  log.append(batch({ baseSequence: LAST_SEQUENCE - 1, records: 10 }));
  assert.equal(log.producers.describe()[0]?.lastSequence, 7);
  assert.equal(log.append(batch({ baseSequence: LAST_SEQUENCE - 1, records: 10 })).duplicate?.lastSequence, 7);
  log.append(batch({ baseSequence: 8 }));
});

test('an unknown producer may begin with any sequence', () => {
  const log = new Log();
  log.append(batch({ baseSequence: 4711, producerEpoch: 3 }));
  log.append(batch({ baseSequence: 4712, producerEpoch: 3 }));
});

test('under transaction version 2 an unknown producer begins with 0', () => {
  const verification = { lowestSequence: 5, supportsEpochBump: true };
  assertRefused(
    () => new Log().append(batch({ baseSequence: 5, isTransactional: true }), 'client', { verification }),
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
  );
  new Log().append(batch({ baseSequence: 5, isTransactional: true }), 'client', {
    verification: { ...verification, supportsEpochBump: false },
  });
  new Log().append(batch({ baseSequence: 0, isTransactional: true }), 'client', { verification });
});

test('what was announced with the lowest sequence goes first', () => {
  const verification = { lowestSequence: 5, supportsEpochBump: false };
  const later = batch({ baseSequence: 6, isTransactional: true });
  assertRefused(() => new Log().append(later, 'client', { verification }), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
});

test('a new epoch begins with 0, and an old one is fenced', () => {
  const log = new Log();
  log.append(batch({ baseSequence: 0 }));
  assertRefused(() => log.append(batch({ producerEpoch: 1, baseSequence: 1 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  log.append(batch({ producerEpoch: 1, baseSequence: 0 }));
  assertRefused(() => log.append(batch({ producerEpoch: 0, baseSequence: 1 })), 'INVALID_PRODUCER_EPOCH');
  assertRefused(() => log.append(batch({ producerEpoch: 0, baseSequence: 0 })), 'INVALID_PRODUCER_EPOCH');
  assert.equal(log.producers.producerEpoch(7), 1);
});

test('the batches of an old epoch are no duplicates of those of a new one', () => {
  const log = new Log();
  log.append(batch({ baseSequence: 0 }));
  assert.equal(log.append(batch({ producerEpoch: 1, baseSequence: 0 })).base, 1);
  assert.equal(log.append(batch({ producerEpoch: 1, baseSequence: 0 })).duplicate?.baseOffset, 1);
});

test('a batch without a producer is always taken and leaves nothing but the end offset', () => {
  const log = new Log();
  log.append(batch({ producerId: -1, producerEpoch: -1, baseSequence: -1, records: 4 }));
  log.append(batch({ producerId: -1, producerEpoch: -1, baseSequence: -1 }));
  assert.deepEqual([log.producers.producerCount, log.producers.endOffset], [0, 5]);
});

test("a coordinator's batch is checked by epoch alone", () => {
  const log = new Log();
  const commits = batch({ baseSequence: -1, isTransactional: true, producerEpoch: 2 });
  log.append(commits, 'coordinator');
  log.append(commits, 'coordinator');
  assert.equal(log.end, 2);
  assertRefused(() => log.append({ ...commits, producerEpoch: 1 }, 'coordinator'), 'INVALID_PRODUCER_EPOCH');
});

test('a transaction begins with its first batch and holds the last stable offset there', () => {
  const log = new Log();
  log.append(batch({ producerId: 1, records: 5 }));
  assert.equal(log.producers.firstUnstableOffset(0), undefined);
  log.append(batch({ isTransactional: true, records: 2 }));
  log.append(batch({ isTransactional: true, baseSequence: 2 }));
  assert.equal(log.producers.firstUnstableOffset(8), 5);
  assert.equal(log.producers.lastStableOffset(8, 0), 5);
  assert.equal(log.producers.lastStableOffset(4, 0), 4); // the high watermark has not come so far yet
  assert.equal(log.producers.lastStableOffset(8, 7), 7); // the log begins inside the transaction
  assert.equal(log.producers.hasOpenTransaction(7, 0), true);
  assert.equal(log.producers.hasOpenTransaction(7, 1), false);
  assert.equal(log.producers.hasOpenTransaction(1, 0), false);
});

test('a marker completes the transaction and tells whether it was aborted', () => {
  for (const outcome of ['commit', 'abort'] as const) {
    const log = new Log();
    log.append(batch({ isTransactional: true, records: 3 }));
    const { completed } = log.append(marker(outcome), 'marker');
    assert.deepEqual(completed, { producerId: 7, firstOffset: 0, lastOffset: 3, isAborted: outcome === 'abort', lastStableOffset: 4 });
    assert.equal(log.producers.hasOpenTransaction(7, 0), false);
  }
});

test('a completed transaction stays unstable until its marker is below the high watermark', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true, records: 3 }));
  log.append(marker('commit'), 'marker');
  assert.equal(log.producers.lastStableOffset(3, 0), 0);
  assert.equal(log.producers.lastStableOffset(4, 0), 4);
  assert.equal(log.producers.firstUnstableOffset(4), undefined);
});

test('the oldest transaction counts, be it open or decided above the high watermark', () => {
  const log = new Log();
  log.append(batch({ producerId: 1, isTransactional: true })); // 0
  log.append(batch({ producerId: 2, isTransactional: true })); // 1
  log.append(batch({ producerId: 3, isTransactional: true })); // 2
  assert.equal(log.append(marker('abort', { producerId: 2 }), 'marker').completed?.lastStableOffset, 0); // 3
  assert.equal(log.append(marker('abort', { producerId: 1 }), 'marker').completed?.lastStableOffset, 2); // 4
  assert.equal(log.producers.firstUnstableOffset(3), 0);
  assert.equal(log.producers.firstUnstableOffset(4), 0);
  assert.equal(log.producers.firstUnstableOffset(5), 2);
  assert.equal(log.append(marker('commit', { producerId: 3 }), 'marker').completed?.lastStableOffset, 6); // 5
  assert.equal(log.producers.firstUnstableOffset(5), 2);
  assert.equal(log.producers.firstUnstableOffset(6), undefined);
  assert.equal(log.producers.openTransactionCount, 0);
});

test('in any order of beginnings, decisions and commits, the first unstable offset is that of the oldest undecided or undurable', () => {
  // 0: begin, 1: decide, 2: the high watermark moves; the number picks which producer, or how far
  const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(9)), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (taken) => {
      const log = new Log();
      let model: { producerId: number; firstOffset: number; lastOffset: number }[] = [];
      let highWatermark = 0;
      for (const [kind, number] of taken) {
        const open = model.find((transaction) => transaction.producerId === number && transaction.lastOffset < 0);
        if (kind === 0 && !open) {
          model.push({ producerId: number, firstOffset: log.end, lastOffset: -1 });
          log.append(batch({ producerId: number, isTransactional: true, baseSequence: -1 }), 'coordinator');
        } else if (kind === 1 && open) {
          open.lastOffset = log.end;
          log.append(marker('abort', { producerId: number }), 'marker');
        } else if (kind === 2) highWatermark = Math.min(log.end, highWatermark + number);
        model = model.filter(({ lastOffset }) => lastOffset < 0 || lastOffset >= highWatermark);
        const expected = model.map(({ firstOffset }) => firstOffset).sort((one, other) => one - other)[0];
        assert.equal(log.producers.firstUnstableOffset(highWatermark), expected);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});

test('a marker for a producer without a transaction here completes nothing, but counts for its epochs', () => {
  const log = new Log();
  assert.equal(log.append(marker('abort', { producerEpoch: 4, coordinatorEpoch: 2 }), 'marker').completed, undefined);
  assert.equal(log.producers.firstUnstableOffset(0), undefined);
  assertRefused(() => log.append(batch({ producerEpoch: 3 })), 'INVALID_PRODUCER_EPOCH');
  assertRefused(() => log.append(batch({ producerEpoch: 4, baseSequence: 1 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  log.append(batch({ producerEpoch: 4, baseSequence: 0 }));
});

test('a marker of the same epoch leaves the sequences, one of a later epoch begins them anew', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true, records: 3 }));
  log.append(marker('commit'), 'marker');
  log.append(batch({ isTransactional: true, baseSequence: 3 }));
  log.append(marker('commit', { producerEpoch: 1 }), 'marker');
  assertRefused(() => log.append(batch({ isTransactional: true, producerEpoch: 1, baseSequence: 4 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  log.append(batch({ isTransactional: true, producerEpoch: 1, baseSequence: 0 }));
});

test('a marker from before the epoch is fenced; under transaction version 2 also one of the same epoch', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true, producerEpoch: 3 }));
  assertRefused(() => log.append(marker('abort', { producerEpoch: 2 }), 'marker', { transactionVersion: 1 }), 'INVALID_PRODUCER_EPOCH');
  assertRefused(() => log.append(marker('abort', { producerEpoch: 3 }), 'marker', { transactionVersion: 2 }), 'INVALID_PRODUCER_EPOCH');
  assert.ok(log.append(marker('abort', { producerEpoch: 4 }), 'marker', { transactionVersion: 2 }).completed);
});

test('a marker of a coordinator that was replaced is fenced', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true }));
  log.append(marker('commit', { coordinatorEpoch: 5 }), 'marker');
  log.append(batch({ isTransactional: true, baseSequence: 1 }));
  assertRefused(() => log.append(marker('abort', { coordinatorEpoch: 4 }), 'marker'), 'TRANSACTION_COORDINATOR_FENCED');
  assert.ok(log.append(marker('abort', { coordinatorEpoch: 5 }), 'marker').completed);
});

test('a batch outside of the transaction that its producer has open is refused', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true }));
  assertRefused(() => log.append(batch({ baseSequence: 1 })), 'INVALID_TXN_STATE');
  log.append(marker('commit'), 'marker');
  log.append(batch({ baseSequence: 1 }));
});

test('replay takes what the log holds, without judging it', () => {
  const log = new Log();
  log.append(batch({ producerEpoch: 3, baseSequence: 10, isTransactional: true }), 'replay');
  log.append(batch({ producerEpoch: 3, baseSequence: 90, isTransactional: true }), 'replay'); // compaction took those between
  assert.ok(log.append(marker('abort', { producerEpoch: 3 }), 'replay').completed);
  log.append(batch({ producerEpoch: 2, baseSequence: 1 }), 'replay');
  assert.equal(log.producers.producerEpoch(7), 2);
});

test('the shell that the cleaner leaves of a marker decides nothing', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true }), 'replay');
  assert.equal(log.append(batch({ isTransactional: true, isControl: true }), 'replay').completed, undefined);
  assert.equal(log.producers.openTransactionCount, 1);
});

test('replay gives the state that the appends gave', () => {
  const live = new Log();
  const appended: [ProducerBatch, number][] = [];
  const take = (next: ProducerBatch, origin: AppendOrigin = 'client'): void => {
    appended.push([next, live.append(next, origin).base ?? -1]);
  };
  take(batch({ producerId: 1, records: 4 }));
  take(batch({ producerId: 2, isTransactional: true }));
  take(batch({ producerId: 3, isTransactional: true, records: 2 }));
  take(batch({ producerId: 1, baseSequence: 4, maxTimestamp: 77 }));
  take(marker('abort', { producerId: 2, producerEpoch: 1, coordinatorEpoch: 9 }), 'marker');
  take(batch({ producerId: 2, producerEpoch: 1, isTransactional: true }));

  const replayed = new ProducerState<string>();
  for (const [next, base] of appended) replayed.append(next, base, `commit of ${base}`);
  assert.deepEqual([...replayed.stored()], [...live.producers.stored()]);
  assert.equal(replayed.endOffset, live.end);
  for (const highWatermark of [0, 5, 9, 10])
    assert.equal(replayed.firstUnstableOffset(highWatermark), live.producers.firstUnstableOffset(highWatermark));
});

test('a producer is forgotten a while after its last batch, but never with an open transaction', () => {
  const log = new Log();
  log.append(batch({ producerId: 1, maxTimestamp: 1000 }));
  log.append(batch({ producerId: 2, maxTimestamp: 5000 }));
  log.append(batch({ producerId: 3, maxTimestamp: 1000, isTransactional: true }));
  assert.equal(log.producers.expire(1000 + DAY - 1, DAY), 0);
  assert.equal(log.producers.expire(1000 + DAY, DAY), 1);
  assert.deepEqual(
    log.producers.describe().map(({ producerId }) => producerId),
    [2, 3],
  );
  assert.equal(log.producers.expire(5000 + 100 * DAY, DAY), 1);
  log.append(marker('commit', { producerId: 3, maxTimestamp: 6000 }), 'marker');
  assert.equal(log.producers.expire(6000 + DAY, DAY), 1);
  assert.equal(log.producers.producerCount, 0);
});

test('the age of a producer counts from its last batch or marker', () => {
  const log = new Log();
  log.append(batch({ maxTimestamp: 9000, isTransactional: true }));
  log.append(marker('commit', { maxTimestamp: 1000 }), 'marker');
  assert.equal(log.producers.expire(1000 + DAY, DAY), 1);
});

test('producers outlive the batches that retention took away', () => {
  const log = new Log();
  log.append(batch({ records: 5 }));
  log.producers.advanceLogStartTo(100);
  assert.deepEqual([log.producers.producerCount, log.producers.endOffset], [1, 100]);
  log.producers.advanceLogStartTo(50);
  assert.equal(log.producers.endOffset, 100);
});

test('a transaction decided below the log start is stable', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true }));
  log.append(marker('commit'), 'marker');
  log.producers.advanceLogStartTo(2);
  assert.equal(log.producers.firstUnstableOffset(0), undefined);
});

test('a log cut altogether forgets its producers and goes on elsewhere', () => {
  const log = new Log();
  log.append(batch({ isTransactional: true }));
  log.producers.truncateFullyAndStartAt(900);
  assert.deepEqual([log.producers.producerCount, log.producers.firstUnstableOffset(900), log.producers.endOffset], [0, undefined, 900]);
  log.producers.append(batch({ baseSequence: 3 }), 900);
});

test('what was stored is restored: sequences, duplicates and open transactions in the order of the log', () => {
  const log = new Log();
  log.append(batch({ producerId: 9, isTransactional: true, records: 2 }));
  log.append(batch({ producerId: 8, isTransactional: true }));
  log.append(batch({ producerId: 1 }));
  const restored = new ProducerState<string>();
  restored.restore([...log.producers.stored()].reverse(), 4, { nowMs: 2000, producerIdExpirationMs: DAY });
  assert.deepEqual([restored.endOffset, restored.producerCount, restored.openTransactionCount], [4, 3, 2]);
  assert.equal(restored.firstUnstableOffset(4), 0);
  assert.equal(restored.check(batch({ producerId: 1 }), 'client')?.duplicate.baseOffset, 3);
  assert.equal(restored.append(marker('abort', { producerId: 9 }), 4)?.lastStableOffset, 2);
});

test('restoring keeps no more than the last five batches, however many were stored', () => {
  const batches = [0, 1, 2, 3, 4, 5, 6].map((sequence) => ({
    baseSequence: sequence,
    lastSequence: sequence,
    baseOffset: sequence,
    lastOffset: sequence,
    maxTimestamp: 1000,
    commit: undefined,
  }));
  const restored = new ProducerState();
  const stored = { producerId: 7, producerEpoch: 0, coordinatorEpoch: -1, lastTimestamp: 1000, currentTransactionFirstOffset: -1, batches };
  restored.restore([stored], 7, { nowMs: 2000, producerIdExpirationMs: DAY });
  assertRefused(() => restored.check(batch({ baseSequence: 1 }), 'client'), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(restored.check(batch({ baseSequence: 2 }), 'client')?.duplicate.baseOffset, 2);
});

test('restoring leaves out who has expired meanwhile, except with an open transaction', () => {
  const log = new Log();
  log.append(batch({ producerId: 1 }));
  log.append(batch({ producerId: 2, isTransactional: true }));
  const restored = new ProducerState();
  restored.restore(log.producers.stored(), 2, { nowMs: 1000 + DAY, producerIdExpirationMs: DAY });
  assert.deepEqual(
    restored.describe().map(({ producerId }) => producerId),
    [2],
  );
});

test('the description of a producer is what DescribeProducers answers', () => {
  const log = new Log();
  log.append(batch({ producerId: 5, producerEpoch: 2, records: 3, maxTimestamp: 4000, isTransactional: true }));
  log.append(marker('commit', { producerId: 6, producerEpoch: 1, coordinatorEpoch: 8, maxTimestamp: 5000 }), 'marker');
  assert.deepEqual(log.producers.describe(), [
    { producerId: 5, producerEpoch: 2, lastSequence: 2, lastTimestamp: 4000, coordinatorEpoch: -1, currentTransactionStartOffset: 0 },
    { producerId: 6, producerEpoch: 1, lastSequence: -1, lastTimestamp: 5000, coordinatorEpoch: 8, currentTransactionStartOffset: -1 },
  ]);
});

test('batches are taken in the order of the log', () => {
  const producers = new ProducerState(10);
  assert.throws(() => producers.append(batch(), 9), InvariantError);
  producers.advanceTo(20);
  assert.throws(() => producers.advanceTo(19), InvariantError);
  producers.append(batch({ records: 2 }), 25); // compaction leaves holes
  assert.equal(producers.endOffset, 27);
});
