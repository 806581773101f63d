// Subscriptions by regular expression against the built program: RE2 comes from a package that is loaded with the first expression,
// which a bundle could leave out without any other test noticing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCommandLine } from './cli.testing.ts';
import { topicsByRegex } from './regex-subscriber.testing.ts';

const cli = await buildCommandLine('regex-subscription');

test('the built broker gives a member the topics that its regular expression matches, as RE2 reads it', async () => {
  const { bootstrap } = await cli.start(
    '--memory',
    '--topic',
    'orders-eu:2',
    '--topic',
    'orders-us:1',
    '--topic',
    'orders',
    '--topic',
    'bills',
  );
  // A flag in front is RE2's, and no JavaScript.
  assert.deepEqual(await topicsByRegex(bootstrap, '(?i)ORDERS-(eu|us)'), ['orders-eu', 'orders-us']);
  assert.match(String(await topicsByRegex(bootstrap, '(?=orders).*')), /^INVALID_REGULAR_EXPRESSION: .*`\(\?=orders\)\.\*`/);
});
