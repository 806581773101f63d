// npm run examples: all five at once against a fresh broker in this process, or against the brokers that are named:
// npm run examples -- localhost:9092. They share two topics and get along, since each reads only what concerns it.
// Prints what each did and one closing line for each; the exit code is the number of wrong outcomes.
import { startBroker } from 'bucketrider';
import { auditLedger } from './audit-ledger.ts';
import type { Example } from './example.ts';
import { orderSaga } from './order-saga.ts';
import { sensorTelemetry } from './sensor-telemetry.ts';
import { topologyAudit } from './topology-audit.ts';
import { traceLog } from './trace-log.ts';

const examples: Readonly<Record<string, Example>> = {
  'order saga': orderSaga,
  'trace log': traceLog,
  'audit ledger': auditLedger,
  'sensor telemetry': sensorTelemetry,
  'topology audit': topologyAudit,
};
const LONGEST_MS = 30_000;

/** The closing line; `ok` or `not ok` and why. */
async function play(name: string, example: Example, brokers: string, lines: string[]): Promise<{ ok: boolean; line: string }> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not done after ${LONGEST_MS / 1000} s`)), LONGEST_MS);
  try {
    return { ok: true, line: `ok - ${name}: ${await Promise.race([example({ brokers, log: (line) => lines.push(line) }), late.promise])}` };
  } catch (error) {
    return { ok: false, line: `not ok - ${name}: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    clearTimeout(timer);
  }
}

await using broker = process.argv[2] === undefined ? await startBroker({ topics: { 'test-topic': 1, 'multi-partition-topic': 3 } }) : null;
const brokers = process.argv[2] ?? broker?.bootstrapServers ?? '';
const played = await Promise.all(
  Object.entries(examples).map(async ([name, example]) => {
    const lines: string[] = [];
    return { name, lines, ...(await play(name, example, brokers, lines)) };
  }),
);
for (const { name, lines } of played) console.log([`# ${name}`, ...lines.map((line) => `  ${line}`), ''].join('\n'));
for (const { line } of played) console.log(line);
const failed = played.filter(({ ok }) => !ok).length;
console.log(`${played.length - failed} passed, ${failed} failed`);
process.exitCode = failed;
