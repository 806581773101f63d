// What the member programs in Node.js share: their command line, their lines, and the end on SIGTERM. See member.ts.
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface MemberOrder {
  readonly brokers: string;
  readonly group: string;
  readonly topic: string;
  readonly to: string | undefined;
  readonly assignor: 'eager' | 'cooperative';
  readonly protocol: 'classic' | 'consumer';
  readonly instanceId: string | undefined;
  readonly sessionTimeoutMs: number;
}

export function memberOrder(): MemberOrder {
  const { values } = parseArgs({
    options: {
      brokers: { type: 'string' },
      group: { type: 'string' },
      topic: { type: 'string' },
      to: { type: 'string' },
      assignor: { type: 'string', default: 'eager' },
      protocol: { type: 'string', default: 'classic' },
      'instance-id': { type: 'string' },
      'session-timeout-ms': { type: 'string', default: '6000' },
    },
  });
  const { brokers, group, topic, to, assignor, protocol } = values;
  if (brokers === undefined || group === undefined || topic === undefined) throw new Error('a member needs --brokers, --group and --topic');
  return {
    brokers,
    group,
    topic,
    to,
    assignor: assignor === 'cooperative' ? 'cooperative' : 'eager',
    protocol: protocol === 'consumer' ? 'consumer' : 'classic',
    instanceId: values['instance-id'],
    sessionTimeoutMs: Number(values['session-timeout-ms']),
  };
}

/** Whole and at once: a process that is killed leaves no half of a line, and none waits in a buffer. */
const say = (line: string): void => void writeSync(1, `${line}\n`);

export const tell = {
  assigned: (partitions: readonly number[]): void => say(`assigned ${partitions.toSorted((one, other) => one - other).join(',')}`),
  read: (partition: number, offsets: readonly (number | string | bigint)[]): void => {
    if (offsets.length > 0) say(offsets.map((offset) => `read ${partition} ${offset}`).join('\n'));
  },
  committed: (partition: number, offset: number | string | bigint): void => say(`committed ${partition} ${offset}`),
  trouble: (thrown: unknown): void =>
    say(`trouble ${(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)).replaceAll('\n', ' ')}`),
};

let told = false;
export const isToldToLeave = (): boolean => told;

/** Resolves at SIGTERM. A member that cannot leave is ended by whoever started it. */
export const toldToLeave = new Promise<void>((resolve) =>
  process.once('SIGTERM', () => {
    told = true;
    resolve();
  }),
);
