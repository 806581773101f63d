// A broker in a process of its own, for attacks whose cost has to be measured: assembled from the sources as the program
// does it, on the data dir it is given. Answers each message with its figures since the one before.
//
//   node test/hostile/broker-process.ts DATA_DIRECTORY [KEY=VALUE ...]
import { CollectingLogger } from '../../src/base/log.ts';
import { makeCompute } from '../../src/base/real/compute.ts';
import { makeRealEnv } from '../../src/base/real/env.ts';
import { assembleBroker } from '../../src/assemble/start-broker.ts';

export interface Figures {
  /** The longest turn of the event loop, in milliseconds of this thread's own processor time: others on the machine do not count. */
  readonly longestTurnMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly failures: readonly string[];
  readonly errors: readonly string[];
  readonly requestsInFlight: number;
  readonly requestMemoryBytes: number;
  readonly connections: number;
  readonly topics: number;
}

export type ToBroker = 'figures' | 'collect' | 'stop';
export type FromBroker = { readonly port: number } | Figures;

const [directory = '', ...settings] = process.argv.slice(2);
const log = new CollectingLogger();
const failures: string[] = [];
const levels = {
  static: new Map([
    ['log.dirs', directory],
    ['listeners', 'PLAINTEXT://127.0.0.1:0'],
    ...settings.map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  ]),
};
const running = await assembleBroker({
  env: makeRealEnv({ compute: makeCompute() }),
  levels,
  log,
  onFailed: (error) => void failures.push(String(error)),
});

const PROBE_MS = 2;
let longestTurnMs = 0;
let usedBefore = threadMs();
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
// Between two probes lie at most a turn that ran late and what was left of the one before.
setInterval(() => {
  const used = threadMs();
  longestTurnMs = Math.max(longestTurnMs, used - usedBefore);
  usedBefore = used;
}, PROBE_MS);

function figures(): Figures {
  const { rss, heapUsed } = process.memoryUsage();
  const { server, broker } = running;
  const turn = longestTurnMs;
  longestTurnMs = 0;
  return {
    longestTurnMs: turn,
    rssBytes: rss,
    heapBytes: heapUsed,
    failures,
    errors: log.lines.filter(({ level }) => level === 'error').map(({ message, fields }) => `${message}: ${String(fields['error'])}`),
    requestsInFlight: server.metrics.requestsInFlight,
    requestMemoryBytes: server.requestMemoryBytes,
    connections: server.connections().length,
    topics: broker.image.topics.size,
  };
}

const send = (message: FromBroker): void => void process.send?.(message);
process.on('message', (message: ToBroker) => {
  if (message === 'collect') globalThis.gc?.();
  if (message === 'stop') void running.stop().then(() => process.exit(0));
  else send(figures());
});
process.on('disconnect', () => process.exit(1));
send({ port: running.server.listeners[0]?.port ?? 0 });
