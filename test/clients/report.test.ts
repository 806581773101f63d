import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checks, checksUpTo } from './checks.ts';
import { closingLine, parseSuiteLine, resultLine, SuiteRecord } from './report.ts';
import { apiName, FrameHeads } from './wire-log.ts';

function recordOf(due: readonly string[], lines: readonly string[]): SuiteRecord {
  const record = new SuiteRecord(due);
  for (const [index, line] of lines.entries()) record.take(line, index * 10);
  return record;
}

test('a line of a suite is told from what its client prints beside it', () => {
  assert.deepEqual(parseSuiteLine('client kafkajs 2.2.4'), { kind: 'client', name: 'kafkajs', version: '2.2.4' });
  assert.deepEqual(parseSuiteLine('not ok - bulk: offset 7: should be 8'), {
    kind: 'result',
    check: 'bulk',
    outcome: 'failed',
    why: 'offset 7: should be 8',
  });
  assert.deepEqual(parseSuiteLine('ok - a sentence of its own'), { kind: 'result', check: 'a sentence of its own', outcome: 'passed' });
  assert.deepEqual(parseSuiteLine('okay then'), { kind: 'other' });
});

test('a suite that answers every check and says it is done adds no failure', () => {
  const record = recordOf(['bulk', 'gzip'], ['client x 1', 'running bulk', 'ok - bulk', 'cannot - gzip: no zlib', 'done']);
  assert.deepEqual(record.finish('exit code 0'), []);
  assert.equal(closingLine(record.results), '1 passed, 0 failed');
  assert.equal(record.results[0]?.ms, 10);
});

test('a result has the level of its check, or the level that its suite announced', () => {
  const record = recordOf(['gzip'], ['client x 1', 'level 2', 'ok - gzip', 'ok - a sentence of its own', 'done']);
  assert.deepEqual(
    record.results.map(({ level }) => level),
    [1, 2],
  );
});

test('a check without an answer is a failure, whatever the exit code of its suite', () => {
  const record = recordOf(['bulk', 'gzip', 'lz4'], ['client x 1', 'ok - bulk', 'running gzip', 'done']);
  assert.deepEqual(
    record.finish('exit code 0').map(({ check, outcome, why }) => [check, outcome, why]),
    [
      ['gzip', 'failed', 'the suite ended in the middle of it: exit code 0'],
      ['lz4', 'failed', 'the suite ended without an answer: exit code 0'],
    ],
  );
  assert.equal(closingLine(record.results), '1 passed, 2 failed');
});

test('a suite that ends without its last line has failed even if all its checks have passed', () => {
  const record = recordOf(['bulk'], ['client x 1', 'ok - bulk']);
  assert.equal(record.finish('signal SIGSEGV').length, 1);
  assert.equal(closingLine(record.results), '1 passed, 1 failed');
});

test('a result is told in the sentence of its check', () => {
  assert.equal(resultLine('kafkajs', { check: 'gzip', outcome: 'passed', ms: 3 }), `ok - kafkajs ${checks.gzip.says} (3 ms)`);
});

test('each level holds the checks of the levels below it', () => {
  assert.ok(checksUpTo(1).includes('bulk'));
  assert.ok(!checksUpTo(1).includes('idempotent'));
  assert.deepEqual(checksUpTo(3), Object.keys(checks));
});

test('the wire log finds the head of every request, however the bytes are cut', () => {
  const frame = (apiKey: number, bodyBytes: number): Buffer => {
    const bytes = Buffer.alloc(4 + bodyBytes);
    bytes.writeInt32BE(bodyBytes, 0);
    bytes.writeInt16BE(apiKey, 4);
    return bytes;
  };
  const stream = Buffer.concat([frame(18, 20), frame(0, 1_000), frame(1, 8), frame(3, 9)]);
  for (const cut of [1, 3, 7, 500, stream.length]) {
    const seen: string[] = [];
    const heads = new FrameHeads(8, (head) => seen.push(apiName(head.readInt16BE(0))));
    for (let at = 0; at < stream.length; at += cut) heads.push(stream.subarray(at, at + cut));
    assert.deepEqual(seen, ['ApiVersions', 'Produce', 'Fetch', 'Metadata'], `cut into pieces of ${cut} bytes`);
  }
});
