import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SuiteRecord } from './report.ts';
import { runSuiteProcess } from './suite-process.ts';

/** A suite that is one line of JavaScript. */
async function runScript(
  script: string,
  { checks = ['bulk'], ownChecks = false, silenceMs = 30_000 } = {},
): Promise<{ record: SuiteRecord; printed: string }> {
  const lines: string[] = [];
  const record = await runSuiteProcess({
    suite: { name: 'fake', needs: [], command: [process.execPath, '-e', script], ...(ownChecks && { ownChecks }) },
    checks,
    environment: { KAFKA_BROKERS: 'nowhere:1' },
    seenElsewhere: () => 'what the broker said',
    print: (line) => lines.push(line),
    silenceMs: () => silenceMs,
  });
  return { record, printed: lines.join('\n') };
}

test('a suite is told its checks and the broker by its environment, and its lines become results', async () => {
  const { record } = await runScript(
    `console.log('client it 1'); for (const id of process.env.CHECKS.split(',')) console.log('ok - ' + id); console.log('done')`,
    { checks: ['bulk', 'gzip'] },
  );
  assert.deepEqual(
    record.results.map(({ check, outcome }) => [check, outcome]),
    [
      ['bulk', 'passed'],
      ['gzip', 'passed'],
    ],
  );
  assert.equal(record.failed, false);
});

test('a suite that falls silent is ended, and the check it was in has failed', async () => {
  const { record, printed } = await runScript(`console.log('running bulk'); setInterval(() => {}, 1000)`, { silenceMs: 3_000 });
  assert.deepEqual(
    record.results.map(({ check, outcome, why }) => [check, outcome, why]),
    [['bulk', 'failed', 'the suite ended in the middle of it: nothing was said for 3000 ms']],
  );
  assert.match(printed, /what the broker said/);
  assert.match(printed, /running bulk/);
});

test('a suite that dies is a failure, with what it said last', async () => {
  const { record, printed } = await runScript(`console.log('ok - bulk'); throw new Error('the client crashed')`);
  assert.equal(record.failed, true);
  assert.match(printed, /the client crashed/);
});

test('a program that is not there is a failure, not an exception', async () => {
  const record = await runSuiteProcess({
    suite: { name: 'fake', needs: [], command: ['/nowhere/suite'] },
    checks: ['bulk'],
    environment: {},
    seenElsewhere: () => '',
    print: () => undefined,
  });
  assert.match(record.results[0]?.why ?? '', /did not start/);
});

test('a suite with checks of its own is believed only if its exit code agrees with its lines', async () => {
  const failedOf = async (script: string): Promise<boolean> => (await runScript(script, { ownChecks: true })).record.failed;
  assert.equal(await failedOf(`console.log('ok - it works')`), false);
  assert.equal(await failedOf(`console.log('ok - it works'); process.exit(1)`), true);
  assert.equal(await failedOf(`process.exit(0)`), true);
  const { record } = await runScript(`console.log('not ok - it works: no'); process.exit(1)`, { ownChecks: true });
  assert.deepEqual(
    record.results.map(({ check }) => check),
    ['it works'],
  );
});
