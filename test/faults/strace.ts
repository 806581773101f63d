// Faults of system calls, made by strace while it traces the broker: calls that fail, take their time, or are its last.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Broker } from './broker.ts';
import type { Place } from './machine.ts';

export interface Fault {
  /** Names of system calls, with commas. */
  readonly calls: string;
  /** As in strace's `inject=`: `error=EIO`, `delay_exit=5000000` (µs), `signal=SIGKILL:when=3`. */
  readonly what: string;
  /** Files that are there already; all when left out. */
  readonly paths?: readonly string[];
}

export interface Injection {
  /** Ends the fault; the broker goes on. */
  end(): Promise<void>;
}

/** What a program is started through so that the fault holds from its beginning. */
export const startedWith = ({ calls, what, paths = [] }: Fault): string[] => [
  'strace',
  '-f',
  '-o',
  '/dev/null',
  ...paths.flatMap((path) => ['-P', path]),
  '-e',
  `trace=${calls}`,
  '-e',
  `inject=${calls}:${what}`,
];

/** Makes a fault in a running broker. Resolves when it holds, in every thread. */
export async function inject(place: Place, broker: Broker, fault: Fault): Promise<Injection> {
  const [file = '', ...words] = startedWith(fault);
  const tracer = spawn(file, [...words, '-p', String(broker.pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const attached = Promise.withResolvers<void>();
  let said = '';
  createInterface({ input: tracer.stderr }).on('line', (line) => {
    said += `${line}\n`;
    if (/ attached/.test(line)) attached.resolve();
  });
  tracer.on('exit', () => attached.reject(new Error(`strace has ended: ${said}`)));
  await attached.promise;
  // It says so of the first thread, and takes the others within the same millisecond.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const end = (): Promise<void> => stop(tracer);
  place.onClear(end);
  return { end };
}

async function stop(tracer: ChildProcess): Promise<void> {
  if (tracer.exitCode !== null || tracer.signalCode !== null) return;
  const gone = once(tracer, 'exit');
  tracer.kill('SIGINT'); // lets go of the program
  await gone;
}
