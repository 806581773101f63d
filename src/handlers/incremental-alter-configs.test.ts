import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../protocol/messages/incremental-alter-configs.ts';
import { batchOf, produce } from './data-path.testing.ts';
import { BROKER_RESOURCE, configsOf, createTopics, describeConfigs, TOPIC_RESOURCE } from './topic-admin.testing.ts';

type Operation = 'set' | 'delete' | 'append' | 'subtract' | 'nonsense';
const operationCodes: Readonly<Record<Operation, number>> = { set: 0, delete: 1, append: 2, subtract: 3, nonsense: 9 };

type Change = readonly [name: string, operation: Operation, value?: string | null];

interface Asked {
  readonly type?: number;
  readonly name: string;
  readonly changes: readonly Change[];
}

/** `ERROR message` of each resource, in the order of the answer. */
async function alter(
  { client }: TestBroker,
  resources: readonly Asked[],
  options: { version?: number; validateOnly?: boolean } = {},
): Promise<string[]> {
  const { version = 1, validateOnly = false } = options;
  const answer = await client.request({ request: incrementalAlterConfigsRequest, response: incrementalAlterConfigsResponse }, version, {
    resources: resources.map(({ type = TOPIC_RESOURCE, name, changes }) => ({
      resourceType: type,
      resourceName: name,
      configs: changes.map(([key, operation, value = null]) => ({ name: key, configOperation: operationCodes[operation], value })),
    })),
    validateOnly,
  });
  assert.deepEqual(
    answer.responses.map(({ resourceType, resourceName }) => [resourceType, resourceName]),
    resources.map(({ type = TOPIC_RESOURCE, name }) => [type, name]),
  );
  return answer.responses.map(({ errorCode, errorMessage }) =>
    [errorNameOf(errorCode), errorMessage].filter((part) => part !== null).join(' '),
  );
}

const orders = (...changes: Change[]): Asked => ({ name: 'orders', changes });
const retention = (broker: TestBroker): Promise<string[]> => configsOf(broker, { name: 'orders', keys: ['retention.ms'] });
const policy = (broker: TestBroker): Promise<string[]> => configsOf(broker, { name: 'orders', keys: ['cleanup.policy'] });

for (const version of [0, 1]) {
  test(`IncrementalAlterConfigs ${version} sets and deletes single settings of a topic and leaves the others`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, [{ name: 'orders', configs: { 'segment.ms': '600000' } }]);
    assert.deepEqual(await alter(broker, [orders(['retention.ms', 'set', '5000'])], { version }), ['NONE']);
    assert.deepEqual(await configsOf(broker, { name: 'orders', keys: ['retention.ms', 'segment.ms'] }), [
      'retention.ms=5000@1',
      'segment.ms=600000@1',
    ]);
    assert.deepEqual(await alter(broker, [orders(['retention.ms', 'delete'], ['segment.bytes', 'delete'])], { version }), ['NONE']);
    assert.deepEqual(await retention(broker), ['retention.ms=604800000@5']);
  });
}

test('lists are added to and taken from; one that is not set, as its default has it', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  const steps: readonly (readonly [operation: Operation, value: string, is: string])[] = [
    ['append', 'compact', 'delete,compact'],
    ['append', 'delete,compact', 'delete,compact'],
    ['subtract', 'delete', 'compact'],
    ['subtract', 'delete', 'compact'],
    ['append', 'delete', 'compact,delete'],
    ['subtract', 'compact,delete', ''],
    ['append', 'compact', 'compact'],
  ];
  for (const [operation, value, is] of steps) {
    assert.deepEqual(await alter(broker, [orders(['cleanup.policy', operation, value])]), ['NONE']);
    assert.deepEqual(await policy(broker), [`cleanup.policy=${is}@1`], `${operation} ${value}`);
  }
  await alter(broker, [orders(['cleanup.policy', 'delete'])]);
  await alter(broker, [orders(['cleanup.policy', 'subtract', 'delete'])]);
  assert.deepEqual(await policy(broker), ['cleanup.policy=@1']);
});

