// The members of one group of a chain: who is there, who stands still, and how they come and go.
import { join, resolve } from 'node:path';
import {
  noNegativeTimeouts,
  memberArguments,
  MemberProcess,
  type Assignor,
  type GroupProtocol,
  type MemberCommand,
  type MemberOptions,
} from '../clients/member.ts';
import { pythonOf } from '../clients/python/environment.ts';

const clients = resolve(import.meta.dirname, '../clients');

/** Each moves records by the client library it is named after. */
const programs = {
  kafkajs: (args) => ({ program: process.execPath, args: [noNegativeTimeouts, join(clients, 'kafkajs/member.ts'), ...args] }),
  platformatic: (args) => ({ program: process.execPath, args: [join(clients, 'platformatic/member.ts'), ...args] }),
  librdkafka: (args) => ({ program: pythonOf(), args: [join(clients, 'python/confluent_member.py'), ...args] }),
} as const satisfies Record<string, (args: string[]) => MemberCommand>;

export interface Link {
  readonly client: keyof typeof programs;
  readonly protocol: GroupProtocol;
  readonly assignor: Assignor;
}

export const nameOf = ({ client, protocol, assignor }: Link): string =>
  protocol === 'consumer' ? `${client}, consumer protocol` : `${client}, ${assignor}`;

interface GroupOptions {
  readonly link: Link;
  readonly member: MemberOptions;
  readonly committed: (partition: number, offset: number) => void;
  readonly failed: (why: string) => void;
}

export class GroupMembers {
  readonly #options: GroupOptions;
  #running: MemberProcess[] = [];
  #standing: MemberProcess[] = [];
  #born = 0;
  #troubles = 0;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#running.length;
  }

  get troubles(): number {
    return [...this.#running, ...this.#standing].reduce((sum, { troubles }) => sum + troubles, this.#troubles);
  }

  join(): string {
    const { link, member, committed, failed } = this.#options;
    this.#born += 1;
    const name = `${member.group}-${this.#born}`;
    const command = programs[link.client](memberArguments({ ...member, protocol: link.protocol, assignor: link.assignor }));
    this.#running.push(new MemberProcess(name, command, { committed, failed: (how) => failed(`${name} (${nameOf(link)}): ${how}`) }));
    return name;
  }

  async leave(nth: number): Promise<string> {
    const member = this.#take(nth);
    const wrong = await member.leave();
    if (wrong !== undefined) this.#options.failed(`${member.name}: ${wrong}`);
    return member.name;
  }

  async die(nth: number): Promise<string> {
    const member = this.#take(nth);
    await member.kill();
    return member.name;
  }

  /** It stands still until `resume`, long after the group has gone on without it. */
  pause(nth: number): string {
    const [member] = this.#running.splice(nth % this.#running.length, 1) as [MemberProcess];
    member.pause();
    this.#standing.push(member);
    return member.name;
  }

  pauseAll(): string {
    while (this.#running.length > 0) this.pause(0);
    return this.#options.member.group;
  }

  resume(): void {
    for (const member of this.#standing) member.resume();
    this.#running.push(...this.#standing);
    this.#standing = [];
  }

  async leaveAll(): Promise<void> {
    this.resume();
    await Promise.all(Array.from({ length: this.count }, () => this.leave(0)));
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#running, ...this.#standing].map((member) => member.kill()));
  }

  describe(): string {
    return [...this.#running, ...this.#standing]
      .map((member) => `${member.name} owns ${member.assigned.join() || 'nothing'}:\n${member.lastLines()}`)
      .join('\n');
  }

  #take(nth: number): MemberProcess {
    const [member] = this.#running.splice(nth % this.#running.length, 1) as [MemberProcess];
    this.#troubles += member.troubles;
    return member;
  }
}
