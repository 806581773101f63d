// What `start` prints when the broker is ready: where it listens, where the data is, what an acknowledgement promises,
// how long it took, and what to type next. The last line is for scripts: `ready HOST:PORT`.
import type { RunningBroker } from '../assemble/start-broker.ts';
import { LONG_MAX } from '../config/config-table.ts';
import { resourceTypes } from '../broker/image/metadata-image.ts';
import { version } from './version.ts';

export interface BannerInput {
  readonly running: RunningBroker;
  readonly inMemory: boolean;
  readonly readyMs: number;
  /** How this program was called: `npx bucketrider`. */
  readonly callAs: string;
}

const DEFAULT_BOOTSTRAP = 'localhost:9092';

/** The address of the first listener as a client on this machine dials it. */
export function bootstrapOf({ server }: RunningBroker): string {
  const [listener] = server.listeners;
  return listener === undefined ? DEFAULT_BOOTSTRAP : addressOf(listener);
}

function addressOf({ host, port }: { host: string | null; port: number }): string {
  const dialled = host === null || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `${dialled.includes(':') ? `[${dialled}]` : dialled}:${port}`;
}

export function bannerLines({ running, inMemory, readyMs, callAs }: BannerInput): string[] {
  const { broker, server } = running;
  const bootstrap = bootstrapOf(running);
  const to = bootstrap === DEFAULT_BOOTSTRAP ? '' : ` -b ${bootstrap}`;
  return [
    `bucketrider ${version}`,
    ...server.listeners.map((listener, index) => line(index === 0 ? 'Kafka' : '', `${addressOf(listener)}${toldTo(listener)}`)),
    line('data', inMemory ? 'in memory' : (broker.config['log.dirs'] ?? broker.config['log.dir'] ?? []).join(', ')),
    line('durability', inMemory ? 'none: everything is gone when this process ends' : durabilityOf(running)),
    line('ready in', `${Math.round(readyMs)} ms`),
    '',
    'Next:',
    `  ${callAs} topic create orders -p 3${to}`,
    `  echo 'hello' | ${callAs} produce orders${to}`,
    `  ${callAs} consume orders --from-beginning${to}`,
    '',
  ];
}

const line = (title: string, text: string): string => `  ${title.padEnd(12)}${text}`;

type Listener = RunningBroker['server']['listeners'][number];

function toldTo({ name, host, port, advertised }: Listener): string {
  const named = name === 'PLAINTEXT' ? '' : ` (${name})`;
  const told = addressOf({ host: advertised.host ?? host, port: advertised.port ?? port });
  return told === addressOf({ host, port }) ? named : `${named}, clients are told ${told}`;
}

/** Which promise an acknowledgement makes, and for how many topics it is another one. */
function durabilityOf({ broker }: RunningBroker): string {
  const usual = broker.config['log.flush.interval.messages'];
  const others = [...broker.image.topics.keys()].filter((name) => {
    const own = broker.image.configOf(resourceTypes.topic, name).get('flush.messages');
    return own !== undefined && Number(own) > usual;
  }).length;
  const weaker = others === 0 ? '' : `; ${others} ${others === 1 ? 'topic has' : 'topics have'} a weaker promise (flush.messages)`;
  return `${promiseOf(usual)}${weaker}`;
}

function promiseOf(flushMessages: number): string {
  if (flushMessages === 1) return 'what is acknowledged is on the disk (synced before the answer)';
  if (flushMessages >= Math.min(Number(LONG_MAX), Number.MAX_SAFE_INTEGER))
    return "what is acknowledged is with the operating system, as with Kafka's defaults; a power failure may take the last of it";
  return `what is acknowledged is synced after ${flushMessages} records, or after flush.ms; a power failure may take the last of it`;
}

/** How the person who reads the next commands has to type them. */
export function howCalled(environment: Readonly<Record<string, string | undefined>>): string {
  if (environment['npm_lifecycle_event'] === 'start') return 'npm run --silent cli --';
  return environment['npm_command'] === 'exec' ? 'npx bucketrider' : 'bucketrider';
}