test('validate only says what would come of it and changes nothing', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  const asked = [orders(['retention.ms', 'set', '5000']), { name: 'none', changes: [] }];
  assert.deepEqual(await alter(broker, asked, { validateOnly: true }), [
    'NONE',
    "UNKNOWN_TOPIC_OR_PARTITION The topic 'none' does not exist.",
  ]);
  assert.deepEqual(await retention(broker), ['retention.ms=604800000@5']);
});

/** Each refusal in the words of Kafka 4.2.1, which was asked the same. */
const refused: readonly (readonly [what: string, asked: Asked, told: string])[] = [
  ['an unknown setting', orders(['foo', 'set', '1']), 'INVALID_CONFIG Unknown topic config name: foo'],
  [
    'a value of the wrong type',
    orders(['retention.ms', 'set', 'x']),
    'INVALID_CONFIG Invalid value x for configuration retention.ms: Not a number of type LONG',
  ],
  [
    'one wrong setting among right ones',
    orders(['retention.ms', 'set', '7'], ['foo', 'set', '1']),
    'INVALID_CONFIG Unknown topic config name: foo',
  ],
  [
    'settings at odds with each other',
    orders(['min.compaction.lag.ms', 'set', '10'], ['max.compaction.lag.ms', 'set', '5']),
    'INVALID_CONFIG conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
  ],
  [
    'adding to what is no list',
    orders(['retention.ms', 'append', '7']),
    "INVALID_CONFIG Can't APPEND to key retention.ms because its type is not LIST.",
  ],
  [
    'taking from what is no list',
    orders(['retention.ms', 'subtract', '7']),
    "INVALID_CONFIG Can't SUBTRACT to key retention.ms because its type is not LIST.",
  ],
  ['adding to what is unknown', orders(['foo', 'append', '7']), "INVALID_CONFIG Can't APPEND to key foo because its type is not LIST."],
  [
    'setting and adding nothing',
    orders(['retention.ms', 'set', null], ['cleanup.policy', 'append', null]),
    'INVALID_REQUEST Null value not supported for : retention.ms, cleanup.policy',
  ],
  [
    'a setting named twice',
    orders(['retention.ms', 'set', '1'], ['retention.ms', 'delete']),
    'INVALID_REQUEST Error due to duplicate config keys',
  ],
  ['an operation that there is not', orders(['retention.ms', 'nonsense', '1']), 'INVALID_REQUEST Unknown operations type 9'],
  [
    'a topic that is not there',
    { name: 'none', changes: [['retention.ms', 'set', '1']] },
    "UNKNOWN_TOPIC_OR_PARTITION The topic 'none' does not exist.",
  ],
  ['no topic at all', { name: '', changes: [['retention.ms', 'set', '1']] }, 'INVALID_REQUEST Default topic resources are not allowed.'],
  ['a type that there is not', { type: 3, name: 'orders', changes: [] }, 'INVALID_REQUEST Unknown resource type 3'],
  [
    'another broker',
    { type: BROKER_RESOURCE, name: '2', changes: [['log.retention.ms', 'set', '1']] },
    'INVALID_REQUEST Unexpected broker id, expected 1, but received 2',
  ],
  [
    'this broker by another way to write its number',
    { type: BROKER_RESOURCE, name: '01', changes: [['log.retention.ms', 'set', '1']] },
    'INVALID_REQUEST Unexpected broker id, expected 1, but received 01',
  ],
  [
    'a broker that is no number',
    { type: BROKER_RESOURCE, name: 'x', changes: [['log.retention.ms', 'set', '1']] },
    'INVALID_REQUEST Node id must be an integer, but it is: x',
  ],
  [
    'a broker’s setting that needs a restart',
    { type: BROKER_RESOURCE, name: '1', changes: [['num.partitions', 'set', '3']] },
    'INVALID_REQUEST Cannot update these configs dynamically: Set(num.partitions)',
  ],
  [
    'a wrong value for a broker, which is an invalid request (KAFKA-13609)',
    { type: BROKER_RESOURCE, name: '', changes: [['log.retention.ms', 'set', 'x']] },
    'INVALID_REQUEST Invalid value x for configuration log.retention.ms: Not a number of type LONG',
  ],
  [
    'adding to a broker’s setting that is no list',
    { type: BROKER_RESOURCE, name: '', changes: [['log.retention.ms', 'append', '1']] },
    'INVALID_CONFIG Config value append is not allowed for config key: log.retention.ms',
  ],
  [
    'a group’s setting out of bounds',
    { type: 32, name: 'g', changes: [['consumer.session.timeout.ms', 'set', '1']] },
    'INVALID_CONFIG consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
  ],
  [
    'client metrics that there are not',
    { type: 16, name: 'm', changes: [['foo', 'set', '1']] },
    'INVALID_REQUEST Unknown client metrics configuration: foo',
  ],
  [
    'a logger, since there are none',
    { type: 8, name: '1', changes: [['root', 'set', 'INFO']] },
    'INVALID_CONFIG Logger root does not exist!',
  ],
];

