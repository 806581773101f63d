import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../protocol/errors.ts';
import { lookUpRegexes } from './consumer-regexes.ts';
import { compileTopicRegex, MAX_PATTERN_LENGTH } from './topic-regex.ts';

const refused = (pattern: string): KafkaError => {
  try {
    compileTopicRegex(pattern);
  } catch (thrown) {
    assert.ok(thrown instanceof KafkaError);
    assert.equal(thrown.errorName, 'INVALID_REGULAR_EXPRESSION');
    return thrown;
  }
  return assert.fail(`${pattern.slice(0, 50)} is taken`);
};

test('an expression matches whole names', () => {
  const regex = compileTopicRegex('orders');
  assert.ok(regex.matches('orders'));
  assert.ok(!regex.matches('orders-2') && !regex.matches('my-orders'));
  assert.ok(compileTopicRegex('orders.*').matches('orders-2'));
  assert.ok(compileTopicRegex('a|ab').matches('ab'), 'the longest alternative counts too');
  assert.ok(!compileTopicRegex('orders|bills').matches('orders-bills'));
});

test('the syntax is that of RE2', () => {
  assert.ok(compileTopicRegex('(?i)ORDERS').matches('orders'));
  assert.ok(compileTopicRegex('[[:alpha:]]+\\.\\d{1,3}').matches('orders.12'));
  assert.ok(compileTopicRegex('\\Qa.b\\E').matches('a.b'));
  assert.ok(!compileTopicRegex('\\Qa.b\\E').matches('axb'));
  assert.ok(compileTopicRegex('(?P<kind>\\pL+)-\\p{Greek}*[^_]').matches('orders-1'));
});

test('what RE2 does not know is refused, with the expression and the reason', () => {
  for (const pattern of ['[', 'a**', '(a', 'a)', '*', '(?=a)b', '(?!a)b', '(?<=a)b', '(a)\\1', 'a{2,1}', 'a{1001}', '\\8', 'x\\'])
    assert.match(refused(pattern).message, /^SubscribedTopicRegex `.+` is not a valid regular expression: .+\.$/);
  assert.match(refused('[').message, /missing closing \]/);
});

test('an expression that would cost too much is refused before anything is built from it', () => {
  const hostile = [
    'x'.repeat(MAX_PATTERN_LENGTH + 1),
    'x{1000}'.repeat(500),
    '((a?){30}){30}'.repeat(20),
    '(?:[[:alpha:]\\]]{100}){100}',
    '(((\\pL{10}){10}){10}){10}',
    '(\\Qab{2}\\E{500}){20}',
  ];
  const before = process.cpuUsage();
  for (const pattern of hostile) refused(pattern);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 1_000_000, `${user} us`); // some ms; compiled, the second alone takes 1.5 s
});

test('an expression of many words, or of none that repeats, is not taken for a hostile one', () => {
  const words = Array.from({ length: 200 }, (_, at) => `orders-of-${at}`).join('|');
  assert.ok(compileTopicRegex(words).matches('orders-of-199'));
  assert.ok(compileTopicRegex('(?:a){1000}').matches('a'.repeat(1000)));
  assert.ok(compileTopicRegex('[{1000}]{249}').matches('{01}'.repeat(60) + '{'.repeat(9)));
  assert.ok(compileTopicRegex('\\{1000}\\{1000}{2}').matches('{1000}{1000}}'));
});

test('brackets that never close cost no more than their length', () => {
  const before = process.cpuUsage();
  refused('[[:'.repeat(1365));
  refused('[:a'.repeat(1365));
  refused('\\p{a'.repeat(1000));
  refused('('.repeat(4000));
  const { user } = process.cpuUsage(before);
  assert.ok(user < 1_000_000, `${user} us`);
});

test('what expressions mean is looked up in short turns: many names for cheap ones, a name at a time for the costly', () => {
  const turnsOf = (regexes: readonly string[], names: readonly string[]): number => {
    const lookup = lookUpRegexes(regexes, { names, maySee: () => true, version: 1, wallMs: 1 });
    let turns = 1;
    while (lookup.next().done !== true) turns += 1;
    return turns;
  };
  const short = Array.from({ length: 10_000 }, (_, at) => `orders-${at}`);
  assert.ok(turnsOf(['orders.*'], short) < 30);
  const long = Array.from({ length: 20 }, (_, at) => 'ab'.repeat(100) + at);
  const costly = '(((a?b?){10}){5}){6}c';
  assert.ok(compileTopicRegex(costly).programSize > 1500);
  assert.ok(turnsOf([costly], long) >= 20);
  assert.ok(
    turnsOf(
      Array.from({ length: 50 }, (_, at) => `a{${900 + at}}`),
      [],
    ) >= 15,
    'to compile many takes turns as well',
  );
  assert.equal(turnsOf(['['], short.slice(0, 10)), 1, 'what is none means nothing');
});
