import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { alterConfigsRequest, alterConfigsResponse } from '../protocol/messages/alter-configs.ts';
import { BROKER_RESOURCE, configsOf, createTopics, TOPIC_RESOURCE } from './topic-admin.testing.ts';

interface Asked {
  readonly type?: number;
  readonly name: string;
  readonly configs?: Readonly<Record<string, string | null>>;
}

/** `ERROR message` of each resource, in the order of the answer. */
async function replace(
  { client }: TestBroker,
  resources: readonly Asked[],
  options: { version?: number; validateOnly?: boolean } = {},
): Promise<string[]> {
  const { version = 2, validateOnly = false } = options;
  const answer = await client.request({ request: alterConfigsRequest, response: alterConfigsResponse }, version, {
    resources: resources.map(({ type = TOPIC_RESOURCE, name, configs = {} }) => ({
      resourceType: type,
      resourceName: name,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    })),
    validateOnly,
  });
  return answer.responses.map(({ errorCode, errorMessage }) =>
    [errorNameOf(errorCode), errorMessage].filter((part) => part !== null).join(' '),
  );
}

const told = (broker: TestBroker): Promise<string[]> => configsOf(broker, { name: 'orders', keys: ['retention.ms', 'segment.ms'] });

for (const version of [0, 1, 2]) {
  test(`AlterConfigs ${version} gives a topic exactly the settings it names`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, [{ name: 'orders', configs: { 'retention.ms': '5000' } }]);
    assert.deepEqual(await replace(broker, [{ name: 'orders', configs: { 'segment.ms': '600000' } }], { version }), ['NONE']);
    assert.deepEqual(await told(broker), ['retention.ms=604800000@5', 'segment.ms=600000@1']);
    assert.deepEqual(await replace(broker, [{ name: 'orders' }], { version }), ['NONE']);
    assert.deepEqual(await told(broker), ['retention.ms=604800000@5', 'segment.ms=604800000@5']);
  });
}

test('the settings of a broker are replaced in the same way', async () => {
  await using broker = await startTestBroker();
  const own = (): Promise<string[]> =>
    configsOf(broker, { type: BROKER_RESOURCE, name: '1', keys: ['log.retention.ms', 'message.max.bytes'] });
  assert.deepEqual(await replace(broker, [{ type: BROKER_RESOURCE, name: '1', configs: { 'log.retention.ms': '777' } }]), ['NONE']);
  assert.deepEqual(await own(), ['log.retention.ms=777@2', 'message.max.bytes=1048588@5']);
  assert.deepEqual(await replace(broker, [{ type: BROKER_RESOURCE, name: '1', configs: { 'message.max.bytes': '1000' } }]), ['NONE']);
  assert.deepEqual(await own(), ['log.retention.ms=null@5', 'message.max.bytes=1000@2']);
});

test('what cannot be is refused whole, in Kafka’s words, and changes nothing', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, [{ name: 'orders', configs: { 'retention.ms': '5000' } }]);
  const refused: readonly (readonly [Asked, string])[] = [
    [
      { name: 'orders', configs: { 'retention.ms': 'x' } },
      'INVALID_CONFIG Invalid value x for configuration retention.ms: Not a number of type LONG',
    ],
    [{ name: 'orders', configs: { 'segment.ms': '1', foo: 'x' } }, 'INVALID_CONFIG Unknown topic config name: foo'],
    [{ name: 'orders', configs: { 'retention.ms': null } }, 'INVALID_REQUEST Null value not supported for : retention.ms'],
    [{ name: 'none', configs: { 'retention.ms': '1' } }, "UNKNOWN_TOPIC_OR_PARTITION The topic 'none' does not exist."],
    [{ type: 8, name: '1', configs: { root: 'INFO' } }, 'INVALID_REQUEST Unknown resource type 8'],
    [
      { type: BROKER_RESOURCE, name: '1', configs: { 'num.partitions': '3' } },
      'INVALID_REQUEST Cannot update these configs dynamically: Set(num.partitions)',
    ],
  ];
  for (const [asked, why] of refused) assert.deepEqual(await replace(broker, [asked]), [why]);
  assert.deepEqual(
    await replace(broker, [{ name: 'orders' }, { name: 'orders' }]),
    Array(2).fill('INVALID_REQUEST Each resource must appear at most once.'),
  );
  assert.deepEqual(await replace(broker, [{ name: 'orders' }], { validateOnly: true }), ['NONE']);
  assert.deepEqual(await told(broker), ['retention.ms=5000@1', 'segment.ms=604800000@5']);
});
