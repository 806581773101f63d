// `bucketrider topic ...` against a broker of the same program: what is printed, in which form, and with which exit code.
// Outputs and exit codes are an interface; a change here is a change for scripts.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import { buildCommandLine, type Ended } from './cli.testing.ts';

const cli = await buildCommandLine('cli-topics');
const broker = await cli.start('--memory');

const run = (...words: string[]): Promise<Ended> => cli.run(words, { env: { KAFKA_BROKERS: broker.bootstrap } });

async function ok(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  assert.equal(code, 0, stderr);
  return stdout;
}

const jsonOf = async (...words: string[]): Promise<unknown> => JSON.parse(await ok(...words, '-o', 'json'));

suite('bucketrider topic', { concurrency: 3 }, () => {
  test('create says what was made, and list and describe show it in every form', async () => {
    const topics = ['forms.a', 'forms.b'];
    assert.equal(
      await ok('topic', 'create', ...topics, '-p', '3', '-c', 'retention.ms=1000', '--compact'),
      'TOPIC    STATUS   PARTITIONS  REPLICAS\nforms.a  created  3           1\nforms.b  created  3           1\n',
    );
    assert.equal(await ok('topic', 'list', ...topics), 'TOPIC    PARTITIONS  REPLICAS\nforms.a  3           1\nforms.b  3           1\n');
    assert.match(
      await ok('topics', 'ls', ...topics, '-o', 'wide'),
      /^TOPIC {4}PARTITIONS {2}REPLICAS {2}ID {22}INTERNAL\nforms\.a {2}3 {11}1 {9}[\w-]{22} {2}no\n/,
    );
    assert.equal(await ok('topic', 'list', '--regex', 'forms\\..', '-o', 'name'), 'forms.a\nforms.b\n');
    const [first] = (await jsonOf('topic', 'list', 'forms.a')) as { id: string }[];
    const id = first?.id;
    assert.match(String(id), /^[\w-]{22}$/);
    const listed = { name: 'forms.a', id, internal: false, partitionCount: 3, replicationFactor: 1 };
    assert.deepEqual([first], [listed]);
    assert.equal(await ok('topic', 'list', 'forms.a', '-o', 'jsonl'), `${JSON.stringify(listed)}\n`);
    assert.equal(
      await ok('topic', 'list', 'forms.a', '-o', 'yaml'),
      `- name: forms.a\n  id: ${/^[A-Za-z_][\w-]*$/.test(String(id)) ? id : JSON.stringify(id)}\n  internal: false\n  partitionCount: 3\n  replicationFactor: 1\n`,
    );
    assert.equal(
      await ok('topic', 'describe', 'forms.a'),
      [
        'topic       forms.a',
        `id          ${id}`,
        'partitions  3',
        'replicas    1',
        '',
        'SETTING         VALUE    FROM',
        'cleanup.policy  compact  topic',
        'retention.ms    1000     topic',
        '',
        'PARTITION  LEADER  REPLICAS  IN-SYNC  START  END',
        '0          1       1         1        0      0',
        '1          1       1         1        0      0',
        '2          1       1         1        0      0',
        '',
      ].join('\n'),
    );
    const partition = {
      leader: 1,
      leaderEpoch: 0,
      replicas: [1],
      inSyncReplicas: [1],
      offlineReplicas: [],
      logStartOffset: 0,
      highWatermark: 0,
    };
    assert.deepEqual(await jsonOf('topic', 'describe', 'forms.a'), [
      {
        ...listed,
        partitions: [0, 1, 2].map((index) => ({ partition: index, ...partition })),
        configs: [
          { name: 'cleanup.policy', value: 'compact', source: 'topic', readOnly: false, sensitive: false },
          { name: 'retention.ms', value: '1000', source: 'topic', readOnly: false, sensitive: false },
        ],
      },
    ]);
    assert.match(await ok('topic', 'describe', 'forms.a', '--all'), /\nflush\.messages +1 +default\n/);
  });

  test('a topic that is there already is a failure, and none with --if-not-exists', async () => {
    await ok('topic', 'create', 'twice');
    const again = await run('topic', 'create', 'twice');
    assert.equal(again.code, 1);
    assert.equal(again.stdout, 'TOPIC  STATUS  PARTITIONS  REPLICAS\ntwice  failed  -           -\n');
    assert.equal(again.stderr, "bucketrider: topic twice: Topic 'twice' already exists.\n  --if-not-exists takes that for success\n");
    assert.deepEqual(await jsonOf('topic', 'create', 'twice', '--if-not-exists'), [
      { name: 'twice', status: 'exists', id: null, partitionCount: null, replicationFactor: null, error: null },
    ]);
    const mixed = await run('topic', 'create', 'twice', 'thrice', '-o', 'json', '--json-errors');
    assert.equal(mixed.code, 6);
    const message = "Topic 'twice' already exists.";
    const [failed] = JSON.parse(mixed.stdout) as unknown[];
    assert.deepEqual(failed, {
      name: 'twice',
      status: 'failed',
      id: null,
      partitionCount: null,
      replicationFactor: null,
      error: { code: 'TOPIC_ALREADY_EXISTS', message },
    });
    assert.deepEqual(JSON.parse(mixed.stderr), {
      error: {
        code: 'TOPIC_ALREADY_EXISTS',
        message: `topic twice: ${message}`,
        fix: ['--if-not-exists takes that for success'],
        exitCode: 1,
      },
    });
  });

  test('--dry-run of create makes nothing', async () => {
    assert.match(await ok('topic', 'create', 'dry', '-p', '2', '--dry-run'), /\ndry {4}valid {3}2 +1\n/);
    assert.equal((await run('topic', 'list', 'dry')).code, 3);
    const { code, stderr } = await run('topic', 'create', 'dry', '-r', '3');
    assert.equal(code, 1);
    assert.match(stderr, /there are no more replicas than brokers: -r 1 suits a single one/);
  });

  test('add-partitions adds, or grows to a total', async () => {
    await ok('topic', 'create', 'grows', '-p', '2');
    assert.equal(await ok('topic', 'add-partitions', 'grows', '-n', '3'), 'TOPIC  STATUS  BEFORE  PARTITIONS\ngrows  grown   2       5\n');
    assert.deepEqual(await jsonOf('topic', 'add-partitions', 'grows', '--partitions', '6'), [
      { name: 'grows', status: 'grown', partitionCountBefore: 5, partitionCount: 6, error: null },
    ]);
    assert.match(await ok('topic', 'add-partitions', 'grows', '-n', '1', '--dry-run'), /valid/);
    const fewer = await run('topic', 'add-partitions', 'grows', '--partitions', '1');
    assert.equal(fewer.code, 1);
    assert.match(fewer.stderr, /^bucketrider: topic grows: .*6 partition/);
    assert.equal((await run('topic', 'add-partitions', 'grows')).code, 2);
    assert.equal((await run('topic', 'add-partitions', 'absent', '-n', '1')).code, 3);
  });

  test('delete does nothing unasked, and says of each topic what became of it', async () => {
    await ok('topic', 'create', 'gone-1', 'gone-2', 'gone-3');
    const unasked = await run('topic', 'delete', 'gone-1');
    assert.equal(unasked.code, 2);
    assert.equal(
      unasked.stderr,
      'bucketrider: Delete topic gone-1, 1 partition, with all records? Nobody can be asked here\n  say --yes, or --dry-run to see what would be done\n',
    );
    assert.equal(
      await ok('topic', 'delete', '--regex', 'gone-[12]', '--dry-run'),
      'TOPIC   STATUS\ngone-1  would be deleted\ngone-2  would be deleted\n',
    );
    const partly = await run('topic', 'rm', 'gone-1', 'gone-4', '--yes');
    assert.equal(partly.code, 6);
    assert.equal(partly.stdout, 'TOPIC   STATUS\ngone-4  failed\ngone-1  deleted\n');
    assert.equal(
      partly.stderr,
      'bucketrider: there is no topic gone-4\n  bucketrider topic create gone-4 makes it; bucketrider topic list shows what there is\n',
    );
    assert.deepEqual(await jsonOf('topic', 'delete', 'gone-4', '--if-exists', '--yes'), [
      { name: 'gone-4', status: 'absent', error: null },
    ]);
    assert.equal(await ok('topic', 'delete', '--regex', 'gone-.', '-y', '-o', 'name'), 'gone-2\ngone-3\n');
  });

  test('what does not exist ends with 3, what cannot be understood with 2', async () => {
    for (const [words, code, message] of [
      [['topic', 'describe', 'absent'], 3, /there is no topic absent/],
      [['topic', 'list', '-o', 'xml'], 2, /-o takes one of table, wide, json, jsonl, yaml, name, not 'xml'/],
      [['topic', 'list', '--regex', '('], 2, /'\(' is not a regular expression/],
      [['topic', 'create', 'x', '-c', 'retention.ms=abc'], 1, /Invalid value abc for configuration retention\.ms/],
      [['topic', 'create'], 2, /missing required argument 'topic'/],
      [['topic', 'lits'], 2, /unknown command 'lits'\n\(Did you mean list\?\)/],
      [['topic'], 2, /Usage: bucketrider topic/],
    ] as const) {
      const ended = await run(...words);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    }
  });

  test('nothing found is an empty list for programs and a sentence for people', async () => {
    const { stdout, stderr, code } = await run('topic', 'list', '--regex', 'no-such-.*', '-o', 'json');
    assert.deepEqual([stdout, stderr, code], ['[]\n', 'no topic matches\n', 0]);
  });

  test('properties of other clients that mean nothing here are named, and others are used', async () => {
    const { stdout, stderr, code } = await cli.run([
      'topic',
      'list',
      '--regex',
      'none',
      '-X',
      `bootstrap.servers=${broker.bootstrap}`,
      '-X',
      'linger.ms=5',
    ]);
    assert.deepEqual([stdout, stderr, code], ['', 'bucketrider: these properties mean nothing here: linger.ms\nno topic matches\n', 0]);
  });
});

