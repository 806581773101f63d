// Runs the checks a suite was given over its driver and prints one line for each: the whole of what the runner reads.
// See run.ts for the lines; a suite in another language prints the same ones.
import { timeoutOf, isCheckId } from './checks.ts';
import type { Driver } from './driver.ts';
import { scenarios } from './scenarios.ts';

/** What the runner tells a suite, through the environment: the one thing every language reads alike. */
export interface SuiteOrder {
  readonly brokers: string;
  readonly checks: readonly string[];
  readonly topicPrefix: string;
  readonly bulkRecords: number;
}

export function suiteOrder(): SuiteOrder {
  const get = (name: string): string => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`a suite is started by run.ts, which sets ${name}`);
    return value;
  };
  return {
    brokers: get('KAFKA_BROKERS'),
    checks: get('CHECKS').split(','),
    topicPrefix: get('TOPIC_PREFIX'),
    bulkRecords: Number(get('BULK_RECORDS')),
  };
}

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const oneLine = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll(/\s*\n\s*/g, ' | ');

/** A failure that took this long was a wait for an answer, whether the client gave up on it or we did. */
const longWaitMs = 15_000;
/** A broker that answers nothing would cost every check its whole time; after so many long waits the rest are not tried. */
const longWaitsAllowed = 2;

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`nothing came of it within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export async function runSuite(driver: Driver, order: SuiteOrder): Promise<void> {
  print(`client ${driver.client} ${driver.version}`);
  let longWaits = 0;
  for (const id of order.checks) {
    if (longWaits >= longWaitsAllowed) {
      print(`not ok - ${id}: not tried after ${longWaits} checks without an answer`);
      continue;
    }
    if (!isCheckId(id)) {
      print(`not ok - ${id}: this suite does not know the check`);
      continue;
    }
    const why = driver.cannot[id];
    if (why !== undefined) {
      print(`cannot - ${id}: ${why}`);
      continue;
    }
    print(`running ${id}`);
    const topic = (purpose?: string): string => [order.topicPrefix, id, purpose].filter((part) => part !== undefined).join('-');
    const startedAt = performance.now();
    try {
      await within(timeoutOf(id), scenarios[id]({ driver, topic, bulkRecords: order.bulkRecords, brokers: order.brokers }));
      print(`ok - ${id}`);
    } catch (thrown) {
      if (performance.now() - startedAt > longWaitMs) longWaits += 1;
      print(`not ok - ${id}: ${oneLine(thrown)}`);
      if (thrown instanceof Error && thrown.stack !== undefined) process.stderr.write(`${id}: ${thrown.stack}\n`);
    }
  }
  if (longWaits === 0) await within(timeoutOf('close'), driver.close());
  print('done');
  if (longWaits > 0) process.exit(1); // what hangs may hold the process
}
