import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedFileError } from './damaged-file.ts';
import { decodeQuorumState, encodeQuorumState } from './quorum-state.ts';

const common = { leaderId: 1, leaderEpoch: 4, votedId: -1 };

test('both versions of the quorum state read back', () => {
  const dynamic = { ...common, format: { version: 1, votedDirectoryId: 'LTgjaufeaQUZzug7jJPQLw' } } as const;
  const fixed = { ...common, format: { version: 0, voters: [1, 2, 3] } } as const;
  for (const state of [dynamic, fixed]) assert.deepEqual(decodeQuorumState(encodeQuorumState(state)), state);
});

test('what is no quorum state is damage', () => {
  const good = JSON.parse(encodeQuorumState({ ...common, format: { version: 0, voters: [1] } }).toString()) as Record<string, unknown>;
  const broken: (string | Record<string, unknown>)[] = [
    '',
    '{"leaderId":1',
    'null',
    '[]',
    { ...good, data_version: 2 },
    { ...good, data_version: undefined },
    { ...good, leaderEpoch: '1' },
    { ...good, leaderId: -2 },
    { ...good, votedId: undefined },
    { ...good, currentVoters: 3 },
    { ...good, currentVoters: [{}] },
    { ...good, data_version: 1, votedDirectoryId: 'x' },
  ];
  for (const content of broken) {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    assert.throws(() => decodeQuorumState(Buffer.from(text)), DamagedFileError, text);
  }
});
