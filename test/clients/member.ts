// A member of a consumer group as a process of its own, so that it can die as programs die: by SIGKILL, without a word.
// What it is told stands on its command line, what it does it says in lines; each client library has such a program
// (kafkajs/member.ts, platformatic/member.ts, python/confluent_member.py, python/kafka_python_member.py).
//
//   --brokers HOST:PORT --group G --topic T   the group, and the one topic it reads
//   --to T                                    where each record goes before its offset is committed, into the same partition
//   --assignor eager|cooperative              of the classic protocol
//   --protocol classic|consumer               (KIP-848)
//   --instance-id ID                          a static member
//   --session-timeout-ms N
//
// It prints `assigned P,P,...` whenever what it owns has changed, `read P O` for every record, `committed P O` when the broker
// has acknowledged an offset, `trouble WORDS` for an error it goes on after. SIGTERM: it leaves the group and ends with 0.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Tail } from './tail.ts';

/** For node with kafkajs, which sets a timer to a moment in the past and makes every report begin with a warning of it. */
export const noNegativeTimeouts = '--disable-warning=TimeoutNegativeWarning';

/** What a broker is told for the checks of groups: short enough for a check to see a member die; each must not exceed the one it is the default or the bound of. */
export const groupSettings = [
  'group.initial.rebalance.delay.ms=0',
  'group.consumer.min.session.timeout.ms=1000',
  'group.consumer.session.timeout.ms=6000',
  'group.consumer.min.heartbeat.interval.ms=100',
  'group.consumer.heartbeat.interval.ms=500',
];

export type Assignor = 'eager' | 'cooperative';
export type GroupProtocol = 'classic' | 'consumer';

export interface MemberOptions {
  readonly brokers: string;
  readonly group: string;
  readonly topic: string;
  readonly to?: string;
  readonly assignor?: Assignor;
  readonly protocol?: GroupProtocol;
  readonly instanceId?: string;
  readonly sessionTimeoutMs?: number;
}

/** As the programs of this repository take it. */
export function memberArguments(options: MemberOptions): string[] {
  const flags: Record<string, string | number | undefined> = {
    brokers: options.brokers,
    group: options.group,
    topic: options.topic,
    to: options.to,
    assignor: options.assignor,
    protocol: options.protocol,
    'instance-id': options.instanceId,
    'session-timeout-ms': options.sessionTimeoutMs,
  };
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
}

export interface MemberCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Turns a line of a program that has words of its own into one of the lines above, or into nothing. */
  readonly translate?: (line: string) => string | undefined;
  /** False for a program that commits by itself and says nothing of it. */
  readonly tellsCommits?: false;
}

/** Calls back with what the process says; the newest assignment is kept. */
export interface MemberListener {
  assigned?(partitions: readonly number[]): void;
  read?(partition: number, offset: number): void;
  committed?(partition: number, offset: number): void;
  /** It ended, and was not told to. */
  failed?(how: string): void;
}

const leaveTimeoutMs = 20_000;

export class MemberProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #tail = new Tail(40);
  readonly #listener: MemberListener;
  readonly #endWithUs: () => void;
  #toldToEnd = false;
  #assigned: readonly number[] = [];
  #troubles = 0;
  #spoke = false;

  constructor(name: string, { program, args, translate = (line) => line }: MemberCommand, listener: MemberListener = {}) {
    this.name = name;
    this.#listener = listener;
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#endWithUs = () => this.#child.kill('SIGKILL');
    process.on('exit', this.#endWithUs);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (raw) => {
        const line = translate(raw);
        if (line === undefined || !this.#take(line)) this.#tail.add(raw);
      });
    }
    this.#child.on('error', (error) => this.#listener.failed?.(`it did not start: ${error.message}`));
    this.#child.on('exit', (code, signal) => {
      process.off('exit', this.#endWithUs);
      if (!this.#toldToEnd) this.#listener.failed?.(`it ended with ${signal ?? `exit code ${code}`}:\n${this.#tail.text()}`);
    });
  }

  get assigned(): readonly number[] {
    return this.#assigned;
  }

  /** Errors it met and went on after. */
  get troubles(): number {
    return this.#troubles;
  }

  lastLines(): string {
    return this.#tail.text();
  }

  /** True for the lines that come by the thousand, which would push everything else out of the tail. */
  #take(line: string): boolean {
    const [word, first = '', second = ''] = line.split(' ');
    this.#spoke ||= /^(assigned|trouble)/.test(line);
    if (word === 'read') this.#listener.read?.(Number(first), Number(second));
    else if (word === 'committed') this.#listener.committed?.(Number(first), Number(second));
    else {
      if (word === 'trouble') this.#troubles += 1;
      if (word === 'assigned') {
        this.#assigned = first === '' ? [] : first.split(',').map(Number);
        this.#listener.assigned?.(this.#assigned);
      }
      return false;
    }
    return true;
  }

  /** Dies in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#toldToEnd = true;
    await this.#ended(() => this.#child.kill('SIGKILL'));
  }

  /** Leaves the group in good order; what it did instead, when it did something else. */
  async leave(): Promise<string | undefined> {
    this.#toldToEnd = true;
    const late = setTimeout(() => this.#child.kill('SIGKILL'), leaveTimeoutMs);
    await this.#ended(() => this.#child.kill('SIGTERM'));
    clearTimeout(late);
    const { exitCode, signalCode } = this.#child;
    if (signalCode === 'SIGTERM' && !this.#spoke) return undefined; // it had not begun
    return exitCode === 0 ? undefined : `it ended with ${signalCode ?? `exit code ${exitCode}`} when told to leave:\n${this.#tail.text()}`;
  }

  async #ended(end: () => void): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    end();
    await exit;
  }

  /** Stands still, as a program does whose machine sleeps. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }
}
