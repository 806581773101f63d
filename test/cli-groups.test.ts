// `bucketrider group ...` and `consume -g` against a broker of the same program: what is printed, in which form, and with
// which exit code. Outputs and exit codes are an interface; a change here is a change for scripts.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { buildCommandLine, type Ended } from './cli.testing.ts';

const cli = await buildCommandLine('cli-groups');
const topics = ['orders:2', 'users:1', 'live:2', 'counted:1', 'pipe:1', 'modern:1'];
const delay = ['--set', 'group.initial.rebalance.delay.ms=0'];
const broker = await cli.start('--memory', ...delay, ...topics.flatMap((topic) => ['--topic', topic]));
const env = { KAFKA_BROKERS: broker.bootstrap };

const run = (...words: string[]): Promise<Ended> => cli.run(words, { env });

async function ok(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  assert.equal(code, 0, stderr);
  return stdout;
}

const jsonOf = async (...words: string[]): Promise<unknown> => JSON.parse(await ok(...words, '-o', 'json'));

/** Timestamps of long ago, so that what is behind is so by a known length of time. */
const WRITTEN_MS = Date.UTC(2026, 0, 1);

for (const [topic, partition, count] of [
  ['orders', 0, 5],
  ['orders', 1, 3],
  ['users', 0, 1],
] as const) {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ value: `${topic}-${partition}-${index}`, partition, timestamp: WRITTEN_MS + index * 60_000 }),
  );
  const { code, stderr } = await cli.run(['produce', topic, '--json', '-q'], { env, input: `${lines.join('\n')}\n` });
  assert.equal(code, 0, stderr);
}

/** A group that has committed these offsets, and has no members. */
async function groupAt(group: string, ...offsets: string[]): Promise<void> {
  const file = join(cli.folder(), 'offsets.csv');
  writeFileSync(file, `${offsets.join('\n')}\n`);
  await ok(
    'group',
    'reset',
    group,
    '--to',
    `file:${file}`,
    '--execute',
    '-q',
    ...offsets.flatMap((line) => ['--topic', line.split(',')[0] ?? '']),
  );
}

