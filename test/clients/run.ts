// Drives a broker with real client libraries and counts what holds.
//
//   node test/clients/run.ts [SUITE ...] [--level 1|2|3] [--only CHECK,CHECK] [--bulk-records N] [--report FILE]
//     --brokers HOST:PORT   a broker that is running already, instead of the built program
//     --program FILE        another program with the flags and the ready line of `bucketrider start`,
//                           such as scripts/reference-kafka.ts
//     --set KEY=VALUE       handed on to the program
//     --trace               puts a wire log between clients and broker: what each client asked, in which version
//     --all                 every suite must run; without it, suites whose toolchain is absent are left out
//     --keep                leave the data directory behind
//
// A suite is a program. It is told through its environment what to do (KAFKA_BROKERS,
// CHECKS, LEVEL, TOPIC_PREFIX, SEED, BULK_RECORDS) and prints, one line each:
//   client NAME VERSION            first
//   running CHECK                  before a check
//   ok - CHECK | not ok - CHECK: why | cannot - CHECK: why the client has no means for it
//   done                           last
// A check is an id of checks.ts. Suites with checks of their own print sentences instead, `level N` before those of each
// level, no `running` and no `done`, and end with exit code 1 when any failed.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checksUpTo } from './checks.ts';
import { groupSettings } from './member.ts';
import { freePort, startProgram } from './program.ts';
import { type CheckResult, closingLine, count, resultLine } from './report.ts';
import { runSuiteProcess } from './suite-process.ts';
import { isOnPath, type SuiteDefinition, suites } from './suites.ts';
import { startWireLog } from './wire-log.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: 'string', default: '3' },
    only: { type: 'string' },
    'bulk-records': { type: 'string', default: '100000' },
    report: { type: 'string' },
    brokers: { type: 'string' },
    program: { type: 'string', default: 'dist/bin.cjs' },
    set: { type: 'string', multiple: true, default: [] },
    trace: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

// What was started ends with us, by `exit` listeners, which a signal alone would pass over.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

const root = resolve(import.meta.dirname, '../..');
const known = suites.map(({ name }) => name);
const unknown = positionals.find((name) => !known.includes(name));
if (unknown !== undefined) throw new Error(`there is no suite ${unknown}; there are ${known.join(', ')}`);
const asked = suites.filter(
  ({ name, ownChecks }) => (positionals.length === 0 || positionals.includes(name)) && !(flags.only && ownChecks),
);
const checks = flags.only?.split(',') ?? checksUpTo(Number(flags.level));

const missing = ({ needs }: SuiteDefinition): string[] => needs.filter((program) => !isOnPath(program));
const chosen = asked.filter((suite) => flags.all || positionals.length > 0 || missing(suite).length === 0);
for (const suite of asked)
  if (!chosen.includes(suite)) console.log(`# ${suite.name} is left out: ${missing(suite).join()} is not on this machine`);
for (const suite of chosen) {
  if (missing(suite).length > 0) throw new Error(`the suite ${suite.name} needs ${missing(suite).join()}`);
  suite.prepare?.();
}

const dataDirectory = mkdtempSync(join(tmpdir(), 'bucketrider-clients-'));
// Clients must come back through the wire log, so the broker has to advertise its port, and both must be known beforehand.
const [brokerPort, wireLogPort] = flags.trace ? [await freePort(), await freePort()] : [0, 0];
const program =
  flags.brokers === undefined
    ? await startProgram({
        file: resolve(root, flags.program),
        port: brokerPort,
        dataDirectory: join(dataDirectory, 'data'),
        settings: [...groupSettings, ...flags.set, ...(flags.trace ? [`advertised.listeners=PLAINTEXT://localhost:${wireLogPort}`] : [])],
      })
    : undefined;
if (program) console.log(`# ${flags.program} was ready after ${Math.round(program.readyMs)} ms`);
if (flags.trace && !program) throw new Error('--trace needs a program it can start with the address of the wire log');
const wireLog = flags.trace ? await startWireLog(wireLogPort, { host: 'localhost', port: brokerPort }) : undefined;
const bootstrap = flags.brokers ?? (wireLog ? `localhost:${wireLogPort}` : program!.bootstrap);

const runId = randomBytes(3).toString('hex'); // the broker may remember the topics of an earlier run
const reportLines: object[] = [];
const all: CheckResult[] = [];

function seenElsewhere(): string {
  const ended = program?.ended();
  const lines = [
    ...(ended === undefined ? [] : [`  the broker ended with ${ended}`]),
    ...(program ? [`  the last that the broker said:\n${program.lastLines()}`] : []),
    ...(wireLog ? wireLog.unanswered().map((line) => `  unanswered: ${line}`) : []),
  ];
  return lines.join('\n');
}

for (const suite of chosen) {
  const startedAt = performance.now();
  const environment = {
    KAFKA_BROKERS: bootstrap,
    LEVEL: flags.level,
    TOPIC_PREFIX: `${suite.name}-${runId}`,
    SEED: 'bucketrider',
    BULK_RECORDS: flags['bulk-records'],
  };
  const record = await runSuiteProcess({ suite, checks, environment, seenElsewhere, print: console.log });
  const ms = Math.round(performance.now() - startedAt);
  all.push(...record.results);
  const { client, version } = record;
  console.log(
    `# ${suite.name}: ${closingLine(record.results)}, ${count(record.results, 'cannot')} it cannot, with ${client} ${version} in ${ms} ms`,
  );
  const apis = wireLog?.takeUse();
  if (apis) console.log(`#   asked ${apis.map(({ api, version, count }) => `${api} v${version} x${count}`).join(', ')}`);
  for (const line of wireLog?.takeConnections() ?? []) console.log(`#   connection of ${line}`);
  reportLines.push({ kind: 'client', suite: suite.name, client, version, ms, ...(apis && { apis }) });
  for (const result of record.results) reportLines.push({ kind: 'check', suite: suite.name, ...result });
}

await wireLog?.close();
if (program) {
  const wrong = await program.stop();
  const result: CheckResult = {
    check: 'ends with exit code 0 after SIGTERM',
    ms: 0,
    ...(wrong === undefined ? { outcome: 'passed' } : { outcome: 'failed', why: wrong }),
  };
  console.log(resultLine('the broker', result));
  if (wrong !== undefined) console.log(program.lastLines());
  all.push(result);
  reportLines.push({ kind: 'check', suite: 'broker', ...result });
}
if (flags.keep) console.log(`# the data is in ${dataDirectory}`);
else rmSync(dataDirectory, { recursive: true, force: true });
if (flags.report !== undefined) writeFileSync(flags.report, reportLines.map((line) => `${JSON.stringify(line)}\n`).join(''));

console.log(closingLine(all));
process.exitCode = count(all, 'failed') === 0 && count(all, 'passed') > 0 ? 0 : 1;
