import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedCheckpointError, decodeOffsetCheckpoint, encodeOffsetCheckpoint } from './checkpoints.ts';

const FILE = 'recovery-point-offset-checkpoint';
const decode = (text: string): Map<string, number> => decodeOffsetCheckpoint(Buffer.from(text), FILE);

test('a checkpoint is the version, the number of entries, and a line for each partition', () => {
  const offsets = new Map([
    ['orders-0', 17],
    ['a-b.c_d-12', 2 ** 53 - 1],
  ]);
  assert.equal(encodeOffsetCheckpoint(offsets).toString(), '0\n2\norders 0 17\na-b.c_d 12 9007199254740991\n');
  assert.deepEqual(decodeOffsetCheckpoint(encodeOffsetCheckpoint(offsets), FILE), offsets);
  assert.equal(encodeOffsetCheckpoint(new Map()).toString(), '0\n0\n');
});

test('a checkpoint that Kafka has only made, or only begun, holds nothing', () => {
  for (const text of ['', '0', '0\n', '0\n0', '0\n0\n']) assert.equal(decode(text).size, 0, JSON.stringify(text));
});

test('line ends of any system and several blanks are read', () => {
  assert.deepEqual(decode('0\r\n1\r\norders   0\t17\r\n'), new Map([['orders-0', 17]]));
  assert.deepEqual(decode('0\n1\norders 0 17'), new Map([['orders-0', 17]]));
});

test('a partition that is named twice has its last offset', () => {
  assert.deepEqual(decode('0\n2\norders 0 17\norders 0 18\n'), new Map([['orders-0', 18]]));
});

test('damage is told with its file and line', () => {
  const damaged: [text: string, line: number][] = [
    ['1\n0\n', 1],
    ['\n0\n', 1],
    ['zero\n0\n', 1],
    ['0\nmany\n', 2],
    ['0\n-1\n', 2],
    ['0\n2\norders 0 17\n', 2],
    ['0\n1\norders 0 17\norders 1 17\n', 2],
    ['0\n1\n\n', 3],
    ['0\n1\norders 0\n', 3],
    ['0\n1\norders 0 17 18\n', 3],
    ['0\n2\norders 0 17\norders 1 x\n', 4],
    ['0\n1\norders 0 -17\n', 3],
    ['0\n1\norders 0 9223372036854775807\n', 3],
    ['0\n1\norders -1 17\n', 3],
    ['0\n1\norders 2147483648 17\n', 3],
    ['0\n1\n../orders 0 17\n', 3],
    ['0\n1\n\0\0\0\0\0\0\0\n', 3],
  ];
  for (const [text, line] of damaged)
    assert.throws(
      () => decode(text),
      (thrown) =>
        thrown instanceof DamagedCheckpointError && thrown.line === line && thrown.file === FILE && thrown.message.startsWith(FILE),
      JSON.stringify(text),
    );
});

test('bytes that a crash left in a checkpoint are shown escaped and bounded', () => {
  assert.throws(
    () => decode(`0\n1\n${'\u001b['.repeat(5000)}\n`),
    (thrown) => thrown instanceof Error && thrown.message.length < 2000 && !thrown.message.includes('\u001b'),
  );
});