suite('bucketrider group', { concurrency: 3 }, () => {
  test('a group with offsets is listed and described in every form', async () => {
    await groupAt('forms', 'orders,0,2', 'orders,1,3');
    assert.equal(await ok('group', 'list', 'forms'), 'GROUP  TYPE     STATE  PROTOCOL\nforms  classic  Empty  -\n');
    assert.match(await ok('groups', 'ls', '--regex', 'form.', '-o', 'wide'), /^GROUP {2}TYPE {5}STATE {2}PROTOCOL {2}COORDINATOR\nforms /);
    assert.equal(await ok('group', 'list', '--regex', 'form.', '-o', 'name'), 'forms\n');
    assert.deepEqual(await jsonOf('group', 'list', 'forms'), [
      { groupId: 'forms', type: 'classic', state: 'Empty', protocolType: '', coordinator: 1 },
    ]);
    const [host, port] = broker.bootstrap.split(':');
    assert.match(
      await ok('group', 'describe', 'forms'),
      new RegExp(
        [
          '^group        forms',
          'state        Empty',
          'type         classic',
          `coordinator  1 \\(${broker.bootstrap}\\)`,
          'members      0',
          'lag          3 records, \\d+d(\\d+h)?',
          '',
          'TOPIC   PARTITION  COMMITTED  END  LAG  TIME-LAG +MEMBER',
          'orders  0          2          5    3    \\d+d\\S* +-',
          'orders  1          3          3    0    0 +-\n$',
        ].join('\n'),
      ),
    );
    const [group] = (await jsonOf('group', 'describe', 'forms')) as { lagTimeMs: number; partitions: { lagTimeMs: number }[] }[];
    const ageMs = Date.now() - (WRITTEN_MS + 2 * 60_000);
    assert.ok(group !== undefined && Math.abs(ageMs - group.lagTimeMs) < 60_000, 'as old as the record at offset 2');
    const shared = { topic: 'orders', committedMetadata: '', logStartOffset: 0, memberId: null, clientId: null };
    assert.deepEqual(
      { ...group, lagTimeMs: 1, partitions: group.partitions.map((one) => ({ ...one, lagTimeMs: Math.min(one.lagTimeMs, 1) })) },
      {
        groupId: 'forms',
        state: 'Empty',
        type: 'classic',
        protocolType: '',
        assignor: null,
        groupEpoch: null,
        assignmentEpoch: null,
        coordinator: { nodeId: 1, host, port: Number(port) },
        lag: 3,
        lagTimeMs: 1,
        members: [],
        partitions: [
          { ...shared, partition: 0, committedOffset: 2, endOffset: 5, lag: 3, lagTimeMs: 1 },
          { ...shared, partition: 1, committedOffset: 3, endOffset: 3, lag: 0, lagTimeMs: 0 },
        ],
      },
    );
    assert.equal(
      await ok('group', 'describe', '--group', 'forms', '--state'),
      (await ok('group', 'describe', 'forms')).split('\n\n')[0] + '\n',
    );
  });

  test('reset shows what would change, and changes nothing before --execute', async () => {
    await groupAt('dry', 'orders,0,2', 'orders,1,3');
    const shown = await run('group', 'reset', 'dry', '--to', 'start');
    assert.deepEqual(
      [shown.code, shown.stdout, shown.stderr],
      [
        0,
        [
          'TOPIC   PARTITION  BEFORE  AFTER  CHANGE  STATUS',
          'orders  0          2       0      -2      would change',
          'orders  1          3       0      -3      would change',
          '',
        ].join('\n'),
        'nothing was changed; --execute does it\n',
      ],
    );
    assert.equal(await ok('group', 'reset', 'dry', '--to', 'current', '-o', 'csv', '-q'), 'orders,0,2\norders,1,3\n', 'it is as it was');
    assert.deepEqual(await jsonOf('group', 'reset', 'dry', '--to', '+2', '--topic', 'orders:0,1', '--execute'), [
      {
        groupId: 'dry',
        topic: 'orders',
        partition: 0,
        before: 2,
        after: 4,
        logStartOffset: 0,
        endOffset: 5,
        status: 'changed',
        note: null,
        error: null,
      },
      {
        groupId: 'dry',
        topic: 'orders',
        partition: 1,
        before: 3,
        after: 3,
        logStartOffset: 0,
        endOffset: 3,
        status: 'unchanged',
        note: 'past the end',
        error: null,
      },
    ]);
  });

  test('reset takes ends, offsets, times, other groups and files, and the flags of Kafka’s tool', async () => {
    await groupAt('source', 'orders,0,4', 'users,0,1');
    const after = async (...flags: string[]): Promise<string> =>
      (await ok('group', 'reset', 'places', ...flags, '-o', 'csv', '-q')).trim().replaceAll('\n', ' ');
    await groupAt('places', 'orders,0,2');
    assert.equal(await after('--to', 'end', '--topic', 'orders', '--topic', 'users'), 'orders,0,5 orders,1,3 users,0,1');
    assert.equal(await after('--to-latest', '--all-topics'), 'orders,0,5');
    assert.equal(await after('--to', '1'), 'orders,0,1');
    assert.equal(await after('--shift-by', '-1'), 'orders,0,1');
    assert.equal(await after('--to', `@${WRITTEN_MS + 3 * 60_000}`), 'orders,0,3');
    assert.equal(await after('--to-datetime', '2026-01-01T00:01:30.000'), 'orders,0,2');
    assert.equal(await after('--to', 'group:source'), 'orders,0,4 users,0,1');
    assert.equal(await after('--to', 'group:source', '--topic', 'users'), 'users,0,1');
  });

  test('what one reset exports another reads, for several groups too', async () => {
    await groupAt('kept-1', 'orders,0,2');
    await groupAt('kept-2', 'orders,0,3', 'users,0,1');
    const file = join(cli.folder(), 'kept.csv');
    writeFileSync(file, await ok('group', 'reset', '--regex', 'kept-.', '--to', 'current', '--export', '-q'));
    assert.equal(readFileSync(file, 'utf8'), 'kept-1,orders,0,2\nkept-2,orders,0,3\nkept-2,users,0,1\n');
    await ok('group', 'reset', 'kept-1', 'kept-2', '--to', 'start', '--execute', '-q');
    assert.equal(
      await ok('group', 'reset', '--from-file', file, '--execute', '-q'),
      [
        'GROUP   TOPIC   PARTITION  BEFORE  AFTER  CHANGE  STATUS',
        'kept-1  orders  0          0       2      +2      changed',
        'kept-2  orders  0          0       3      +3      changed',
        'kept-2  users   0          0       1      +1      changed',
        '',
      ].join('\n'),
    );
  });

  test('reset makes a group of topics that are named, and of nothing else', async () => {
    const unnamed = await run('group', 'reset', 'new', '--to', 'start');
    assert.equal(unnamed.code, 3);
    assert.match(unnamed.stderr, /^bucketrider: there is no group new\n {2}.*--topic NAME makes a group that begins there\n$/);
    const made = await run('group', 'reset', 'new', '--to', 'start', '--topic', 'users', '--execute');
    assert.deepEqual([made.code, made.stderr], [0, 'bucketrider: there is no group new yet\n']);
    assert.equal(await ok('group', 'list', 'new', '-o', 'name'), 'new\n');
    assert.equal((await run('group', 'reset', 'new', '--to', 'start', '--topic', 'absent')).code, 3);
    assert.equal((await run('group', 'reset', 'new', '--to', 'start', '--topic', 'users:7')).code, 3);
  });

  test('what does not exist ends with 3, what cannot be understood with 2', async () => {
    await groupAt('there', 'users,0,1');
    for (const [words, code, message] of [
      [['group', 'describe', 'absent'], 3, /^bucketrider: there is no group absent\n {2}bucketrider group list shows what there is\n$/],
      [['group', 'describe', 'absent', 'there', '-o', 'name'], 6, /there is no group absent/],
      [['group', 'list', 'absent'], 3, /there is no group absent/],
      [['group', 'reset', 'there', '--to', 'group:absent'], 3, /group absent has committed nothing that could be copied/],
      [['group', 'reset', 'there'], 2, /--to says where to read on, and it is missing/],
      [['group', 'reset', 'there', '--to', 'middle'], 2, /--to: 'middle' is no place to read on/],
      [['group', 'reset', 'there', '--to', 'file:/no/such/file'], 2, /cannot read \/no\/such\/file/],
      [['group', 'reset', '--to', 'start'], 2, /no group is named/],
      [['group', 'reset', 'there', '--to', 'start', '--dry-run', '--execute'], 2, /say the opposite/],
      [['group', 'list', '-o', 'xml'], 2, /-o takes one of/],
      [['group', 'lits'], 2, /unknown command 'lits'/],
    ] as const) {
      const ended = await run(...words);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    }
    assert.deepEqual([(await run('group', 'list', '--state', 'Dead')).stderr], ['no group matches\n']);
  });

  test('delete does nothing unasked, and says of each group what became of it', async () => {
    await groupAt('gone-1', 'users,0,1');
    await groupAt('gone-2', 'users,0,1');
    const unasked = await run('group', 'delete', 'gone-1');
    assert.deepEqual([unasked.code, unasked.stdout], [2, '']);
    assert.match(unasked.stderr, /^bucketrider: Delete group gone-1, with all committed offsets\? Nobody can be asked here\n {2}say --yes/);
    assert.equal(
      await ok('group', 'delete', '--regex', 'gone-.', '--dry-run'),
      'GROUP   STATUS\ngone-1  would be deleted\ngone-2  would be deleted\n',
    );
    const partly = await run('group', 'rm', 'gone-1', 'gone-3', '--yes');
    assert.deepEqual(
      [partly.code, partly.stdout, partly.stderr],
      [
        6,
        'GROUP   STATUS\ngone-3  failed\ngone-1  deleted\n',
        'bucketrider: there is no group gone-3\n  bucketrider group list shows what there is\n',
      ],
    );
    assert.deepEqual(await jsonOf('group', 'delete', 'gone-3', '--if-exists', '--yes'), [
      { groupId: 'gone-3', status: 'absent', error: null },
    ]);
    assert.equal(await ok('group', 'delete', 'gone-2', '-y', '-o', 'name'), 'gone-2\n');
    assert.equal((await run('group', 'list', 'gone-2')).code, 3);
  });

  test('delete-offsets makes a group forget what is named, and nothing else', async () => {
    await groupAt('forgets', 'orders,0,1', 'orders,1,2', 'users,0,1');
    assert.equal((await run('group', 'delete-offsets', 'forgets', '--topic', 'orders:1')).code, 2, 'nobody can be asked');
    assert.equal(
      await ok('group', 'delete-offsets', 'forgets', '--topic', 'orders:1', '--topic', 'users', '--yes'),
      'TOPIC   PARTITION  COMMITTED  STATUS\norders  1          2          deleted\nusers   0          1          deleted\n',
    );
    assert.equal(await ok('group', 'reset', 'forgets', '--to', 'current', '-o', 'csv', '-q'), 'orders,0,1\n');
    assert.equal((await run('group', 'delete-offsets', 'forgets', '--topic', 'users', '--yes')).code, 3);
    assert.equal((await run('group', 'delete-offsets', 'forgets', '--yes')).code, 2);
  });

  test('check says with its exit code whether a group keeps up', async () => {
    await groupAt('behind', 'orders,0,2', 'orders,1,3');
    assert.equal(await ok('group', 'check', 'behind', '--max-lag', '3', '-o', 'name'), 'behind\n');
    const lag = await run('group', 'check', 'behind', '--max-lag', '2');
    assert.equal(lag.code, 7);
    assert.match(lag.stdout, /^GROUP {3}STATE {2}LAG {2}TIME-LAG +CHECK\nbehind {2}Empty {2}3 {4}\S+ +lag 3 is above 2\n$/);
    assert.equal(lag.stderr, 'bucketrider: group behind: lag 3 is above 2\n');
    const late = await run('group', 'check', 'behind', '--max-lag-time', '1h', '-o', 'json');
    assert.equal(late.code, 7);
    const [told] = JSON.parse(late.stdout) as {
      groupId: string;
      state: string;
      memberCount: number;
      lag: number;
      ok: boolean;
      reasons: string[];
    }[];
    assert.ok(told !== undefined);
    assert.deepEqual([told.groupId, told.state, told.memberCount, told.lag, told.ok], ['behind', 'Empty', 0, 3, false]);
    assert.match(told.reasons.join(), /^time lag \d+d\S* is above 1h$/);
    assert.equal((await run('group', 'check', 'behind', 'absent', '--max-lag', '9')).code, 6);
    assert.equal((await run('group', 'check', 'absent', '--max-lag', '9')).code, 3);
    assert.equal((await run('group', 'check', 'behind')).code, 2);
  });

  test('watch writes a line of JSON each time, and ends with 130 when it is interrupted', async () => {
    await groupAt('watched', 'users,0,0');
    const lines = (await ok('group', 'watch', 'watched', '--interval', '100ms', '-n', '2')).trim().split('\n');
    const seen = lines.map((line) => JSON.parse(line) as { timestamp: number; groups: { groupId: string; lag: number }[] });
    assert.deepEqual(
      seen.map(({ groups }) => groups.map(({ groupId, lag }) => [groupId, lag])),
      [[['watched', 1]], [['watched', 1]]],
    );
    assert.ok((seen[1]?.timestamp ?? 0) - (seen[0]?.timestamp ?? 0) >= 100);
    const watching = cli.spawn(['group', 'watch', 'watched', '--interval', '1h'], { env });
    await watching.printed(/"watched"/);
    watching.child.kill('SIGINT');
    const { code, signal, stderr } = await watching.ended;
    assert.deepEqual([code, signal, stderr], [130, null, '']);
    assert.equal((await run('group', 'watch', 'absent')).code, 3);
  });
});

