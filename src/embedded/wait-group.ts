// Waits for a group to be as a test needs it, and says how it was instead when it does not come to that.
import type { Env } from '../base/env.ts';
import { GROUP_METADATA_TOPIC } from '../broker/internal-topics.ts';
import { suggest } from '../config/suggest.ts';
import { KafkaError, kafkaErrors } from '../protocol/errors.ts';
import type { GroupMemberView, GroupState, GroupView, GroupWaitOptions } from './api.ts';
import type { Changes } from './changes.ts';
import { BrokerStoppedError, GroupNotReadyError, InvalidArgumentError } from './errors.ts';
import { viewGroup, viewGroups, type GroupSource } from './groups.ts';

export interface GroupWaiting {
  readonly broker: GroupSource;
  readonly changes: Changes;
  /** Aborts when the broker stops or fails. */
  readonly ended: AbortSignal;
  readonly env: Pick<Env, 'timer'>;
}

/** vitest and jest give a test up after 5000: the report has to come before that. */
const DEFAULT_TIMEOUT_MS = 4_000;
const SHOWN = 20;
/** A coordinator that still reads its log, or a group whose next change is not one that it writes down. */
const LOOK_AGAIN_MS = 50;

interface Wanted {
  /** Undefined: any. */
  readonly state: GroupState | undefined;
  readonly members: number | undefined;
  readonly maxLag: number | undefined;
}

export async function waitForGroup(waiting: GroupWaiting, groupId: string, options: GroupWaitOptions): Promise<GroupView> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const wanted = readOptions(options, timeoutMs);
  const deadline = new AbortController();
  using _ = waiting.env.timer(timeoutMs, () => deadline.abort());
  for (;;) {
    // Listens before it looks: what happens meanwhile is not missed.
    const news = listen(waiting, deadline.signal);
    const group = await viewGroupNow(waiting.broker, groupId);
    if (group !== undefined && isAsWanted(group, wanted)) {
      news.stop();
      return group;
    }
    const over = waiting.ended.aborted;
    if (over || deadline.signal.aborted) {
      news.stop();
      const report = await describe(waiting.broker, groupId, { wanted, group, waited: over ? undefined : timeoutMs });
      throw over ? new BrokerStoppedError(report) : new GroupNotReadyError(report, { groupId, group });
    }
    await news.come;
  }
}

/** @throws InvalidArgumentError */
function readOptions({ state, members, maxLag }: GroupWaitOptions, timeoutMs: number): Wanted {
  for (const [name, count] of Object.entries({ members, maxLag }))
    if (count !== undefined && (!Number.isInteger(count) || count < 0))
      throw new InvalidArgumentError(`${name} is a number from 0 on, not ${count}`);
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) throw new InvalidArgumentError(`timeoutMs is a time, not ${String(timeoutMs)}`);
  if (state !== undefined || (members === undefined && maxLag !== undefined)) return { state, members, maxLag };
  return { state: members === 0 ? 'Empty' : 'Stable', members, maxLag };
}

function isAsWanted({ state, members, lag, partitions }: GroupView, wanted: Wanted): boolean {
  if (wanted.state !== undefined && state !== wanted.state) return false;
  if (wanted.members !== undefined && members.length !== wanted.members) return false;
  // A group that has neither committed nor been given anything has not read everything: it has not begun.
  return wanted.maxLag === undefined || (lag <= wanted.maxLag && partitions.length > 0);
}

/** Undefined also while the coordinator cannot say yet. */
async function viewGroupNow(broker: GroupSource, groupId: string): Promise<GroupView | undefined> {
  try {
    return await viewGroup(broker, groupId);
  } catch (thrown) {
    if (thrown instanceof KafkaError && kafkaErrors[thrown.errorName][1]) return undefined;
    throw thrown;
  }
}

interface News {
  readonly come: Promise<void>;
  stop(): void;
}

