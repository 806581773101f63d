import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListOffsetsRequest } from '../protocol/messages/list-offsets.ts';
import { FakeWorld, metadataOf } from './fake-broker.testing.ts';
import { planReset, type ResetTarget } from './reset-offsets.ts';

const LATEST = -1;
const EARLIEST = -2;

/** Partition 0 of `t` holds offsets 10 to 100, partition 1 nothing; partition 2 has no leader. */
async function plan(target: ResetTarget, committed: readonly (number | undefined)[]): Promise<(string | number | undefined)[][]> {
  const world = new FakeWorld();
  await world.broker({
    port: 1,
    answers: {
      Metadata: () => metadataOf([1], [{ name: 't', leaders: [1, 1, -1] }]),
      ListOffsets: ({ topics }: ListOffsetsRequest) => ({
        throttleTimeMs: 0,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, timestamp }) => ({
            partitionIndex,
            errorCode: 0,
            timestamp: -1,
            leaderEpoch: 0,
            offset:
              partitionIndex === 1
                ? timestamp < 0
                  ? 0
                  : -1
                : timestamp === EARLIEST
                  ? 10
                  : timestamp === LATEST
                    ? 100
                    : timestamp < 500
                      ? 42
                      : -1,
          })),
        })),
      }),
    },
  });
  const cluster = await world.cluster({ ports: [1] });
  const planned = await planReset(
    cluster,
    [0, 1, 2].map((partition) => ({ topic: 't', partition })),
    committed.flatMap((offset, partition) =>
      offset === undefined ? [] : [{ topic: 't', partition, offset, leaderEpoch: -1, metadata: '' }],
    ),
    target,
  );
  return planned.map(({ before, after, note }) => [before, after, note]);
}

const leaderless = [undefined, undefined, 'no leader, or no such partition'];

test('start and end are those of each partition', async () => {
  assert.deepEqual(await plan({ to: 'start' }, [50]), [[50, 10, undefined], [undefined, 0, undefined], leaderless]);
  assert.deepEqual(await plan({ to: 'end' }, [50]), [[50, 100, undefined], [undefined, 0, undefined], leaderless]);
});

test('an offset that is not there becomes the nearest that is, and that is said', async () => {
  assert.deepEqual(await plan({ to: 'offset', offset: 3 }, [50]), [
    [50, 10, 'before the start'],
    [undefined, 0, 'past the end'],
    leaderless,
  ]);
  assert.deepEqual(await plan({ to: 'offset', offset: 300 }, []), [
    [undefined, 100, 'past the end'],
    [undefined, 0, 'past the end'],
    leaderless,
  ]);
});

test('a shift goes from what is committed, and means nothing where nothing is', async () => {
  const nothing = [undefined, undefined, 'nothing is committed'];
  assert.deepEqual(await plan({ to: 'shift', by: -5 }, [50]), [[50, 45, undefined], nothing, leaderless]);
  assert.deepEqual(await plan({ to: 'shift', by: 5 }, [98]), [[98, 100, 'past the end'], nothing, leaderless]);
  assert.deepEqual(await plan({ to: 'current' }, [50]), [[50, 50, undefined], nothing, leaderless]);
});

test('a time is the first record at it or later, and the end where there is none', async () => {
  assert.deepEqual(await plan({ to: 'time', timestampMs: 400 }, [50]), [[50, 42, undefined], [undefined, 0, undefined], leaderless]);
  assert.deepEqual(await plan({ to: 'time', timestampMs: 600 }, [50]), [[50, 100, undefined], [undefined, 0, undefined], leaderless]);
});

test('what is copied goes where it is for, and nowhere else', async () => {
  const offsets = [{ topic: 't', partition: 0, offset: 77 }];
  assert.deepEqual(await plan({ to: 'offsets', offsets }, [50, 0]), [
    [50, 77, undefined],
    [0, undefined, 'not in what is copied'],
    leaderless,
  ]);
});