for (const [what, asked, told] of refused) {
  test(`${what} is refused whole, and the other resources of the request are changed`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, ['orders', 'other']);
    const offset = broker.broker.metadata.appliedOffset;
    const results = await alter(broker, [asked, { name: 'other', changes: [['retention.ms', 'set', '5']] }]);
    assert.deepEqual(results, [told, 'NONE']);
    assert.equal(broker.broker.metadata.appliedOffset, offset + 1, 'one record was written');
  });
}

test('a resource that the request names twice is changed by neither', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders', 'other']);
  const results = await alter(broker, [
    orders(['retention.ms', 'set', '1']),
    { name: 'other', changes: [] },
    orders(['segment.ms', 'set', '1']),
  ]);
  const twice = 'INVALID_REQUEST Each resource must appear at most once.';
  assert.deepEqual(results, [twice, 'NONE', twice]);
});

test('what is appended may not grow beyond what may be kept', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  const list = (from: number): string => Array.from({ length: 3_000 }, (_, at) => `${from + at}:1`).join();
  const replicas = (from: number): Asked => orders(['leader.replication.throttled.replicas', 'append', list(from)]);
  assert.deepEqual(await alter(broker, [replicas(10_000)]), ['NONE']);
  assert.deepEqual(await alter(broker, [replicas(20_000)]), [
    'INVALID_CONFIG The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.',
  ]);
});

test('a setting reaches the open log of a topic with the answer', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  const large = batchOf(['x'.repeat(5_000)]);
  assert.equal((await produce(broker.client, large)).baseOffset, 0);
  await alter(broker, [orders(['max.message.bytes', 'set', '1000'])]);
  assert.equal(errorNameOf((await produce(broker.client, large)).errorCode), 'MESSAGE_TOO_LARGE');
  await alter(broker, [orders(['max.message.bytes', 'delete'])]);
  assert.equal((await produce(broker.client, large)).baseOffset, 1);
});

test('a broker’s setting reaches the open logs of all topics that have none of their own, one broker’s before all brokers’', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders', { name: 'own', configs: { 'max.message.bytes': '100000' } }]);
  const large = batchOf(['x'.repeat(5_000)]);
  const accepts = async (topic: string): Promise<boolean> => (await produce(broker.client, large, { topic })).errorCode === 0;
  assert.deepEqual([await accepts('orders'), await accepts('own')], [true, true]);
  const all = (...changes: Change[]): Asked => ({ type: BROKER_RESOURCE, name: '', changes });
  const one = (...changes: Change[]): Asked => ({ type: BROKER_RESOURCE, name: '1', changes });
  assert.deepEqual(await alter(broker, [all(['message.max.bytes', 'set', '1000'])]), ['NONE']);
  assert.deepEqual([await accepts('orders'), await accepts('own')], [false, true]);
  const told = (): Promise<string[]> => configsOf(broker, { type: BROKER_RESOURCE, name: '1', keys: ['message.max.bytes'] });
  assert.deepEqual(await told(), ['message.max.bytes=1000@3']);
  assert.deepEqual(await alter(broker, [one(['message.max.bytes', 'set', '50000'])]), ['NONE']);
  assert.deepEqual([await accepts('orders'), await told()], [true, ['message.max.bytes=50000@2']]);
  assert.deepEqual(await configsOf(broker, { name: 'orders', keys: ['max.message.bytes'] }), ['max.message.bytes=50000@2']);
  await createTopics(broker, ['later']);
  assert.ok(await accepts('later'));
  assert.deepEqual(await alter(broker, [one(['message.max.bytes', 'delete']), all(['message.max.bytes', 'delete'])]), ['NONE', 'NONE']);
  assert.deepEqual(await told(), ['message.max.bytes=1048588@5']);
});

