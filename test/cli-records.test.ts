// `bucketrider produce`, `consume` and `tail` against a broker of the same program: what goes in comes out, and how each of
// them ends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { suite, test } from 'node:test';
import { buildCommandLine, type Ended, type RunOptions } from './cli.testing.ts';

const cli = await buildCommandLine('cli-records');
const topics = [
  'keyed:4',
  'places:1',
  'json:1',
  'forms:2',
  'bounded:1:max.message.bytes=300',
  'left:1',
  'right:1',
  'live:1',
  'pipe:1',
  'many:3',
  'acks:1',
];
const broker = await cli.start('--memory', ...topics.flatMap((topic) => ['--topic', topic]));
const env = { KAFKA_BROKERS: broker.bootstrap };

const run = (words: readonly string[], options: RunOptions = {}): Promise<Ended> => cli.run(words, { env, ...options });

async function ok(words: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await run(words, { input });
  assert.equal(code, 0, stderr);
  return stdout;
}

const lines = (text: string): string[] => text.split('\n').slice(0, -1);

/** A broker that is reached through us alone, and how many bytes it has sent that way. */
async function countedBroker(...words: string[]): Promise<{ env: { KAFKA_BROKERS: string }; sentBytes: () => number } & AsyncDisposable> {
  let sentBytes = 0;
  let port = 0;
  const way = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    server.on('data', (chunk) => (sentBytes += chunk.length));
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(way, 'listening');
  const address = `127.0.0.1:${(way.address() as AddressInfo).port}`;
  const started = await cli.start('--memory', '--set', `advertised.listeners=PLAINTEXT://${address}`, ...words);
  port = Number(started.bootstrap.split(':').at(-1)); // where it listens, whatever it advertises
  const asyncDispose = async (): Promise<void> => {
    way.close();
    started.child.kill('SIGKILL');
    await started.ended;
  };
  return { env: { KAFKA_BROKERS: address }, sentBytes: () => sentBytes, [Symbol.asyncDispose]: asyncDispose };
}

