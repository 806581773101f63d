// The commands that tell about a cluster and about the program itself: what is printed, and with which exit code.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildCommandLine, type Ended } from './cli.testing.ts';

const cli = await buildCommandLine('cli-about');
const broker = await cli.start('--memory', '--topic', 'orders:3');

const run = (...words: string[]): Promise<Ended> => cli.run(words, { env: { KAFKA_BROKERS: broker.bootstrap } });

suite('bucketrider cluster and version', () => {
  test('cluster info shows id, brokers and size, as a table and as JSON', async () => {
    const { code, stdout } = await run('cluster', 'info');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^cluster {5}[\w-]{22}\ntopics {6}1\npartitions {2}3\n\nBROKER {2}ADDRESS +RACK {2}CONTROLLER\n1 {7}localhost:\d+ +- {5}yes\n$/,
    );
    const json = JSON.parse((await run('cluster', 'info', '-o', 'json')).stdout) as Record<string, unknown>;
    assert.deepEqual(Object.keys(json), ['clusterId', 'controllerId', 'brokers', 'topicCount', 'partitionCount']);
    assert.deepEqual([json['controllerId'], json['topicCount'], json['partitionCount']], [1, 1, 3]);
  });

  test('a cluster that cannot be reached is exit code 5, with nothing on standard output', async () => {
    const { code, stdout, stderr } = await cli.run(['cluster', 'info', '-b', 'localhost:1'], { env: {} });
    assert.deepEqual([code, stdout], [5, '']);
    assert.match(stderr, /refused/);
  });

  test('version names the program and its runtime', async () => {
    const { code, stdout } = await run('version');
    assert.equal(code, 0);
    assert.match(stdout, /^bucketrider \d+\.\d+\.\d+ \(Node\.js v\d+\.\d+\.\d+\)\n$/);
  });
});
