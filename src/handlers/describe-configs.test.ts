import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import type { DescribeConfigsResponse } from '../protocol/messages/describe-configs.ts';
import { BROKER_RESOURCE, createTopics, describeConfigs, TOPIC_RESOURCE, type ResourceAsked } from './topic-admin.testing.ts';

const BROKER_LOGGER = 8;
const CLIENT_METRICS = 16;
const GROUP = 32;

/** `type name ERROR message` of each, in the order of the answer. */
const errors = (results: DescribeConfigsResponse['results']): string[] =>
  results.map(({ resourceType, resourceName, errorCode, errorMessage }) =>
    [resourceType, resourceName, errorNameOf(errorCode), errorMessage].filter((part) => part !== null).join(' '),
  );

for (let version = 1; version <= 4; version += 1) {
  test(`DescribeConfigs ${version} tells value, source and synonyms of what is asked for; type and meaning from version 3 on`, async () => {
    await using broker = await startTestBroker({ settings: { 'log.segment.bytes': '2097152' } });
    await createTopics(broker, [{ name: 'orders', configs: { 'retention.ms': '5' } }]);
    const keys = ['retention.ms', 'segment.bytes', 'no.such.thing', 'retention.ms'];
    const [described] = await describeConfigs(broker, [{ name: 'orders', keys }], { version, synonyms: true, documentation: version >= 3 });
    assert.equal(described?.errorCode, 0);
    const [retention, segment, ...others] = described.configs;
    assert.ok(retention && segment && others.length === 0, 'a name that is unknown is left out, one given twice is told once');
    assert.deepEqual(
      { ...retention, documentation: null },
      {
        name: 'retention.ms',
        value: '5',
        readOnly: false,
        configSource: 1,
        isSensitive: false,
        synonyms: [{ name: 'retention.ms', value: '5', source: 1 }],
        configType: version >= 3 ? 5 : 0,
        documentation: null,
      },
    );
    assert.deepEqual(segment.synonyms, [
      { name: 'log.segment.bytes', value: '2097152', source: 4 },
      { name: 'log.segment.bytes', value: '1073741824', source: 5 },
    ]);
    assert.equal(typeof retention.documentation, version >= 3 ? 'string' : 'object');
  });
}

test('null and an empty list both ask for everything, and synonyms and meanings come only when asked for', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, [{ name: 'orders', configs: { 'retention.ms': '5' } }]);
  for (const keys of [null, []]) {
    const [described] = await describeConfigs(broker, [{ name: 'orders', keys }]);
    assert.equal(described?.configs.length, 33);
    assert.ok(described.configs.every(({ synonyms, documentation }) => synonyms.length === 0 && documentation === null));
  }
});

test('a broker tells its own settings by its id, and under no name what clients have set for all brokers', async () => {
  await using broker = await startTestBroker({ settings: { 'num.partitions': '3' } });
  const [own, all] = await describeConfigs(broker, [
    { type: BROKER_RESOURCE, name: '1', keys: ['num.partitions', 'auto.create.topics.enable', 'log.retention.ms', 'listeners'] },
    { type: BROKER_RESOURCE, name: '' },
  ]);
  assert.deepEqual(
    own?.configs.map(({ name, value, readOnly, configSource }) => [name, value, readOnly, configSource]),
    [
      ['num.partitions', '3', true, 4],
      ['auto.create.topics.enable', 'true', true, 5],
      ['log.retention.ms', null, false, 5],
      ['listeners', 'PLAINTEXT://localhost:0', true, 4],
    ],
  );
  assert.deepEqual(all?.configs, []);
});

test('groups and client metrics tell their settings whether or not they are there', async () => {
  await using broker = await startTestBroker();
  const results = await describeConfigs(broker, [
    { type: GROUP, name: 'g', keys: ['consumer.session.timeout.ms'] },
    { type: CLIENT_METRICS, name: 'm', keys: ['interval.ms'] },
    { type: BROKER_LOGGER, name: '1' },
  ]);
  assert.deepEqual(
    results.map(({ errorCode, configs }) => [errorCode, configs.map(({ name, value }) => `${name}=${value}`).join()]),
    [
      [0, 'consumer.session.timeout.ms=45000'],
      [0, 'interval.ms=300000'],
      [0, ''],
    ],
  );
});

test('each resource has its own outcome, in the order asked', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  const asked: readonly (readonly [type: number, name: string, told: string])[] = [
    [TOPIC_RESOURCE, 'orders', 'NONE'],
    [TOPIC_RESOURCE, 'none', 'UNKNOWN_TOPIC_OR_PARTITION'],
    [
      TOPIC_RESOURCE,
      'a b',
      "INVALID_TOPIC_EXCEPTION Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    [TOPIC_RESOURCE, '', 'INVALID_TOPIC_EXCEPTION Topic name is invalid: the empty string is not allowed'],
    [BROKER_RESOURCE, '2', 'INVALID_REQUEST Unexpected broker id, expected 1 or empty string, but received 2'],
    [BROKER_RESOURCE, 'x', 'INVALID_REQUEST Broker id must be an integer, but it is: x'],
    [BROKER_LOGGER, '', 'INVALID_REQUEST Broker id must not be empty'],
    [BROKER_LOGGER, '2', 'INVALID_REQUEST Unexpected broker id, expected 1 but received 2'],
    [GROUP, '', 'INVALID_REQUEST Group name must not be empty'],
    [CLIENT_METRICS, '', 'INVALID_REQUEST Client metrics subscription name must not be empty'],
    [TOPIC_RESOURCE, 'orders', 'NONE'],
  ];
  const resources = asked.map(([type, name]): ResourceAsked => ({ type, name, keys: ['retention.ms'] }));
  assert.deepEqual(
    errors(await describeConfigs(broker, resources)),
    asked.map(([type, name, told]) => `${type} ${name} ${told}`),
  );
});

test('a type of resource that nobody knows makes the whole request invalid, in the shape of its version', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  for (let version = 1; version <= 4; version += 1) {
    const results = await describeConfigs(broker, [{ type: 3, name: 'x' }, { name: 'orders' }], { version });
    assert.deepEqual(errors(results), [
      '3 x INVALID_REQUEST Unexpected resource type 3 for resource x',
      '2 orders INVALID_REQUEST Unexpected resource type 3 for resource x',
    ]);
  }
});
