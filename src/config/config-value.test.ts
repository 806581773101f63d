import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalText, clampToSafe, formatDouble, parseValue } from './config-value.ts';

test('integers beyond 2^53 - 1 are clamped as numbers and whole as text', () => {
  assert.equal(parseValue('x', 'long', '9223372036854775807'), Number.MAX_SAFE_INTEGER);
  assert.equal(parseValue('x', 'long', '-9223372036854775808'), Number.MIN_SAFE_INTEGER);
  assert.equal(canonicalText('x', 'long', ' +9223372036854775807'), '9223372036854775807');
  assert.equal(clampToSafe(9_007_199_254_740_992n), 9_007_199_254_740_991);
  assert.equal(clampToSafe(-5n), -5);
});

test('the limits of Java’s short, int and long hold to the digit', () => {
  for (const [type, least, most] of [
    ['short', -32_768n, 32_767n],
    ['int', -2_147_483_648n, 2_147_483_647n],
    ['long', -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
  ] as const) {
    assert.equal(canonicalText('x', type, String(least)), String(least));
    assert.equal(canonicalText('x', type, String(most)), String(most));
    for (const beyond of [least - 1n, most + 1n])
      assert.throws(() => parseValue('x', type, String(beyond)), {
        message: `Invalid value ${beyond} for configuration x: Not a number of type ${type.toUpperCase()}`,
      });
  }
});

test('a very long number is refused without being computed', () => {
  assert.throws(() => parseValue('x', 'long', '9'.repeat(100_000)), /Not a number of type LONG/);
});

test('doubles are written as Java writes them', () => {
  const written: [number, string][] = [
    [1, '1.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [0.5, '0.5'],
    [123_456, '123456.0'],
    [1e7, '1.0E7'],
    [12_345_678.9, '1.23456789E7'],
    [1e-3, '0.001'],
    [9.99e-4, '9.99E-4'],
    [-1e9, '-1.0E9'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
  ];
  for (const [value, text] of written) assert.equal(formatDouble(value), text);
});

test('doubles are read as Java reads them, but have to be finite', () => {
  for (const [text, value] of [
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1d', 1],
    [' +2F ', 2],
  ] as const)
    assert.equal(parseValue('x', 'double', text), value);
  for (const text of ['NaN', 'Infinity', '1e400', '0x10', '1 0', ''])
    assert.throws(() => parseValue('x', 'double', text), /Not a number of type DOUBLE/);
});

test('lists lose blanks around commas and later duplicates, and keep empty entries for the check to refuse', () => {
  assert.deepEqual(parseValue('x', 'list', ' a , b,a,,\tc '), ['a', 'b', '', 'c']);
  assert.deepEqual(parseValue('x', 'list', '  '), []);
});

test('only what Java’s trim takes is trimmed', () => {
  assert.equal(parseValue('x', 'string', '\u0000\t a b \n'), 'a b');
  assert.equal(parseValue('x', 'string', '\u00a0a'), '\u00a0a');
});
