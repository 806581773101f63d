import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingName, variableName } from './environment.ts';
import { brokerConfigs } from './broker-configs.ts';
import { readSettings, SettingsError, type SettingsInput } from './read-settings.ts';

const files: Record<string, string> = {};
const readFile = async (path: string): Promise<Uint8Array> => {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  return Buffer.from(text);
};
const read = (input: SettingsInput) => readSettings({ readFile, ...input });
const file = (text: string): SettingsInput => {
  files['server.properties'] = text;
  return { files: ['server.properties'] };
};
const problems = async (input: SettingsInput): Promise<readonly string[]> => {
  try {
    await read(input);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

test('nothing given, everything has its default', async () => {
  const { config, set, texts, notices } = await readSettings({});
  assert.equal(config['num.partitions'], brokerConfigs['num.partitions'].default);
  assert.deepEqual([set.size, texts.size, notices.length], [0, 0, 0]);
});

test('each place beats the ones before it: preset, file, KAFKA_CFG_, KAFKA_, BUCKETRIDER_, flag, option', async () => {
  const places: SettingsInput[] = [
    { presets: { 'num.partitions': 1 } },
    file('num.partitions=2'),
    { environment: { KAFKA_CFG_NUM_PARTITIONS: '3' } },
    { environment: { KAFKA_CFG_NUM_PARTITIONS: '3', KAFKA_NUM_PARTITIONS: '4' } },
    { environment: { KAFKA_CFG_NUM_PARTITIONS: '3', KAFKA_NUM_PARTITIONS: '4', BUCKETRIDER_NUM_PARTITIONS: '5' } },
    { flags: ['num.partitions=6'] },
    { options: { 'num.partitions': 7 } },
  ];
  let together: SettingsInput = {};
  for (const [index, place] of places.entries()) {
    together = { ...together, ...place };
    const { config } = await read(together);
    assert.equal(config['num.partitions'], index + 1);
  }
  const setting = (await read(together)).set.get('num.partitions');
  assert.ok(setting);
  assert.deepEqual([setting.source, setting.origin, setting.text], ['option', 'option', '7']);
  assert.deepEqual(
    setting.hides.map(({ origin, text }) => `${origin}=${text}`),
    [
      '--set=6',
      'BUCKETRIDER_NUM_PARTITIONS=5',
      'KAFKA_NUM_PARTITIONS=4',
      'KAFKA_CFG_NUM_PARTITIONS=3',
      'server.properties:1=2',
      'preset=1',
    ],
  );
});

test('a stronger place that says it in hours beats a weaker one that says it in milliseconds', async () => {
  const { config, set } = await read({
    ...file('log.retention.ms=5\nlog.dirs=/a'),
    environment: { KAFKA_LOG_RETENTION_HOURS: '1', KAFKA_LOG_DIR: '/b' },
  });
  assert.equal(config['log.retention.ms'], null);
  assert.equal(config['log.retention.hours'], 1);
  assert.equal(config['log.dirs'], null);
  assert.deepEqual(
    set.get('log.retention.hours')?.hides.map(({ name }) => name),
    ['log.retention.ms'],
  );
  const sameFile = await read(file('log.retention.ms=5\nlog.retention.hours=1'));
  assert.equal(sameFile.config['log.retention.ms'], 5);
});

test('node.id from a flag beats broker.id from a file, and one place that says both differently is refused', async () => {
  const { config, texts } = await read({ ...file('broker.id=1'), flags: ['node.id=2'] });
  assert.deepEqual([config['node.id'], config['broker.id'], texts.get('broker.id')], [2, 2, '2']);
  assert.deepEqual(await problems(file('broker.id=1\nnode.id=2')), ['You must set `node.id` to the same value as `broker.id`.']);
});

test('units may be written everywhere, and what is told to clients is Kafka’s plain number', async () => {
  const { config, set, texts } = await read({
    ...file('log.segment.bytes=64MiB'),
    environment: { KAFKA_OFFSETS_RETENTION_MINUTES: '7d' },
    flags: ['log.retention.ms=1h'],
    options: {
      'storage.cache.bytes': '1GiB',
      'log.cleanup.policy': ['compact', 'delete'],
      'log.flush.interval.messages': 9_223_372_036_854_775_807n,
    },
  });
  assert.equal(config['log.segment.bytes'], 67_108_864);
  assert.equal(config['offsets.retention.minutes'], 10_080);
  assert.equal(config['log.retention.ms'], 3_600_000);
  assert.equal(config['storage.cache.bytes'], 1_073_741_824);
  assert.deepEqual(config['log.cleanup.policy'], ['compact', 'delete']);
  assert.equal(config['log.flush.interval.messages'], Number.MAX_SAFE_INTEGER);
  assert.equal(texts.get('log.flush.interval.messages'), '9223372036854775807');
  assert.deepEqual([set.get('log.segment.bytes')?.written, set.get('log.segment.bytes')?.text], ['64MiB', '67108864']);
});

test('unknown names in files, flags and options are refused with the place and what was probably meant', async () => {
  assert.deepEqual(
    await problems({
      ...file('\nlog.retention.hour=1\nretention.ms=5'),
      flags: ['quux=1', 'advertised.host.name=x'],
      options: { 'num.partition': 1 } as object,
    }),
    [
      "server.properties:2: there is no setting 'log.retention.hour'; did you mean log.retention.hours?",
      "server.properties:3: there is no setting 'retention.ms'; topics have it, and for all of them it is log.retention.ms",
      "--set: there is no setting 'quux'.",
      "--set: there is no setting 'advertised.host.name'; use advertised.listeners, as PLAINTEXT://host:port",
      "option: there is no setting 'num.partition'; did you mean num.partitions?",
    ],
  );
  assert.deepEqual(await problems({ flags: ['__proto__=1', 'no-equals'] }), [
    '--set takes key=value, for instance --set log.retention.ms=7d.',
    "--set: there is no setting '__proto__'.",
  ]);
});

test('lenient reading warns of unknown names instead', async () => {
  const { notices } = await read({ ...file('log.retention.hour=hunter2'), lenient: true });
  assert.deepEqual(notices, [
    { level: 'warning', message: "server.properties:1: there is no setting 'log.retention.hour'; did you mean log.retention.hours?" },
  ]);
});

test('unknown variables are one warning without values, foreign ones are silent', async () => {
  const { notices, set } = await read({
    environment: {
      KAFKA_LOG_RETENTION_HOUR: 'hunter2',
      KAFKA_CLIENT_PASSWORDS: 'hunter2',
      BUCKETRIDER_STORAGE_CACHE_BYTE: '1',
      KAFKA_CFG_RETENTION_MS: '1',
      KAFKA_HEAP_OPTS: '-Xmx1g',
      KAFKA_OPTS: '',
      KAFKA_JMX_PORT: '9999',
      KAFKA_LOG4J_ROOT_LOGLEVEL: 'WARN',
      KAFKA_HOME: '/opt/kafka',
      KAFKA_BROKERS: 'localhost:9092',
      BUCKETRIDER_BROKERS: 'localhost:9092',
      KAFKA_PORT: 'tcp://10.0.0.1:9092',
      KAFKA_PORT_9092_TCP_ADDR: '10.0.0.1',
      KAFKA_SERVICE_HOST: '10.0.0.1',
      BUCKETRIDER_SERVICE_PORT_KAFKA: '9092',
      KAFKA_ENABLE_KRAFT: 'yes',
      PATH: '/bin',
      KAFKA_: 'x',
      KAFKA_NUM_IO_THREADS: undefined,
    },
  });
  assert.equal(set.size, 0);
  assert.deepEqual(notices, [
    {
      level: 'warning',
      message:
        'These environment variables look like settings and are not known: KAFKA_CFG_RETENTION_MS (topics have it, and for all of them it is KAFKA_CFG_LOG_RETENTION_MS), KAFKA_CLIENT_PASSWORDS, KAFKA_LOG_RETENTION_HOUR (did you mean KAFKA_LOG_RETENTION_HOURS?), BUCKETRIDER_STORAGE_CACHE_BYTE (did you mean BUCKETRIDER_STORAGE_CACHE_BYTES?).',
    },
  ]);
});

test('the variables that Kafka’s image is started with in compose files and Testcontainers give a broker and one notice', async () => {
  const { config, notices } = await read({
    environment: {
      CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw',
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,BROKER://0.0.0.0:9093,CONTROLLER://0.0.0.0:9094',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:32768,BROKER://172.17.0.2:9093',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: '9223372036854775807',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    },
  });
  assert.equal(config['cluster.id'], '4L6g3nShT-eMCtK--X86sw');
  assert.equal(config['group.initial.rebalance.delay.ms'], 0);
  assert.deepEqual(notices, [
    {
      level: 'notice',
      message: 'These settings of Kafka have no meaning here and are passed over: KAFKA_CONTROLLER_QUORUM_VOTERS, KAFKA_PROCESS_ROLES.',
    },
  ]);
});

test('replication that one broker cannot give to internal topics is lowered with one notice', async () => {
  const { config, texts, notices } = await read(
    file(
      'offsets.topic.replication.factor=3\ntransaction.state.log.replication.factor=3\ntransaction.state.log.min.isr=2\ndefault.replication.factor=3',
    ),
  );
  assert.equal(config['offsets.topic.replication.factor'], 1);
  assert.equal(config['transaction.state.log.min.isr'], 1);
  assert.equal(texts.get('transaction.state.log.replication.factor'), '1');
  assert.equal(config['default.replication.factor'], 3);
  assert.deepEqual(notices, [
    {
      level: 'notice',
      message:
        'Lowered to 1, since there is one broker: offsets.topic.replication.factor=3 (server.properties:1), transaction.state.log.replication.factor=3 (server.properties:2), transaction.state.log.min.isr=2 (server.properties:3).',
    },
  ]);
});

test('a value may come from the file that a variable with _FILE names, without its last line end', async () => {
  files['/run/secrets/id'] = 'abc-DEF\n';
  const { config, set } = await read({ environment: { KAFKA_CLUSTER_ID_FILE: '/run/secrets/id' } });
  assert.equal(config['cluster.id'], 'abc-DEF');
  assert.equal(set.get('cluster.id')?.origin, 'KAFKA_CLUSTER_ID_FILE');
});

test('what is wrong with a value’s own file is told without the value', async () => {
  files['/run/secrets/bad'] = 'hunter2';
  assert.deepEqual(
    await problems({
      environment: {
        KAFKA_NODE_ID_FILE: '/run/secrets/bad',
        KAFKA_LOG_DIRS_FILE: '/run/secrets/bad',
        KAFKA_LOG_DIRS: '/data',
        BUCKETRIDER_LOG_LEVEL_FILE: '/nowhere',
      },
    }),
    [
      "BUCKETRIDER_LOG_LEVEL_FILE: cannot read /nowhere: ENOENT: no such file or directory, open '/nowhere'",
      'KAFKA_LOG_DIRS_FILE and KAFKA_LOG_DIRS are both set; remove one.',
      'KAFKA_NODE_ID_FILE: the content of the file is not a value of node.id',
    ],
  );
});

test('everything that is wrong is told at once, each with its place', async () => {
  assert.deepEqual(
    await problems({ ...file('num.partitions=x\nlog.segment.bytes=5'), environment: { KAFKA_LOG_RETENTION_MS: '5 years' } }),
    [
      'server.properties:1: Invalid value x for configuration num.partitions: Not a number of type INT',
      'server.properties:2: Invalid value 5 for configuration log.segment.bytes: Value must be at least 1048576',
      "KAFKA_LOG_RETENTION_MS: Invalid value 5 years for configuration log.retention.ms: 'years' is not a unit; write a plain number of ms or one with ms, s, m, h, d, w",
    ],
  );
  assert.deepEqual(await problems({ files: ['gone.properties'] }), [
    "gone.properties: cannot read gone.properties: ENOENT: no such file or directory, open 'gone.properties'",
  ]);
  assert.deepEqual(await problems(file('a=\\u00')), ['server.properties: line 1: \\u is not followed by four hexadecimal digits']);
});

test('a setting that is given twice in one file counts the last time and is warned of', async () => {
  const { config, notices } = await read(file('num.partitions=2\n\nnum.partitions=3'));
  assert.equal(config['num.partitions'], 3);
  assert.deepEqual(notices, [
    { level: 'warning', message: 'server.properties:3 sets num.partitions again after line 1; the last one counts.' },
  ]);
});

test('a policy that only a Java class could keep is refused, as is access control', async () => {
  assert.match(
    (await problems(file('create.topic.policy.class.name=com.example.Policy')))[0] ?? '',
    /Java class that decides what clients may do/,
  );
  assert.match((await problems({ flags: ['authorizer.class.name=X'] }))[0] ?? '', /not built yet/);
});

test('Kafka’s own config/server.properties starts a broker', async () => {
  const { config, notices } = await read(
    file(`
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`),
  );
  assert.deepEqual(config['log.dirs'], ['/tmp/kraft-combined-logs']);
  assert.deepEqual(
    notices.map(({ level }) => level),
    ['notice'],
  );
});

test('names and variables turn into each other by Kafka’s rule', () => {
  assert.equal(settingName('LOG_RETENTION_MS'), 'log.retention.ms');
  assert.equal(settingName('A__B___C_D'), 'a_b-c.d');
  for (const name of ['log.retention.ms', 'a_b-c.d', 'max.connections.per.ip.overrides']) {
    assert.equal(settingName(variableName(name).slice('KAFKA_'.length)), name);
  }
});
