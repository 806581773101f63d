// A distributed trace log: services write what they do under the correlation id of the request they work for, spread over
// three partitions. A concentrator reads them all and reports each ERROR with its correlation id and what led to it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isRecord, type Envelope } from './envelope.ts';
import { playAlone, type Example, type Stage } from './example.ts';
import { Participant } from './participant.ts';

const TOPIC = 'multi-partition-topic';

interface LogEntry {
  readonly level: 'INFO' | 'ERROR';
  readonly message: string;
}

const isLogEntry = (payload: unknown): payload is LogEntry =>
  isRecord(payload) && (payload['level'] === 'INFO' || payload['level'] === 'ERROR') && typeof payload['message'] === 'string';

/** What happens to each request, service by service. */
const requests: readonly (readonly [service: string, level: LogEntry['level'], message: string][])[] = [
  [
    ['gateway', 'INFO', 'GET /items/1'],
    ['inventory', 'INFO', 'item 1 found'],
  ],
  [
    ['gateway', 'INFO', 'GET /items/2'],
    ['inventory', 'ERROR', 'item 2 is in no warehouse'],
    ['gateway', 'INFO', 'answered 404'],
  ],
  [
    ['gateway', 'INFO', 'POST /shipments'],
    ['inventory', 'INFO', 'item 3 reserved'],
    ['shipping', 'ERROR', 'the carrier does not answer'],
  ],
  [['gateway', 'INFO', 'GET /health']],
];

export const traceLog: Example = async ({ brokers, log }) => {
  await using concentrator = await Participant.join('concentrator', TOPIC, brokers);
  await using gateway = await Participant.join('gateway', TOPIC, brokers);
  await using inventory = await Participant.join('inventory', TOPIC, brokers);
  await using shipping = await Participant.join('shipping', TOPIC, brokers);
  const services = new Map([gateway, inventory, shipping].map((service) => [service.name, service]));

  const traced = requests.map((steps) => ({ correlationId: randomUUID() as string, steps }));
  const traces = new Map(traced.map(({ correlationId }) => [correlationId, [] as Envelope[]]));
  const total = requests.flat().length;
  const [errors] = await Promise.all([
    concentrate(concentrator, traces, total, log),
    // All requests at once; the steps of one follow each other, and its correlation id keeps them on one partition.
    ...traced.map(async ({ correlationId, steps }) => {
      for (const [service, level, message] of steps) await services.get(service)?.send('LogEntry', correlationId, { level, message });
    }),
  ]);

  assert.deepEqual(
    traced.map(({ correlationId }) => errors.get(correlationId)),
    [undefined, 'inventory: item 2 is in no warehouse', 'shipping: the carrier does not answer', undefined],
  );
  for (const { correlationId, steps } of traced)
    assert.deepEqual(
      traces.get(correlationId)?.map(({ sender }) => sender),
      steps.map(([service]) => service),
      'the steps of a request come in order',
    );
  return `${total} log entries of ${requests.length} requests, ${errors.size} errors reported with their correlation ids`;
};

/** Files every entry under its request; returns the errors by correlation id once all entries have come. */
async function concentrate(
  concentrator: Participant,
  traces: ReadonlyMap<string, Envelope[]>,
  total: number,
  log: Stage['log'],
): Promise<Map<string, string>> {
  const errors = new Map<string, string>();
  let seen = 0;
  for await (const { received } of concentrator.deliveries()) {
    if (!received.ok || received.event.eventType !== 'LogEntry' || !isLogEntry(received.event.payload)) continue;
    const { correlationId, sender, payload } = received.event;
    const trace = traces.get(correlationId);
    if (trace === undefined) continue; // of another run
    trace.push(received.event);
    seen += 1;
    if (payload.level === 'ERROR') {
      errors.set(correlationId, `${sender}: ${payload.message}`);
      log(`concentrator: ERROR in ${correlationId} after ${trace.length - 1} steps: ${sender}: ${payload.message}`);
    }
    if (seen === total) break;
  }
  return errors;
}

if (import.meta.main) await playAlone(traceLog);
