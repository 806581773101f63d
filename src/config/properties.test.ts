import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProperties } from './properties.ts';

const entries = (text: string) => parseProperties(text).map(({ key, value }) => [key, value]);

test('key and value are parted by =, : or a blank, and blanks around that are not theirs', () => {
  assert.deepEqual(entries('a=1\nb : 2\nc 3\n  d\t=\t4 \ne==5\nf\ng='), [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
    ['d', '4 '],
    ['e', '=5'],
    ['f', ''],
    ['g', ''],
  ]);
});

test('lines that begin with # or ! say nothing, also when they end in a backslash, and a value may hold both', () => {
  assert.deepEqual(entries('# a=1\n  ! b=2\n#c \\\nd=#4!\n\n \t\n'), [['d', '#4!']]);
});

test('a backslash at the end of a line joins the next one without its indent, two backslashes are one', () => {
  assert.deepEqual(entries('listeners=A://:1,\\\n    # B://:2\nwindows=c:\\\\data\\\\\nlast=x\\'), [
    ['listeners', 'A://:1,# B://:2'],
    ['windows', 'c:\\data\\'],
    ['last', 'x'],
  ]);
});

test('escapes give the character, in keys and in values', () => {
  assert.deepEqual(entries('a\\=b\\:c\\ d=1\\t2\\n3\\u00e9\\q\n'), [['a=b:c d', '1\t2\n3éq']]);
  assert.throws(() => parseProperties('a=1\nb=\\u12'), { name: 'ConfigError', message: /^line 2: \\u is not followed/ });
});

test('every kind of line end counts, a byte order mark does not, and lines are numbered where entries begin', () => {
  const found = parseProperties('\uFEFFa=1\r\nb=2\\\r\n  3\rc=4');
  assert.deepEqual(found, [
    { key: 'a', value: '1', line: 1 },
    { key: 'b', value: '23', line: 2 },
    { key: 'c', value: '4', line: 4 },
  ]);
});
