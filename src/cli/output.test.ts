import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDocument, formatRows, readFormat, tableOf, type Shape } from './output.ts';

const shape: Shape<{ name: string; count: number }> = {
  columns: [
    { title: 'NAME', text: ({ name }) => name },
    { title: 'COUNT', text: ({ count }) => count },
    { title: 'MORE', text: ({ count }) => '*'.repeat(count), wide: true },
  ],
  name: ({ name }) => name,
  json: ({ name, count }) => ({ name, count }),
};
const rows = [
  { name: 'a', count: 2 },
  { name: 'longer', count: 10 },
];

test('a table has two spaces between its columns and none at the end of a line, and wide has more of them', () => {
  assert.equal(formatRows(rows, shape, 'table'), 'NAME    COUNT\na       2\nlonger  10\n');
  assert.equal(formatRows(rows, shape, 'wide'), 'NAME    COUNT  MORE\na       2      **\nlonger  10     **********\n');
  assert.equal(tableOf([], shape.columns), '');
});

test('programs get a list, lines, or names', () => {
  assert.equal(formatRows(rows, shape, 'json'), `${JSON.stringify(rows, null, 2)}\n`);
  assert.equal(formatRows(rows, shape, 'jsonl'), '{"name":"a","count":2}\n{"name":"longer","count":10}\n');
  assert.equal(formatRows(rows, shape, 'name'), 'a\nlonger\n');
  assert.equal(formatRows([], shape, 'json'), '[]\n');
  assert.equal(formatRows([], shape, 'yaml'), '[]\n');
});

test('YAML is in blocks, and a text that YAML would read as something else is quoted', () => {
  const document = {
    name: 'orders',
    texts: ['no', '1', 'a: b', '', 'two words', '# x', 'null', "it's"],
    nothing: null,
    nested: [{ a: 1, b: [true, { c: 'd' }] }, []],
    empty: {},
  };
  assert.equal(
    formatDocument(document, 'yaml'),
    [
      'name: orders',
      'texts:',
      '  - "no"',
      '  - "1"',
      '  - "a: b"',
      '  - ""',
      '  - two words',
      '  - "# x"',
      '  - "null"',
      '  - "it\'s"',
      'nothing: null',
      'nested:',
      '  - a: 1',
      '    b:',
      '      - true',
      '      - c: d',
      '  - []',
      'empty: {}',
      '',
    ].join('\n'),
  );
});

test('a format that does not exist, or that a command has no use for, is refused', () => {
  assert.equal(readFormat(undefined), 'table');
  assert.equal(readFormat('json', ['json', 'yaml']), 'json');
  assert.throws(() => readFormat('xml'), /-o takes one of table, wide, json, jsonl, yaml, name, not 'xml'/);
  assert.throws(() => readFormat('wide', ['json', 'yaml']), /-o takes one of json, yaml, not 'wide'/);
});
