// Who is compared: this broker from its built file, Apache Kafka from its jars, the ceiling of the runtime and the sink.
// Each takes `start --port N --data DIR --set k=v` and prints `ready HOST:PORT`; each is started fresh and ended by its
// process id. Servers run on one core and the load generator on another where the machine lets us pin them.
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Load, LoadResult, Reply } from './load/messages.ts';

const root = resolve(import.meta.dirname, '..');
const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 60_000;
const GROUP_GONE_MS = 5000;
/** What a load may take beyond the times that it states; a server that no longer answers does not hold up the bench. */
const LOAD_GRACE_MS = 180_000;

export interface Party {
  readonly name: string;
  /** A file that runs on node. */
  readonly file: string;
  readonly settings: readonly string[];
  /** Topics are made by whoever runs the load; this one takes any. */
  readonly hasTopics: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** As Kafka's own start script has it (bin/kafka-server-start.sh, bin/kafka-run-class.sh). */
const KAFKA_JVM = {
  KAFKA_HEAP_OPTS: '-Xmx1G -Xms1G',
  KAFKA_JVM_PERFORMANCE_OPTS:
    '-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent',
};
const kafkaFile = join(root, 'scripts/reference-kafka.ts');
const ceilingFile = join(root, 'bench/ceiling-server.ts');
const NEVER = '9223372036854775807';

export const bucketrider: Party = {
  name: 'bucketrider',
  file: join(root, 'dist/bin.cjs'),
  settings: ['log.level=warn'],
  hasTopics: true,
};
export const bucketriderRelaxed: Party = {
  ...bucketrider,
  name: 'bucketrider, fsync relaxed',
  settings: [...bucketrider.settings, `log.flush.interval.messages=${NEVER}`],
};
export const ceiling: Party = { name: 'ceiling', file: ceilingFile, settings: ['sync=always'], hasTopics: false };
export const ceilingRelaxed: Party = { name: 'ceiling, no fsync', file: ceilingFile, settings: ['sync=never'], hasTopics: false };
export const sink: Party = { name: 'generator alone', file: ceilingFile, settings: ['sink=true'], hasTopics: false };
export const kafka: Party = { name: 'Kafka, no fsync', file: kafkaFile, settings: [], hasTopics: true, environment: KAFKA_JVM };
export const kafkaSynced: Party = { ...kafka, name: 'Kafka, fsync', settings: ['log.flush.interval.messages=1'] };

export const javaIsThere = (): boolean => spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;

const canPin =
  process.platform === 'linux' &&
  availableParallelism() >= 2 &&
  spawnSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' }).status === 0;

/** Servers on the first core, the load on the second; a machine with more cores needs none of it. */
export const pinning = { enabled: canPin };

/** The command, on one core if we pin. */
export const onCore = (core: number, command: readonly string[]): [string, string[]] => {
  const words = pinning.enabled ? ['taskset', '-c', String(core), ...command] : [...command];
  return [words[0] as string, words.slice(1)];
};

export interface RunningParty {
  readonly host: string;
  readonly port: number;
  /** From the start of the process to its ready line. */
  readonly readyMs: number;
  readonly dataDirectory: string;
  /** Resident bytes of the server, all of its processes; undefined where the platform does not tell. */
  residentBytes(): number | undefined;
  /** Seconds of processor time so far, likewise. */
  cpuSeconds(): number | undefined;
  /** What it printed last, for the report of a failure. */
  lastLines(): string;
  /** Ends it, with SIGTERM unless told otherwise; resolves when it is gone. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface StartOptions {
  readonly dataDirectory: string;
  /** Absent: any. */
  readonly port?: number;
  readonly settings?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

export async function startParty(party: Party, options: StartOptions): Promise<RunningParty> {
  if (!existsSync(party.file)) throw new Error(`${party.file} is not there; npm run build makes it`);
  const { dataDirectory } = options;
  const settings = [...party.settings, ...(options.settings ?? [])].flatMap((setting) => ['--set', setting]);
  const command = [
    process.execPath,
    ...(options.nodeFlags ?? []),
    party.file,
    'start',
    '--port',
    String(options.port ?? 0),
    '--data',
    dataDirectory,
    ...settings,
  ];
  const startedMs = performance.now();
  const [program, words] = onCore(0, command);
  // The head of a process group: Kafka's JVM is a child of the script that starts it, and a kill has to reach both.
  const child = spawn(program, words, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...party.environment } });
  const dieWithUs = atExit(() => signalGroup(child, 'SIGKILL'));
  child.once('exit', dieWithUs);
  const ready = Promise.withResolvers<string>();
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      if (said.length > 50) said.shift();
      const address = /^ready (\S+)$/.exec(line)?.[1];
      if (address !== undefined) ready.resolve(address);
    });
  }
  child.on('error', ready.reject);
  child.on('exit', () => ready.reject(new Error(`${party.name} ended before it was ready:\n${said.join('\n')}`)));
  const late = setTimeout(() => ready.reject(new Error(`${party.name} was not ready in time:\n${said.join('\n')}`)), READY_TIMEOUT_MS);
  const address = await ready.promise.finally(() => clearTimeout(late));
  const readyMs = performance.now() - startedMs;
  return {
    host: '127.0.0.1',
    port: Number(address.slice(address.lastIndexOf(':') + 1)),
    readyMs,
    dataDirectory,
    residentBytes: () => sumOf(familyOf(child), residentBytesOf),
    cpuSeconds: () => sumOf(familyOf(child), cpuSecondsOf),
    lastLines: () => said.join('\n'),
    end: (signal = 'SIGTERM') => endChild(child, signal),
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** SIGTERM goes to the process alone, which ends its children in order; SIGKILL to all of them, since it could not. */
async function endChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    if (signal === 'SIGKILL') signalGroup(child, signal);
    else child.kill(signal);
    const late = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(late);
  }
  // The JVM lets go of its files and its port when it is gone, not when the script is.
  for (const deadlineMs = performance.now() + GROUP_GONE_MS; signalGroup(child, 0) && performance.now() < deadlineMs;) await sleep(5);
}