/** A server that does `serve` to every connection, until the test ends. */
async function strangeServer(serve: (socket: Socket) => void): Promise<Disposable & { address: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

suite('a broker that cannot be reached ends with 5, and the reason is told', { concurrency: 3 }, () => {
  const expectFailure = async (bootstrap: string, code: string, message: RegExp, ...more: string[]): Promise<void> => {
    const { code: exitCode, stderr, stdout } = await cli.run(['topic', 'list', '-b', bootstrap, '--json-errors', ...more]);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; fix: string[] } };
    assert.equal(error.code, code);
    assert.match([error.message, ...error.fix].join('\n'), message);
    assert.deepEqual([exitCode, stdout], [5, '']);
  };

  test('nothing listens', async () => {
    using server = await strangeServer(() => undefined);
    const free = server.address;
    server[Symbol.dispose]();
    await expectFailure(
      free,
      'unreachable',
      new RegExp(`${free}: connection refused, nothing listens on this port\nstart a broker with: bucketrider start`),
    );
  });

  test('the name is not known', async () => {
    await expectFailure('no-such-host.invalid:9092', 'dns', /no-such-host\.invalid:9092: .*DNS\)\ncheck the spelling/);
  });

  test('it says nothing', async () => {
    using server = await strangeServer(() => undefined);
    await expectFailure(server.address, 'timeout', /accepted the connection and did not answer within 300 ms/, '--timeout', '300ms');
  });

  test('it closes the connection', async () => {
    using server = await strangeServer((socket) => socket.once('data', () => socket.destroy()));
    await expectFailure(server.address, 'unreachable', /closed the connection at the first request|was reset/);
  });

  test('it speaks TLS', async () => {
    using server = await strangeServer((socket) => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 70])));
    await expectFailure(server.address, 'tls', /expects TLS\nuse a PLAINTEXT listener/);
  });

  test('it speaks HTTP', async () => {
    using server = await strangeServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expectFailure(server.address, 'unreachable', /this is a web server\ngive the port of the broker's Kafka listener/);
  });

  test('it tells clients an address that leads nowhere', async () => {
    const misled = await cli.start('--memory', '--set', 'advertised.listeners=PLAINTEXT://localhost:1', '--topic', 't');
    const { code, stderr } = await cli.run(['topic', 'describe', 't', '-b', misled.bootstrap, '--json-errors']);
    assert.equal(code, 5);
    assert.deepEqual(JSON.parse(stderr), {
      error: {
        code: 'advertised-address',
        message: `the broker at ${misled.bootstrap} tells clients to connect to localhost:1, and that does not lead to it: connection refused, nothing listens on this port`,
        fix: [`set advertised.listeners of the broker to an address that this machine reaches, such as PLAINTEXT://${misled.bootstrap}`],
        exitCode: 5,
      },
    });
    assert.equal((await cli.run(['topic', 'list', '-b', misled.bootstrap])).code, 0, 'what any broker can say needs no other address');
  });
});

test('the first broker of several that answers is enough', async () => {
  const { code, stderr } = await cli.run(['topic', 'list', '-b', `localhost:1,${broker.bootstrap}`]);
  assert.equal(code, 0, stderr);
});