/** What groups do and what they commit is written to their topic; what else brings a group nearer is seen by looking again. */
function listen({ broker, changes, ended, env }: GroupWaiting, deadline: AbortSignal): News {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stops: (() => void)[] = [];
  const wake = (): void => {
    for (const stop of stops) stop();
    stops.length = 0;
    for (const signal of [ended, deadline]) signal.removeEventListener('abort', wake);
    resolve();
  };
  for (const signal of [ended, deadline]) signal.addEventListener('abort', wake);
  stops.push(changes.on(wake));
  const topic = broker.image.findTopic(GROUP_METADATA_TOPIC);
  for (const { index } of topic?.partitions ?? [])
    if (topic !== undefined) stops.push(broker.partitions.ledHere(topic, index).onAdvance(wake));
  const again = env.timer(LOOK_AGAIN_MS, wake);
  stops.push(() => again[Symbol.dispose]());
  if (ended.aborted || deadline.aborted) wake();
  return { come: promise, stop: wake };
}

interface Report {
  readonly wanted: Wanted;
  readonly group: GroupView | undefined;
  /** Undefined when the broker stopped before. */
  readonly waited: number | undefined;
}

async function describe(broker: GroupSource, groupId: string, { wanted, group, waited }: Report): Promise<string> {
  const others = (await viewGroups(broker).catch(() => [])).filter((one) => one.groupId !== groupId);
  const hope = `group '${groupId}' to ${wishText(wanted)}`;
  const when = waited === undefined ? `the broker stopped while ${hope} was waited for` : `waited ${waited} ms for ${hope}`;
  if (group === undefined)
    return [`${when}: there is no such group. ${whatGroupsThereAre(groupId, others)}`, ...topicLines(broker)].join('\n');
  const lines = [`${when}: it is ${group.state} with ${counted(group.members.length, 'member')} and a lag of ${group.lag}`];
  const protocol = [group.type, group.protocolType, group.assignor].filter((text) => text !== undefined && text !== '').join(', ');
  lines.push(`  group      ${group.groupId} (${protocol})`);
  lines.push(...named('members', group.members.map(memberText)));
  lines.push(
    ...named(
      'partitions',
      group.partitions.map(({ topic, partition, committedOffset, endOffset, lag, memberId }) => {
        const reader = group.members.find((member) => member.memberId === memberId);
        const by = reader === undefined ? 'read by nobody' : `read by ${reader.clientId || reader.memberId}`;
        return `${topic}-${partition} ${committedOffset === undefined ? 'nothing committed' : `committed ${committedOffset}`} of ${endOffset}, lag ${lag}, ${by}`;
      }),
    ),
  );
  if (group.partitions.length === 0) lines.push('  partitions none is committed or assigned');
  lines.push(
    ...named(
      'others',
      others.map((one) => `${one.groupId} (${one.state}, ${counted(one.members.length, 'member')})`),
    ),
  );
  return lines.join('\n');
}

function wishText({ state, members, maxLag }: Wanted): string {
  const parts = [
    ...(members === undefined ? [] : [counted(members, 'member')]),
    ...(maxLag === undefined ? [] : [`a lag of at most ${maxLag}`]),
  ];
  const having = parts.join(' and ');
  if (state === undefined) return `have ${having}`;
  return parts.length === 0 ? `be ${state}` : `be ${state} with ${having}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const memberText = ({ memberId, clientId, host, assignment }: GroupMemberView): string => {
  const reads = assignment.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`)).join(', ');
  return `${memberId} (client '${clientId}' at ${host}): ${reads || 'no partitions'}`;
};

function whatGroupsThereAre(asked: string, groups: readonly GroupView[]): string {
  const names = groups.map(({ groupId }) => groupId);
  if (names.length === 0) return 'There are no groups.';
  const near = suggest(asked, names);
  return near === undefined ? `There are: ${names.slice(0, SHOWN).join(', ')}.` : `Did you mean '${near}'?`;
}

function topicLines({ image, partitions }: GroupSource): string[] {
  const lines = [...image.topics.values()]
    .filter(({ name }) => name !== GROUP_METADATA_TOPIC)
    .map(
      (topic) =>
        `${topic.name} (ends by partition ${topic.partitions.map(({ index }) => `${index}: ${partitions.ledHere(topic, index).highWatermark}`).join(', ')})`,
    );
  return named('topics', lines);
}

function named(name: string, lines: readonly string[]): string[] {
  const shown = lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`] : lines;
  return shown.map((line, index) => `  ${(index === 0 ? name : '').padEnd(11)}${line}`);
}
