// Runs one suite as a process of its own and listens to its lines. A suite that falls silent is ended, and what was
// seen of it so far becomes the report of the failure.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { timeoutOf } from './checks.ts';
import { resultLine, SuiteRecord } from './report.ts';
import type { SuiteDefinition } from './suites.ts';
import { Tail } from './tail.ts';

/** A suite bounds its checks itself; this is how much later the runner stops believing in it. */
const graceMs = 15_000;

interface SuiteRun {
  readonly suite: SuiteDefinition;
  readonly checks: readonly string[];
  readonly environment: Record<string, string>;
  /** What the runner knows beside the suite's own lines, for the report of a suite that hangs. */
  readonly seenElsewhere: () => string;
  readonly print: (line: string) => void;
  /** How long a suite may say nothing while it runs a check, or between two. */
  readonly silenceMs?: (check: string) => number;
}

const defaultSilenceMs = (check: string): number => timeoutOf(check) + graceMs;

export async function runSuiteProcess({
  suite,
  checks,
  environment,
  seenElsewhere,
  print,
  silenceMs = defaultSilenceMs,
}: SuiteRun): Promise<SuiteRecord> {
  const record = new SuiteRecord(suite.ownChecks ? [] : checks);
  const tail = new Tail(40);
  const [command, ...args] = suite.command;
  // A process group of its own: a suite may start processes (kcat), and they must end with it.
  const child = spawn(command, args, {
    env: { ...process.env, ...environment, CHECKS: checks.join() },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const killGroup = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, 'SIGKILL');
  };
  process.on('exit', killGroup);

  let hung: string | undefined;
  let silence: NodeJS.Timeout | undefined;
  const expectMore = (): void => {
    clearTimeout(silence);
    const bound = silenceMs(record.running ?? 'start');
    silence = setTimeout(() => {
      hung = `nothing was said for ${bound} ms`;
      killGroup();
    }, bound);
  };

  const closed = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    tail.add(line);
    const result = record.take(line, performance.now());
    expectMore();
    if (!result) return;
    print(resultLine(suite.name, result));
    if (result.outcome === 'failed') print(seenElsewhere());
  });
  createInterface({ input: child.stderr }).on('line', (line) => tail.add(line));
  child.on('error', (error) => closed.resolve(`${command} did not start: ${error.message}`));
  child.on('close', (code, signal) => closed.resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  expectMore();

  const ending = await closed.promise;
  clearTimeout(silence);
  process.off('exit', killGroup);
  if (suite.ownChecks) record.done = record.results.length > 0 && ending === (record.failed ? 'exit code 1' : 'exit code 0');
  const unanswered = record.finish(hung ?? ending);
  for (const failure of unanswered) print(resultLine(suite.name, failure));
  if (record.failed) print(`  the last that ${suite.name} said:\n${tail.text()}\n${unanswered.length > 0 ? seenElsewhere() : ''}`);
  return record;
}