test('limits of connections change while the broker runs; who is in stays in', async () => {
  await using broker = await startTestBroker();
  const limit = (value: string): Asked => ({ type: BROKER_RESOURCE, name: '', changes: [['max.connections', 'set', value]] });
  assert.deepEqual(await alter(broker, [limit('1')]), ['NONE']);
  const refusedOne = await broker.connect();
  await assert.rejects(describeConfigs({ client: refusedOne }, []));
  assert.deepEqual(await alter(broker, [limit('2')]), ['NONE']);
  const second = await broker.connect();
  assert.deepEqual(await describeConfigs({ client: second }, []), []);
});

test('settings are there after a power failure, for topics, brokers, groups and client metrics', async () => {
  const first = await startTestBroker({ disk: new MemoryDisk({ modelsPowerLoss: true }) });
  await createTopics(first, ['orders']);
  const results = await alter(first, [
    orders(['retention.ms', 'set', '5000'], ['cleanup.policy', 'append', 'compact']),
    { type: BROKER_RESOURCE, name: '', changes: [['message.max.bytes', 'set', '1000']] },
    { type: BROKER_RESOURCE, name: '1', changes: [['log.retention.ms', 'set', '7000']] },
    { type: 32, name: 'g', changes: [['consumer.session.timeout.ms', 'set', '50000']] },
    { type: 16, name: 'm', changes: [['interval.ms', 'set', '1000']] },
  ]);
  assert.deepEqual(results, Array(5).fill('NONE'));
  await using second = await first.crash({ survives: () => false });
  const told = await Promise.all([
    configsOf(second, { name: 'orders', keys: ['retention.ms', 'cleanup.policy', 'max.message.bytes'] }),
    configsOf(second, { type: BROKER_RESOURCE, name: '1', keys: ['message.max.bytes', 'log.retention.ms'] }),
    configsOf(second, { type: BROKER_RESOURCE, name: '' }),
    configsOf(second, { type: 32, name: 'g', keys: ['consumer.session.timeout.ms'] }),
    configsOf(second, { type: 16, name: 'm', keys: ['interval.ms'] }),
  ]);
  assert.deepEqual(told, [
    ['retention.ms=5000@1', 'cleanup.policy=delete,compact@1', 'max.message.bytes=1000@3'],
    ['message.max.bytes=1000@3', 'log.retention.ms=7000@2'],
    ['message.max.bytes=1000@3'],
    ['consumer.session.timeout.ms=50000@8'],
    ['interval.ms=1000@7'],
  ]);
  assert.equal(errorNameOf((await produce(second.client, batchOf(['x'.repeat(5_000)]))).errorCode), 'MESSAGE_TOO_LARGE');
});

test('a stored setting of a broker that does not fit beside the file of the next start is passed over with a warning', async () => {
  const first = await startTestBroker();
  assert.deepEqual(
    await alter(first, [
      {
        type: BROKER_RESOURCE,
        name: '',
        changes: [
          ['max.connections.per.ip', 'set', '0'],
          ['max.connections.per.ip.overrides', 'set', 'localhost:5'],
        ],
      },
    ]),
    ['NONE'],
  );
  await first.broker.metadata.execute(() => ({
    records: [
      { type: 'ConfigRecord', value: { resourceType: BROKER_RESOURCE, resourceName: '', name: 'message.max.bytes', value: 'nonsense' } },
      { type: 'ConfigRecord', value: { resourceType: BROKER_RESOURCE, resourceName: '', name: 'node.id', value: '9' } },
    ],
    reply: undefined,
  }));
  await using second = await first.restart();
  assert.equal(second.broker.config['message.max.bytes'], 1_048_588);
  assert.equal(second.broker.config['max.connections.per.ip'], 0);
  assert.equal(second.broker.config['node.id'], 1);
  assert.deepEqual(second.log.messages('warn'), ['a setting that was stored is not taken by this broker and is passed over']);
});