suite('bucketrider produce and consume', { concurrency: 3 }, () => {
  test('every line is a record: with keys from the lines, headers, and the partition that Java would take', async () => {
    const input = '21:first\nfoobar:second\nno key\n21:third:with colon\n';
    const { code, stdout, stderr } = await run(
      ['produce', 'keyed', '-K', ':', '-H', 'source=test', '-H', 'flag', '-z', 'zstd', '-o', 'jsonl'],
      { input },
    );
    assert.deepEqual([code, /^4 records, \d+ B in \d+\.\d s to keyed\n$/.test(stderr)], [0, true], stderr);
    const [first] = lines(stdout).map(
      (line) => JSON.parse(line) as { topic: string; partition: number; offset: number; timestamp: number },
    );
    assert.ok(first !== undefined && first.timestamp > 1.7e12);
    assert.equal(lines(stdout).length, 4);
    const seen = lines(await ok(['consume', 'keyed', '-e', '-f', '%p %k|%v|%h\\n']));
    assert.deepEqual(seen.filter((line) => !line.includes('no key')).toSorted(), [
      '0 21|first|source=test,flag=NULL',
      '0 21|third:with colon|source=test,flag=NULL',
      '2 foobar|second|source=test,flag=NULL',
    ]);
    assert.match(seen.find((line) => line.includes('no key')) ?? '', /^\d \|no key\|source=test,flag=NULL$/);
  });

  test('-o of consume takes places and ranges, and values come out as they went in', async () => {
    await ok(['produce', 'places', '-q'], Array.from({ length: 20 }, (_, index) => `${index}\n`).join(''));
    const read = async (...flags: string[]): Promise<string> => lines(await ok(['consume', 'places', ...flags])).join(' ');
    assert.equal(await read('-e', '--from-beginning', '-n', '3'), '0 1 2');
    assert.equal(await read('-e', '-o', '-2'), '18 19');
    assert.equal(await read('-o', '5:8'), '5 6 7');
    assert.equal(await read('-o', '+17:end'), '17 18 19');
    assert.equal(await read('-o', '@1h:end', '--max-messages', '1'), '0');
    assert.equal(await read('-e', '-o', 'end'), '');
    const far = await run(['consume', 'places', '-e', '-o', '99']);
    assert.deepEqual([far.code, far.stdout], [0, '']);
    assert.equal(far.stderr, 'bucketrider: places/0 has offsets 0 to 20, not 99; reading begins at 20\n');
  });

  test('records as JSON go round: what consume writes, produce --json takes', async () => {
    const written = [
      '{"key":"a","value":"b","headers":[{"key":"h","value":"x"}],"timestamp":1000}',
      '{"value":null,"timestamp":2000}',
      '{"value":"//8=","valueEncoding":"base64","timestamp":3000}',
    ];
    await ok(['produce', 'json', '--json'], `${written.join('\n')}\n`);
    const first = await ok(['consume', 'json', '-e', '-o', 'jsonl']);
    const shape = { topic: 'json', partition: 0, timestampType: 'CreateTime' };
    assert.deepEqual(
      lines(first).map((line) => JSON.parse(line) as unknown),
      [
        { ...shape, offset: 0, timestamp: 1000, key: 'a', value: 'b', headers: [{ key: 'h', value: 'x' }] },
        { ...shape, offset: 1, timestamp: 2000, key: null, value: null, headers: [] },
        { ...shape, offset: 2, timestamp: 3000, key: null, value: '//8=', valueEncoding: 'base64', headers: [] },
      ],
    );
    await ok(['produce', 'json', '--json', '-q'], first);
    const second = await ok(['consume', 'json', '-o', '3:6', '--jsonl']);
    assert.equal(
      second.replaceAll(/"offset":(\d)/g, (_all, offset: string) => `"offset":${Number(offset) - 3}`),
      first,
    );
    const list = JSON.parse(await ok(['consume', 'json', '-n', '1', '--output', 'json'])) as { offset: number }[];
    assert.deepEqual(
      list.map(({ offset }) => offset),
      [0],
    );
    assert.equal(await ok(['consume', 'json', '-o', 'end', '-e', '-o', 'json']), '[]\n');
  });

  test('fixed keys, tombstones, a partition and another delimiter', async () => {
    await ok(['produce', 'forms', '-k', 'k', '-Z', '-p', '1', '-D', ';', '-q'], 'a;;b\nc');
    assert.equal(await ok(['consume', 'forms', '-e', '-p', '1', '-f', '%k=%v{json} ']), 'k="a" k=null k="b\\nc" ');
    assert.equal(await ok(['consume', 'forms', '-e', '-p', '0']), '');
    assert.match(
      await ok(['consume', 'forms', '-p', '1', '-n', '1', '-o', 'table']),
      /^TOPIC +PARTITION {2}OFFSET +TIME +KEY +VALUE\nforms +1 +0 +\d{4}-\S+Z {2}k +a\n$/,
    );
  });

  test('the summary of produce as JSON counts by partition', async () => {
    const summary = JSON.parse(await ok(['produce', 'many', '-p', '2', '-o', 'json'], 'a\nb\n')) as Record<string, unknown>;
    assert.equal(typeof summary['elapsedMs'], 'number');
    assert.deepEqual(
      { ...summary, elapsedMs: 0 },
      {
        topic: 'many',
        records: 2,
        bytes: 2,
        failedRecords: 0,
        elapsedMs: 0,
        partitions: [{ partition: 2, records: 2, firstOffset: 0, lastOffset: 1 }],
      },
    );
  });

  test('records are acknowledged by as many as --acks says', async () => {
    for (const acks of ['0', '1', 'all']) {
      const told = JSON.parse(await ok(['produce', 'acks', '--acks', acks, '-o', 'json'], `${acks}\n`)) as {
        partitions: { firstOffset: number | null }[];
      };
      assert.equal(told.partitions[0]?.firstOffset === null, acks === '0');
    }
    assert.equal(await ok(['consume', 'acks', '-e']), '0\n1\nall\n');
  });

  test('a record that the topic refuses ends it: with 1 when nothing was written, with 6 when some was', async () => {
    const large = 'x'.repeat(1000);
    const none = await run(['produce', 'bounded', '-q'], { input: `${large}\n` });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^bucketrider: 1 record was not written to bounded: /);
    const some = await run(['produce', 'bounded', '-q', '--json-errors'], { input: `small\n${large}\n` });
    assert.equal(some.code, 6);
    assert.equal((JSON.parse(some.stderr) as { error: { code: string } }).error.code, 'MESSAGE_TOO_LARGE');
    const broken = await run(['produce', 'bounded', '--json', '-q'], { input: '{"value":"good"}\nbad\n' });
    assert.equal(broken.code, 6);
    assert.match(broken.stderr, /^bucketrider: line 2 of the input: it is not JSON/);
    assert.equal(await ok(['consume', 'bounded', '-e']), 'small\ngood\n');
  });

  test('a topic that is not there is made by the first record, and not found by a reader', async () => {
    const { code, stderr } = await run(['produce', 'fresh'], { input: 'a\n' });
    assert.equal(code, 0);
    assert.match(stderr, /^bucketrider: the topic fresh was not there; the broker made it\n1 record, /);
    for (const words of [
      ['consume', 'absent'],
      ['tail', 'absent'],
      ['consume', 'fresh', '-p', '7'],
      ['produce', 'fresh', '-p', '7'],
    ])
      assert.equal((await run(words)).code, 3, words.join(' '));
  });

  test('what cannot be understood ends with 2', async () => {
    for (const [words, message] of [
      [['consume', 'places', '-o', 'middle'], /-o: 'middle' is no place in a topic/],
      [['consume', 'places', '-f', '%z'], /-f: %z means nothing/],
      [['consume', 'places', '--output', 'xml'], /--output takes one of value, table, json, jsonl, not 'xml'/],
      [['produce', 'places', '-z', 'zip'], /-z takes one of none, gzip, snappy, lz4, zstd, not 'zip'/],
      [['produce', 'places', '-k', 'a', '-K', ':'], /give one of them/],
    ] as const) {
      const { code, stderr } = await run(words);
      assert.match(stderr, message);
      assert.equal(code, 2, words.join(' '));
    }
  });

  test('consume follows the topic until it is interrupted, and ends with 130', async () => {
    const reader = cli.spawn(['consume', 'live'], { env });
    await ok(['produce', 'live', '-q'], 'one\n');
    await reader.printed(/^one\n/);
    await ok(['produce', 'live', '-q'], 'two\n');
    await reader.printed(/^one\ntwo\n/);
    reader.child.kill('SIGINT');
    const { code, signal, stderr } = await reader.ended;
    assert.deepEqual([code, signal, stderr], [130, null, '']);
  });

  test('what nobody reads yet of our output is not fetched either: tail and consume wait for a slow reader', async () => {
    const value = 'x'.repeat(500_000);
    const values = 50;
    for (const words of [
      ['tail', 'slow'],
      ['consume', 'slow'],
      ['consume', 'slow', '-g', 'slow-readers'],
    ]) {
      await using behind = await countedBroker('--topic', 'slow:1');
      const options = { env: behind.env };
      const reader = cli.spawn([...words, '-f', '%o %v\\n'], options);
      // It follows once it has written something.
      const first = reader.printed(/^\d+ first\n/);
      for (let seen: unknown; seen === undefined;) {
        const more = cli.run(['produce', 'slow', '-q'], { ...options, input: 'first\n' });
        seen = await Promise.race([first, more.then(() => undefined)]);
        assert.equal((await more).code, 0);
      }
      reader.child.stdout?.pause();
      const before = behind.sentBytes();
      assert.equal((await cli.run(['produce', 'slow', '-q'], { ...options, input: `${value}\n`.repeat(values) })).code, 0);
      // As long as it takes another to read all of it.
      const other = await cli.run(['consume', 'slow', '-e', '-f', '%o\\n'], options);
      assert.ok(lines(other.stdout).length > values);
      const fetched = behind.sentBytes() - before - values * value.length;
      assert.ok(fetched < 16_000_000, `${words.join(' ')} fetched ${fetched} bytes while nobody read`);
      await new Promise<void>((resolve) => {
        let bytes = 0;
        reader.child.stdout?.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > values * value.length) resolve();
        });
        reader.child.stdout?.resume();
      });
      reader.child.kill('SIGTERM');
      const { stdout } = await reader.ended;
      assert.equal(stdout.split('x'.repeat(1000)).length - 1, values * (value.length / 1000), words.join(' '));
    }
  });

  test('whoever stops reading our output ends it quietly', async () => {
    await ok(['produce', 'pipe', '-q'], 'x\n'.repeat(10_000));
    const reader = cli.spawn(['consume', 'pipe'], { env });
    reader.child.stdout?.destroy();
    const { code, stderr } = await reader.ended;
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('an interrupted produce delivers what it took, and ends with 130', async () => {
    const writer = cli.spawn(['produce', 'live2', '-o', 'jsonl'], { env });
    writer.child.stdin?.write('taken\n');
    await writer.printed(/"topic":"live2"/);
    writer.child.kill('SIGINT');
    const { code, stderr } = await writer.ended;
    assert.equal(code, 130);
    assert.match(stderr, /1 record, 5 B/);
  });

  test('tail begins at the end, interleaves topics by time, and can begin with the last records', async () => {
    for (const [topic, timestamps] of [
      ['left', [1, 3, 5]],
      ['right', [2, 4, 6]],
    ] as const)
      await ok(
        ['produce', topic, '--json', '-q'],
        timestamps.map((timestamp) => `{"value":"${timestamp}","timestamp":${timestamp}}\n`).join(''),
      );
    const follower = cli.spawn(['tail', 'left', 'right', '-n', '4', '-f', '%t %v\\n'], { env });
    await follower.printed(/^left 3\nright 4\nleft 5\nright 6\n$/);
    const fromEnd = cli.spawn(['tail', 'left'], { env });
    // It says nothing before it follows: records are written until it sees one, and it must not be an old one.
    let written = 10;
    const first = fromEnd.printed(/^.*\n/);
    for (let seen: unknown; seen === undefined;) {
      written += 1;
      const more = ok(['produce', 'left', '--json', '-q'], `{"key":"k","value":"new\\t${written}","timestamp":${written}}\n`);
      seen = await Promise.race([first, more.then(() => undefined)]);
      await more;
    }
    const [line] = await first;
    assert.match(line ?? '', /^1970-01-01 \d\d:\d\d:00\.01\d left\/0@\d+ {2}k {2}new\\t1\d\n$/);
    for (const one of [follower, fromEnd]) {
      one.child.kill('SIGTERM');
      assert.equal((await one.ended).code, 143);
    }
  });
});