/** False when nobody is there any more. */
function signalGroup({ pid }: ChildProcess, signal: 'SIGKILL' | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** The process and its children: Kafka's JVM is a child of the script that starts it. */
function familyOf(child: ChildProcess): number[] {
  const { pid } = child;
  if (pid === undefined) return [];
  const children = readProc(pid, `task/${pid}/children`)?.trim().split(' ').filter(Boolean).map(Number) ?? [];
  return children.length > 0 ? children : [pid];
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined; // gone, or no Linux
  }
}

function residentBytesOf(pid: number): number | undefined {
  const kib = /VmRSS:\s+(\d+)/.exec(readProc(pid, 'status') ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function cpuSecondsOf(pid: number): number | undefined {
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /, '')
    .split(' ');
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / 100; // user and system time, in ticks
}

function sumOf(pids: readonly number[], measure: (pid: number) => number | undefined): number | undefined {
  let sum = 0;
  for (const pid of pids) {
    const value = measure(pid);
    if (value === undefined) return undefined;
    sum += value;
  }
  return pids.length === 0 ? undefined : sum;
}

/** What is still there when this process ends is ended with it. */
const leftovers = new Set<() => unknown>();
process.on('exit', () => leftovers.forEach((end) => end()));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Returns what takes it off the list again. */
function atExit(end: () => unknown): () => void {
  leftovers.add(end);
  return () => void leftovers.delete(end);
}

/** A directory of its own for one run, gone afterwards and off the disk, so that the next run does not pay for it. */
export async function withDirectory<Result>(parent: string, work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(parent, 'bucketrider-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = atExit(remove);
  try {
    return await work(directory);
  } finally {
    forget();
    remove();
    if (process.platform === 'linux') spawnSync('sync', ['-f', parent]);
  }
}

/** The process that makes the load; one for all runs, so that every party meets it warm. */
export class Generator {
  #child = startGenerator();

  /** @throws Error with what the generator met, or when there was no end in sight */
  async run(load: Load): Promise<LoadResult> {
    const child = this.#child;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const onExit = (): void => reject(new Error('the load generator ended'));
    child.once('message', resolve);
    child.once('exit', onExit);
    child.send(load);
    const limitMs = load.warmUpMs + load.measureMs + LOAD_GRACE_MS;
    const late = setTimeout(() => {
      reject(new Error(`the load was not through after ${Math.round(limitMs / 1000)} s`));
      child.kill('SIGKILL');
      this.#child = startGenerator();
    }, limitMs);
    const reply = await promise.finally(() => {
      clearTimeout(late);
      child.off('exit', onExit);
      child.off('message', resolve);
    });
    if ('failure' in reply) throw new Error(reply.failure);
    return reply.result;
  }

  close(): void {
    this.#child.disconnect();
  }
}

function startGenerator(): ChildProcess {
  const file = join(root, 'bench/load/generator.ts');
  const [program, words] = onCore(1, [process.execPath, file]);
  const child = pinning.enabled ? spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }) : fork(file);
  atExit(() => child.kill('SIGKILL'));
  return child;
}
