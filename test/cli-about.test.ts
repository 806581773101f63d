// The commands that tell about a cluster and about the program itself: what is printed, and with which exit code.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { buildCommandLine, type Ended } from './cli.testing.ts';

const cli = await buildCommandLine('cli-about');
const broker = await cli.start('--memory', '--topic', 'orders:3');

const run = (...words: string[]): Promise<Ended> => cli.run(words, { env: { KAFKA_BROKERS: broker.bootstrap } });

suite('bucketrider cluster, version and completion', () => {
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

  test('the completion of bash knows commands and flags', async () => {
    const { code, stdout } = await run('completion', 'bash');
    assert.equal(code, 0);
    const completed = (words: string[], current: string): string[] => {
      const line = ['bucketrider', ...words, current].map((word) => `'${word}'`).join(' ');
      const script = `${stdout}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length + 1}; _bucketrider; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout: words_ } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
      return words_.split('\n').filter((word) => word !== '');
    };
    assert.deepEqual(completed([], 'pro'), ['produce']);
    assert.deepEqual(completed(['topic'], 'cr'), ['create']);
    assert.deepEqual(completed(['topic', 'create'], '--part'), ['--partitions']);
    assert.deepEqual(completed(['topic', 'create', 'orders', '-p', '3'], '--conf'), ['--config'], 'names and values are not the way');
    assert.deepEqual(completed(['group'], 'delete'), ['delete', 'delete-offsets']);
    assert.deepEqual(completed(['groups', 'reset'], '--ex'), ['--execute']);
    assert.deepEqual(completed(['consume'], '--gro'), ['--group', '--group-protocol']);
  });

  test('a shell without a completion is a usage error that names those there are', async () => {
    const { code, stdout, stderr } = await run('completion', 'tcsh');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /bash, zsh, fish/);
  });
});
