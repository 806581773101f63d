import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../base/invariant.ts';
import { DamagedCheckpointError } from './checkpoints.ts';
import { LeaderEpochs } from './leader-epochs.ts';

function epochsOf(...entries: readonly (readonly [epoch: number, startOffset: number])[]): LeaderEpochs {
  const epochs = new LeaderEpochs();
  for (const [epoch, startOffset] of entries) epochs.assign(epoch, startOffset);
  return epochs;
}

const pairs = (epochs: LeaderEpochs): number[][] => epochs.entries.map(({ epoch, startOffset }) => [epoch, startOffset]);

test('the end of an epoch is the start of the next, or the log end for the latest', () => {
  const epochs = epochsOf([2, 10], [4, 20], [7, 35]);
  assert.deepEqual(epochs.endOffsetFor(2, 50), { epoch: 2, endOffset: 20 });
  assert.deepEqual(epochs.endOffsetFor(4, 50), { epoch: 4, endOffset: 35 });
  assert.deepEqual(epochs.endOffsetFor(7, 50), { epoch: 7, endOffset: 50 });
});

test('an epoch that wrote nothing is answered with the largest below it', () => {
  const epochs = epochsOf([2, 10], [4, 20], [7, 35]);
  assert.deepEqual(epochs.endOffsetFor(3, 50), { epoch: 2, endOffset: 20 });
  assert.deepEqual(epochs.endOffsetFor(6, 50), { epoch: 4, endOffset: 35 });
});

test('an epoch older than the log is answered with itself and the start of the oldest known', () => {
  assert.deepEqual(epochsOf([2, 10], [4, 20]).endOffsetFor(1, 50), { epoch: 1, endOffset: 10 });
});

test('an epoch newer than all, none at all, and any epoch of an empty log are undefined', () => {
  const undefinedEnd = { epoch: -1, endOffset: -1 };
  assert.deepEqual(epochsOf([2, 10]).endOffsetFor(3, 50), undefinedEnd);
  assert.deepEqual(epochsOf([2, 10]).endOffsetFor(-1, 50), undefinedEnd);
  assert.deepEqual(new LeaderEpochs().endOffsetFor(0, 0), undefinedEnd);
});

test('an offset belongs to the last epoch that began at it or before', () => {
  const epochs = epochsOf([2, 10], [4, 20]);
  assert.deepEqual(
    [9, 10, 19, 20, 1000].map((offset) => epochs.epochAt(offset)),
    [undefined, 2, 2, 4, 4],
  );
});

test('an epoch is assigned once: what is known already changes nothing', () => {
  const epochs = epochsOf([2, 10]);
  assert.equal(epochs.assign(2, 10), false);
  assert.equal(epochs.assign(2, 15), false);
  assert.equal(epochs.assign(3, 15), true);
  assert.deepEqual(pairs(epochs), [
    [2, 10],
    [3, 15],
  ]);
  assert.equal(epochs.latestEpoch, 3);
});

test('entries that contradict a new one are forgotten', () => {
  const cases: [assigned: [number, number], left: number[][]][] = [
    [
      [5, 30],
      [
        [2, 10],
        [3, 20],
        [5, 30],
      ],
    ],
    [
      [5, 20],
      [
        [2, 10],
        [5, 20],
      ],
    ], // epoch 3 wrote nothing
    [[5, 5], [[5, 5]]],
    [[2, 30], [[2, 30]]], // an older epoch
    [
      [3, 15],
      [
        [2, 10],
        [3, 15],
      ],
    ],
    [[1, 30], [[1, 30]]],
  ];
  for (const [[epoch, startOffset], left] of cases) {
    const epochs = epochsOf([2, 10], [3, 20]);
    assert.equal(epochs.assign(epoch, startOffset), true);
    assert.deepEqual(pairs(epochs), left);
  }
});

test('cutting the end of the log forgets the epochs that began there', () => {
  const epochs = epochsOf([2, 10], [4, 20], [7, 35]);
  assert.equal(epochs.truncateFromEnd(36), false);
  assert.equal(epochs.truncateFromEnd(35), true);
  assert.deepEqual(pairs(epochs), [
    [2, 10],
    [4, 20],
  ]);
  assert.equal(epochs.truncateFromEnd(0), true);
  assert.equal(epochs.latestEpoch, undefined);
});

test('moving the log start forgets epochs that ended, and the one that holds it begins there', () => {
  const epochs = epochsOf([2, 10], [4, 20], [7, 35]);
  assert.equal(epochs.truncateFromStart(9), false);
  assert.equal(epochs.truncateFromStart(10), false);
  assert.equal(epochs.truncateFromStart(12), true);
  assert.deepEqual(pairs(epochs)[0], [2, 12]);
  assert.equal(epochs.truncateFromStart(20), true);
  assert.deepEqual(pairs(epochs), [
    [4, 20],
    [7, 35],
  ]);
  assert.equal(epochs.truncateFromStart(100), true);
  assert.deepEqual(pairs(epochs), [[7, 100]]);
});

test('the file is a checkpoint with an epoch and its start on each line', () => {
  const epochs = epochsOf([0, 0], [2, 14]);
  assert.equal(epochs.encode().toString(), '0\n2\n0 0\n2 14\n');
  assert.deepEqual(pairs(LeaderEpochs.decode(epochs.encode())), pairs(epochs));
  assert.equal(LeaderEpochs.decode(Buffer.alloc(0)).latestEpoch, undefined);
});

test('a file that does not ascend, or is no checkpoint, is damage', () => {
  for (const text of [
    '0\n2\n1 5\n1 6\n',
    '0\n2\n1 5\n2 5\n',
    '0\n1\n1\n',
    '0\n1\n1 2 3\n',
    '0\n1\n-1 0\n',
    '0\n1\n4294967296 0\n',
    '0\n2\n1 5\n',
  ])
    assert.throws(() => LeaderEpochs.decode(Buffer.from(text)), DamagedCheckpointError, JSON.stringify(text));
});

test('negative epochs and offsets break our own promise', () => {
  assert.throws(() => new LeaderEpochs().assign(-1, 0), InvariantError);
  assert.throws(() => new LeaderEpochs().assign(0, -1), InvariantError);
});
