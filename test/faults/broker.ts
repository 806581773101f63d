// The built broker as a process of its own, started as it is or through another program that limits it; what it says is kept, and
// how it ends is watched.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import type { Place } from './machine.ts';

const program = resolve(import.meta.dirname, '../../dist/bin.cjs');
const network = makeRealNetwork();
const READY_MS = 30_000;
const END_MS = 20_000;

export interface StartOptions {
  readonly data: string;
  readonly settings?: readonly string[];
  /** A program and its arguments that start what follows: `prlimit --nofile=100`. */
  readonly through?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** performance.now() */
  readonly atMs: number;
}

export class Broker {
  readonly #child: ChildProcess;
  readonly #connections: Connection[] = [];
  readonly ended: Promise<End>;
  port = 0;
  #said = '';

  private constructor(child: ChildProcess, ended: Promise<End>) {
    this.#child = child;
    this.ended = ended;
  }

  /** Resolves when it is ready. @throws Error with what it said when it ends before that */
  static async start(place: Place, options: StartOptions): Promise<Broker> {
    const broker = Broker.launch(place, options);
    const late = AbortSignal.timeout(READY_MS);
    while (broker.port === 0) {
      const end = await Promise.race([broker.ended, nextTick()]);
      if (end !== undefined) throw new Error(`the broker ended with ${end.code ?? end.signal} before it was ready:\n${broker.said}`);
      if (late.aborted) throw new Error(`the broker was not ready after ${READY_MS} ms:\n${broker.said}`);
    }
    return broker;
  }

  /** Does not wait for anything. */
  static launch(place: Place, { data, settings = [], through = [], env = {} }: StartOptions): Broker {
    const words = [process.execPath, program, 'start', '--port', '0', '--data', data, ...settings.flatMap((setting) => ['--set', setting])];
    const [file = '', ...rest] = [...through, ...words];
    const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const ended = new Promise<End>((resolveEnd) => {
      child.on('close', (code, signal) => resolveEnd({ code, signal, atMs: performance.now() }));
      child.on('error', () => resolveEnd({ code: -1, signal: null, atMs: performance.now() }));
    });
    const broker = new Broker(child, ended);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        broker.#said += chunk.toString();
        broker.port ||= Number(/^ready \S+:(\d+)$/m.exec(broker.#said)?.[1] ?? 0);
      });
    }
    place.onClear(() => broker.kill());
    return broker;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Everything it printed, on both streams. */
  get said(): string {
    return this.#said;
  }

  /** How many lines of what it said have it. */
  count(pattern: RegExp): number {
    return this.#said.split('\n').filter((line) => pattern.test(line)).length;
  }

  get residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  }

  async connect(): Promise<Connection> {
    const connection = await Connection.connect({ network, host: '127.0.0.1', port: this.port, clientId: 'faults' });
    this.#connections.push(connection);
    return connection;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#hangUp();
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** @throws Error when it does not end with exit code 0 */
  async stop(): Promise<void> {
    this.#hangUp();
    this.#child.kill('SIGTERM');
    const end = await this.endsWithin(END_MS);
    if (end.code !== 0) throw new Error(`the broker ended with ${end.code ?? end.signal}:\n${this.said}`);
  }

  async endsWithin(ms: number): Promise<End> {
    const end = await Promise.race([this.ended, new Promise<undefined>((late) => setTimeout(late, ms, undefined).unref())]);
    if (end === undefined) throw new Error(`the broker still runs after ${ms} ms; it said:\n${this.said}`);
    return end;
  }

  #hangUp(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }
}

const nextTick = (): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, 5, undefined));