suite('bucketrider consume -g', { concurrency: 3 }, () => {
  test('a group reads on where it has read to, and commits what was printed', async () => {
    const counted = Array.from({ length: 10 }, (_, index) => `${index}\n`).join('');
    await cli.run(['produce', 'counted', '-q'], { env, input: counted });
    assert.equal(await ok('consume', 'counted', '-g', 'counting', '-n', '3'), '0\n1\n2\n');
    assert.equal(await ok('group', 'reset', 'counting', '--to', 'current', '-o', 'csv', '-q'), 'counted,0,3\n');
    assert.equal(await ok('consume', 'counted', '--group', 'counting', '-e', '-f', '%o '), '3 4 5 6 7 8 9 ');
    assert.equal(await ok('consume', 'counted', '-g', 'counting', '-e'), '');
    assert.equal(await ok('consume', 'counted', '-g', 'from-end', '-o', 'end', '-e'), '');
    assert.equal(await ok('group', 'check', 'counting', 'from-end', '--max-lag', '0', '-o', 'name'), 'counting\nfrom-end\n');
  });

  test('members share a topic, are shown, keep others from their offsets, and leave when they are interrupted', async () => {
    const first = cli.spawn(['consume', 'live', '-g', 'sharing', '-X', 'client.id=first', '--commit-interval', '100ms'], { env });
    const second = cli.spawn(['consume', 'live', '-g', 'sharing', '-X', 'client.id=second', '--commit-interval', '100ms'], { env });
    const watching = cli.spawn(['group', 'watch', 'sharing', '--regex', '--interval', '100ms'], { env });
    await watching.printed(
      /"state":"Stable".*"clientId":"first".*"clientId":"second".*|"state":"Stable".*"clientId":"second".*"clientId":"first".*/,
    );
    const members = (await jsonOf('group', 'describe', 'sharing')) as {
      members: { clientId: string; assignment: { partitions: number[] }[] }[];
    }[];
    assert.deepEqual(
      members[0]?.members
        .map(({ clientId, assignment }) => [clientId, assignment.flatMap(({ partitions }) => partitions).length])
        .toSorted(),
      [
        ['first', 1],
        ['second', 1],
      ],
    );
    for (const [partition, text] of ['a', 'b'].entries())
      await cli.run(['produce', 'live', '-p', String(partition), '-q'], { env, input: `${text}\n` });
    await Promise.all([first.printed(/^[ab]\n/), second.printed(/^[ab]\n/)]);

    const reset = await run('group', 'reset', 'sharing', '--to', 'start', '--topic', 'live', '--execute');
    assert.deepEqual([reset.code, reset.stdout], [1, '']);
    assert.match(
      reset.stderr,
      /^bucketrider: group sharing is Stable with 2 members \((first|second) at 127\.0\.0\.1, (first|second) at 127\.0\.0\.1\): its offsets can only be reset while nobody reads\n {2}stop its consumers, then try again; bucketrider group describe sharing shows them\n$/,
    );
    const shown = await run('group', 'reset', 'sharing', '--to', 'start', '--topic', 'live');
    assert.equal(shown.code, 0, 'what it would do may be looked at');
    const deleted = await run('group', 'delete', 'sharing', '--yes', '--json-errors');
    assert.equal(deleted.code, 1);
    assert.equal((JSON.parse(deleted.stderr) as { error: { code: string } }).error.code, 'NON_EMPTY_GROUP');
    await watching.printed(/"lag":0,[^\n]*"committedOffset":1[^\n]*"committedOffset":1/);
    const forgotten = await run('group', 'delete-offsets', 'sharing', '--topic', 'live', '--yes');
    assert.equal(forgotten.code, 1);
    assert.match(forgotten.stderr, /GROUP_SUBSCRIBED|subscribed to the topic\n {2}stop its consumers first/);

    for (const { child } of [first, second, watching]) child.kill('SIGINT');
    for (const { ended } of [first, second, watching]) {
      const { code, signal, stderr } = await ended;
      assert.deepEqual([code, signal, stderr], [130, null, '']);
    }
    assert.match(await ok('group', 'describe', 'sharing', '--offsets'), /\nmembers {6}0\nlag {10}0 records\n/);
  });

  test('a member of the consumer protocol reads and commits as any other, and describe tells of its epochs', async () => {
    await cli.run(['produce', 'modern', '-q'], { env, input: 'a\nb\nc\n' });
    const words = ['consume', 'modern', '-g', 'modern-readers', '--group-protocol', 'consumer'];
    assert.equal(await ok(...words, '-n', '2'), 'a\nb\n');
    assert.equal(await ok(...words, '-e'), 'c\n');
    const [group] = (await jsonOf('group', 'describe', 'modern-readers')) as {
      type: string;
      state: string;
      assignor: string;
      groupEpoch: number;
      lag: number;
    }[];
    assert.deepEqual([group?.type, group?.state, group?.assignor, group?.lag], ['consumer', 'Empty', 'uniform', 0]);
    assert.ok((group?.groupEpoch ?? 0) > 0);
    assert.equal(await ok('group', 'reset', 'modern-readers', '--to', 'start', '--execute', '-o', 'csv'), 'modern,0,0\n');
    assert.equal(await ok('group', 'delete', 'modern-readers', '--yes', '-o', 'name'), 'modern-readers\n');
  });

  test('whoever stops reading our output ends it, and the group is left in order', async () => {
    await cli.run(['produce', 'pipe', '-q'], { env, input: 'x\n'.repeat(10_000) });
    const reader = cli.spawn(['consume', 'pipe', '-g', 'piped'], { env });
    reader.child.stdout?.destroy();
    const { code, stderr } = await reader.ended;
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(await ok('group', 'describe', 'piped', '--state'), /\nstate {8}Empty\n[^]*members {6}0\n/);
  });

  test('what a group cannot do is refused', async () => {
    for (const [words, code, message] of [
      [['consume', 'live', '-g', 'x', '-p', '0'], 2, /the group says which partitions are read/],
      [['consume', 'live', '-g', 'x', '-o', '5'], 2, /a group reads on where it has read to/],
      [['consume', 'live', '-g', ''], 2, /-g takes the name of a group/],
      [['consume', 'live', '-g', 'x', '--group-protocol', 'modern'], 2, /--group-protocol takes classic or consumer/],
      [['consume', 'live', '-g', 'x', '--session-timeout', '1ms'], 1, /group\.min\.session\.timeout\.ms/],
      [['consume', 'absent', '-g', 'x'], 3, /there is no topic absent/],
    ] as const) {
      const ended = await run(...words);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    }
  });
});
