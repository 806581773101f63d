// `bucketrider start` as people and scripts see it: the built program, its output and its exit codes.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { suite, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { makeRealNetwork } from '../src/base/real/network.ts';
import { Connection } from '../src/client/connection.ts';
import { metadataRequest, metadataResponse } from '../src/protocol/messages/metadata.ts';
import { buildCommandLine } from './cli.testing.ts';

const cli = await buildCommandLine('cli-start');

async function connect(bootstrap: string): Promise<Connection> {
  const [, port] = /:(\d+)$/.exec(bootstrap) ?? [];
  return Connection.connect({ network: makeRealNetwork(), host: '127.0.0.1', port: Number(port), clientId: 'test' });
}

async function topicsOf(bootstrap: string): Promise<Map<string | null, number>> {
  const connection = await connect(bootstrap);
  const body = { topics: null, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false };
  const { topics } = await connection.request({ request: metadataRequest, response: metadataResponse }, 12, body);
  connection.close();
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
}

suite('bucketrider start', { concurrency: 3 }, () => {
  test('says where it listens, where the data is, what an ack promises and what to type next, and stops with 0', async () => {
    const data = join(cli.folder(), 'data');
    const broker = await cli.start('--data', data);
    broker.child.kill('SIGTERM');
    const { code, stdout, stderr } = await broker.ended;
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const { bootstrap } = broker;
    assert.match(bootstrap, /^localhost:\d+$/);
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };
    assert.equal(
      stdout.replace(/ready in {4}\d+ ms/, 'ready in    N ms'),
      [
        `bucketrider ${version}`,
        `  Kafka       ${bootstrap}`,
        `  data        ${data}`,
        '  durability  what is acknowledged is on the disk (synced before the answer)',
        '  ready in    N ms',
        '',
        'Next:',
        `  bucketrider topic create orders -p 3 -b ${bootstrap}`,
        `  echo 'hello' | bucketrider produce orders -b ${bootstrap}`,
        `  bucketrider consume orders --from-beginning -b ${bootstrap}`,
        '',
        `ready ${bootstrap}`,
        '',
      ].join('\n'),
    );
  });

  test('without a command it starts too, and --topic makes topics that are there on the next start', async () => {
    const data = join(cli.folder(), 'data');
    const words = ['--port', '0', '--data', data, '--topic', 'orders:3:retention.ms=1000:cleanup.policy=delete', '--topic', 'plain'];
    for (const expected of ['', /there already, with another number of partitions/]) {
      const broker = cli.spawn(expected === '' ? words : [...words, '--topic', 'orders:5']);
      const [, bootstrap = ''] = await broker.printed(/^ready (\S+)$/m);
      assert.deepEqual(
        await topicsOf(bootstrap),
        new Map([
          ['orders', 3],
          ['plain', 1],
        ]),
      );
      broker.child.kill('SIGINT');
      const { code, stderr } = await broker.ended;
      assert.equal(code, 0);
      if (typeof expected === 'string') assert.equal(stderr, expected);
      else assert.match(stderr, expected);
    }
  });

  test('how many topics have a weaker promise is said', async () => {
    const broker = await cli.start('--data', cli.folder(), '--topic', 'fast:1:flush.messages=1000', '--topic', 'safe:1');
    await broker.printed(/on the disk \(synced before the answer\); 1 topic has a weaker promise \(flush\.messages\)/);
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });

  test('--memory says that nothing is kept', async () => {
    const broker = await cli.start('--memory');
    await broker.printed(/data {8}in memory\n {2}durability {2}none: everything is gone when this process ends/);
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });

  test('settings come from a file, the environment and flags, and the later one wins', async () => {
    const file = join(cli.folder(), 'server.properties');
    writeFileSync(file, 'num.partitions=4\nlog.flush.interval.messages=10\nlisteners=PLAINTEXT://localhost:1\nnum.io.threads=8\n');
    const broker = cli.spawn(
      ['start', '--data', cli.folder(), '-c', file, '--port', '0', '--set', 'log.flush.interval.messages=20', '--topic', 't'],
      {
        env: { KAFKA_NUM_PARTITIONS: '5', KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: '15' },
      },
    );
    const [, bootstrap = ''] = await broker.printed(/^ready (\S+)$/m);
    assert.deepEqual(await topicsOf(bootstrap), new Map([['t', 5]]));
    await broker.printed(/synced after 20 records/);
    await broker.said(/"msg":"These settings of Kafka have no meaning here and are passed over: num\.io\.threads/);
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });

  test('what cannot be understood ends with 2 and says what to write instead', async () => {
    for (const [words, message] of [
      [['start', '--set', 'num.partition=3'], /there is no setting 'num\.partition'; did you mean num\.partitions\?/],
      [['start', '--set', 'num.partitions'], /--set takes key=value/],
      [['start', '--port', 'abc'], /--port takes a number from 0 to 65535, not 'abc'/],
      [['start', '--topic', ':3'], /--topic takes name:partitions\[:key=value\]/],
      [['start', '--port', '0', '--memory', '--topic', 'a:1:retention.ms=x'], /--topic a: .*retention\.ms/],
      [['start', '--memory', '--data', 'x'], /--data cannot go with it/],
      [['start', '--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
      [['strat'], /there is no command 'strat'\n {2}did you mean: bucketrider start/],
      [['start', '--memory', '--set', 'listeners=SSL://:0'], /listener SSL is to speak SSL, which is not built yet/],
    ] as const) {
      const { code, stdout, stderr } = await cli.run(words);
      assert.match(stderr, message);
      assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
      assert.equal(stdout, '');
    }
  });

  test('a port in use ends with 1 and says so', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await cli.run(['start', '--memory', '--port', String(port)]);
    server.close();
    assert.match(
      stderr,
      new RegExp(`port ${port} is in use by another process[^]*\\n {2}--port 9192 chooses another one, --port 0 a free one`),
    );
    assert.equal(code, 1);
  });

  test('-- CMD runs with KAFKA_BROKERS set, gets standard output for itself, and its exit code is the exit code', async () => {
    const program = 'console.log(process.env.KAFKA_BROKERS, process.argv[1]); process.exit(9)';
    const { code, stdout, stderr } = await cli.run(['--port', '0', '--memory', '--', process.execPath, '-e', program, 'version']);
    assert.match(stdout, /^localhost:\d+ version\n$/);
    assert.match(stderr, /^bucketrider .*\n {2}Kafka/);
    assert.equal(code, 9);
    const missing = await cli.run(['start', '--port', '0', '--memory', '--', 'no-such-program']);
    assert.match(missing.stderr, /cannot run 'no-such-program': there is no such command/);
    assert.equal(missing.code, 127);
  });

  test('a signal reaches the command first, and the broker stops after it', async () => {
    const program =
      "process.on('SIGTERM', () => { console.log('stopping'); process.exit(4) }); console.log('waiting'); setInterval(() => {}, 1e6)";
    const both = cli.spawn(['start', '--port', '0', '--memory', '--', process.execPath, '-e', program]);
    await both.printed(/waiting/);
    both.child.kill('SIGTERM');
    const { code, stdout } = await both.ended;
    assert.equal(stdout, 'waiting\nstopping\n');
    assert.equal(code, 4);
  });

  test('the second signal does not wait for anything', async () => {
    const program = "process.on('SIGINT', () => console.log('not yet')); console.log('waiting'); setInterval(() => {}, 1e6)";
    const both = cli.spawn(['start', '--port', '0', '--memory', '--', process.execPath, '-e', program]);
    await both.printed(/waiting/);
    both.child.kill('SIGINT');
    await both.printed(/not yet/);
    const insisting = setInterval(() => both.child.kill('SIGINT'), 50); // one that follows at once counts as the same
    const { code, signal } = await both.ended;
    clearInterval(insisting);
    assert.deepEqual([code, signal], [130, null]);
  });

  test('a Ctrl-C that npm hands on as well is one, and the stop is orderly', async () => {
    const broker = await cli.start('--memory');
    broker.child.kill('SIGINT');
    broker.child.kill('SIGINT');
    assert.equal((await broker.ended).code, 0);
  });

  test('a broker goes on when nobody reads its standard output any more', async () => {
    const broker = await cli.start('--memory', '--set', 'log.level=debug');
    broker.child.stdout?.destroy();
    broker.child.stderr?.destroy();
    assert.deepEqual(await topicsOf(broker.bootstrap), new Map());
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });
});

test('an old Node is told in one line what is missing', () => {
  const source = readFileSync(resolve(import.meta.dirname, '../src/cli/bin.cjs'), 'utf8').replace(/^#!.*/, '');
  const code = source.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '').replaceAll(/'[^']*'/g, "''");
  assert.doesNotMatch(code, /=>|`|\b(let|const|class|async|await|import|export)\b|\?\.|\?\?|\.\.\./, 'what Node 0.12 cannot parse');
  let said = '';
  const old = {
    versions: { node: '8.17.0' },
    version: 'v8.17.0',
    execPath: '/usr/bin/node',
    exitCode: 0,
    stderr: { write: (text: string) => (said += text) },
  };
  runInNewContext(source, { process: old, require: () => assert.fail('nothing may be loaded') });
  assert.equal(said, 'bucketrider needs Node 24 or newer, this is v8.17.0 (/usr/bin/node)\n');
  assert.equal(old.exitCode, 1);
});
