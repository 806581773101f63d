import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatOffsets, parseOffsets } from './offsets-file.ts';

const offsets = [
  { groupId: 'a,"b"', topic: 'orders', partition: 0, offset: 5 },
  { groupId: 'plain', topic: 'users', partition: 11, offset: 0 },
];

test('what is written is read again, with groups and without', () => {
  assert.equal(formatOffsets(offsets, { withGroups: true }), '"a,""b""",orders,0,5\nplain,users,11,0\n');
  assert.deepEqual(parseOffsets(formatOffsets(offsets, { withGroups: true }), 'f'), offsets);
  assert.deepEqual(
    parseOffsets(formatOffsets(offsets, { withGroups: false }), 'f'),
    offsets.map((one) => ({ ...one, groupId: undefined })),
  );
});

test('empty lines, comments, spaces and the line ends of Windows do no harm', () => {
  assert.deepEqual(parseOffsets('# kept before the release\r\n\r\norders, 0, 7\r\n', 'f'), [
    { groupId: undefined, topic: 'orders', partition: 0, offset: 7 },
  ]);
});

test('a line that is none is refused with its number', () => {
  for (const line of ['orders,0', 'orders,x,1', 'orders,0,-1', 'g,orders,0,1,2', ',0,1'])
    assert.throws(() => parseOffsets(`orders,0,1\n${line}\n`, 'f.csv'), /line 2 of f\.csv is not topic,partition,offset/, line);
});
