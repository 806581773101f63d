// Group load: members of classic groups that say they live, commit, or rebalance. What is sent by the thousand is encoded
// before the clock runs; a rebalance is spoken through the thin client, since its answers have to be read.
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import { encodeRequestFrame } from '../../src/protocol/headers.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/messages/find-coordinator.ts';
import { heartbeatRequest } from '../../src/protocol/messages/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse, type JoinGroupResponse } from '../../src/protocol/messages/join-group.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/messages/offset-commit.ts';
import { syncGroupRequest, syncGroupResponse } from '../../src/protocol/messages/sync-group.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { consumerHeartbeats, consumerJoins, consumerRebalances, notYet } from './consumer-groups.ts';
import { openLoadConnection, type LoadConnection } from './connection.ts';
import type { CommitAllLoad, GroupLoad, LoadResult } from './messages.ts';
import { Tally } from './tally.ts';

const NONE = 0;
const MEMBER_ID_REQUIRED = 79;
const SESSION_MS = 45_000;
const REBALANCE_MS = 60_000;
const PROTOCOL_TYPE = 'consumer';
const PROTOCOL = 'range';
const JOIN_VERSION = 7;
const SYNC_VERSION = 5;
const COMMIT_VERSION = 7;
const HEARTBEAT_VERSION = 3;
const FIND_COORDINATOR_VERSION = 2;
/** Behind the size: key and version, then the correlation id. */
const CORRELATION_ID_AT = 8;

class Member {
  readonly group: string;
  readonly #connection: Connection;
  #id = '';
  #generation = -1;

  constructor(group: string, connection: Connection) {
    this.group = group;
    this.#connection = connection;
  }

  askForCoordinator(): Promise<void> {
    return askForCoordinator(this.#connection, this.group);
  }

  get id(): string {
    return this.#id;
  }

  get generation(): number {
    return this.#generation;
  }

  /** A subscription like those of real members; a new round changes it, so that the broker has to rebalance. */
  async join(round: number): Promise<JoinGroupResponse> {
    const metadata = Buffer.alloc(60);
    metadata.writeInt32BE(round, 40);
    for (;;) {
      const answer = await this.#connection.request({ request: joinGroupRequest, response: joinGroupResponse }, JOIN_VERSION, {
        groupId: this.group,
        sessionTimeoutMs: SESSION_MS,
        rebalanceTimeoutMs: REBALANCE_MS,
        memberId: this.#id,
        groupInstanceId: null,
        protocolType: PROTOCOL_TYPE,
        protocols: [{ name: PROTOCOL, metadata }],
        reason: null,
      });
      this.#id = answer.memberId;
      if (answer.errorCode === MEMBER_ID_REQUIRED) continue;
      if (notYet.has(answer.errorCode)) {
        await sleep(50);
        continue;
      }
      check(answer.errorCode, 'JoinGroup');
      this.#generation = answer.generationId;
      return answer;
    }
  }

  async sync(joined: JoinGroupResponse): Promise<number> {
    const leads = joined.leader === this.#id;
    const answer = await this.#connection.request({ request: syncGroupRequest, response: syncGroupResponse }, SYNC_VERSION, {
      groupId: this.group,
      generationId: joined.generationId,
      memberId: this.#id,
      groupInstanceId: null,
      protocolType: PROTOCOL_TYPE,
      protocolName: PROTOCOL,
      assignments: leads ? joined.members.map(({ memberId }) => ({ memberId, assignment: Buffer.alloc(40) })) : [],
    });
    return answer.errorCode;
  }

  close(): void {
    this.#connection.close();
  }
}

function check(errorCode: number, what: string): void {
  if (errorCode !== NONE) throw new Error(`${what} answers error ${errorCode}`);
}

/** One rebalance of all of them; true when each has its share of one generation that holds them all. */
async function rebalance(members: readonly Member[], round: number): Promise<boolean> {
  let mostMembers = 0;
  const generations = new Set<number>();
  const synced = await Promise.all(
    members.map(async (member) => {
      const joined = await member.join(round);
      mostMembers = Math.max(mostMembers, joined.members.length);
      generations.add(joined.generationId);
      return (await member.sync(joined)) === NONE;
    }),
  );
  return synced.every(Boolean) && generations.size === 1 && mostMembers === members.length;
}

const MOST_ROUNDS_TO_FORM = 20;

async function withCoordinator({ host, port }: GroupLoad): Promise<void> {
  const connection = await Connection.connect({ host, port, network: makeRealNetwork(), clientId: 'bench' });
  await askForCoordinator(connection, 'bench-consumer');
  connection.close();
}

/** Makes the topic of the groups where it is not there yet. */
async function askForCoordinator(connection: Connection, group: string): Promise<void> {
  for (;;) {
    const answer = await connection.request(
      { request: findCoordinatorRequest, response: findCoordinatorResponse },
      FIND_COORDINATOR_VERSION,
      {
        key: group,
        keyType: 0,
        coordinatorKeys: [],
      },
    );
    if (answer.errorCode === NONE) return;
    if (!notYet.has(answer.errorCode)) check(answer.errorCode, 'FindCoordinator');
    await sleep(50);
  }
}

async function form(load: GroupLoad, group: string): Promise<Member[]> {
  const { host, port } = load;
  const network = makeRealNetwork();
  const members: Member[] = [];
  while (members.length < load.membersPerGroup)
    members.push(new Member(group, await Connection.connect({ host, port, network, clientId: 'bench' })));
  await members[0]?.askForCoordinator();
  for (let round = 0; round < MOST_ROUNDS_TO_FORM; round += 1) if (await rebalance(members, round)) return members;
  throw new Error(`${load.membersPerGroup} members do not come together`);
}

export async function playGroups(load: GroupLoad): Promise<LoadResult> {
  if (load.what.startsWith('consumer-')) {
    await withCoordinator(load);
    if (load.what === 'consumer-heartbeat') return consumerHeartbeats(load);
    return load.what === 'consumer-join' ? consumerJoins(load) : consumerRebalances(load);
  }
  const groups = await Promise.all(Array.from({ length: load.groups }, (_, nth) => form(load, `bench-${load.what}-${nth}`)));
  try {
    return await (load.what === 'rebalance' ? rebalanceAgain(load, groups.flat()) : repeat(load, groups));
  } finally {
    for (const member of groups.flat()) member.close();
  }
}

async function rebalanceAgain({ rebalances }: GroupLoad, members: readonly Member[]): Promise<LoadResult> {
  const tally = new Tally();
  tally.begin();
  for (let round = 0; round < rebalances; round += 1) {
    const startedMs = performance.now();
    if (!(await rebalance(members, MOST_ROUNDS_TO_FORM + round))) throw new Error('a rebalance left somebody out');
    const nowMs = performance.now();
    tally.add({ nowMs, latencyMs: nowMs - startedMs, bytes: 0, records: 0 });
  }
  tally.end();
  return tally.result();
}

/** Each member sends its one request again as soon as it is answered. */
async function repeat(load: GroupLoad, groups: readonly (readonly Member[])[]): Promise<LoadResult> {
  const tally = new Tally();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // heard below, or not needed any more
  let stopping = false;
  const connections: LoadConnection[] = [];
  const begin = async (member: Member, index: number): Promise<void> => {
    const { frame, errorCodeAt } = load.what === 'heartbeat' ? heartbeatOf(member) : commitOf(load, member, index);
    let sent = 0;
    let sentMs = 0;
    const send = (): void => {
      frame.writeInt32BE(sent, CORRELATION_ID_AT);
      sent += 1;
      sentMs = performance.now();
      connection.send([frame]);
    };
    const connection = await openLoadConnection(load, {
      onAnswer: (start, bytes) => {
        const errorCode = start.readInt16BE(errorCodeAt);
        if (errorCode !== NONE) failed.reject(new Error(`${load.what} answers error ${errorCode}`));
        const nowMs = performance.now();
        tally.add({ nowMs, latencyMs: nowMs - sentMs, bytes, records: 1 });
        if (!stopping) send();
      },
      onTurn: () => undefined,
      onLost: failed.reject,
    });
    connections.push(connection);
    send();
  };
  try {
    for (const members of groups) for (const [index, member] of members.entries()) await begin(member, index);
    await Promise.race([failed.promise, sleep(load.warmUpMs)]);
    tally.begin();
    await Promise.race([failed.promise, sleep(load.measureMs)]);
    tally.end();
    stopping = true;
    return tally.result();
  } finally {
    for (const connection of connections) connection.close();
  }
}

interface Repeated {
  readonly frame: Buffer;
  readonly errorCodeAt: number;
}

function heartbeatOf({ group, generation, id }: Member): Repeated {
  const body = { groupId: group, generationId: generation, memberId: id, groupInstanceId: null };
  const header = { version: HEARTBEAT_VERSION, correlationId: 0, clientId: 'bench' };
  return { frame: Buffer.concat(encodeRequestFrame(heartbeatRequest, header, body)), errorCodeAt: 4 + 4 }; // id, throttle time
}

function commitOf({ topic }: GroupLoad, { group, generation, id }: Member, partition: number): Repeated {
  const header = { version: COMMIT_VERSION, correlationId: 0, clientId: 'bench' };
  const body = commitBody({ group, generation, id }, [{ topic, partitions: [partition] }]);
  // Correlation id, throttle time, one topic by its name, one partition by its index.
  const errorCodeAt = 4 + 4 + 4 + (2 + Buffer.byteLength(topic)) + 4 + 4;
  return { frame: Buffer.concat(encodeRequestFrame(offsetCommitRequest, header, body)), errorCodeAt };
}

function commitBody(
  { group, generation, id }: Pick<Member, 'group' | 'generation' | 'id'>,
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
) {
  return {
    groupId: group,
    generationIdOrMemberEpoch: generation,
    memberId: id,
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: topics.map(({ topic, partitions }) => ({
      name: topic,
      topicId: ZERO_UUID,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: 1_000_000,
        committedLeaderEpoch: -1,
        committedMetadata: '',
      })),
    })),
  };
}

export const groupNames = (count: number): string[] => Array.from({ length: count }, (_, nth) => `bench-all-${nth}`);

export async function commitAll({ host, port, topics, partitions, groups }: CommitAllLoad): Promise<LoadResult> {
  const connection = await Connection.connect({ host, port, network: makeRealNetwork(), clientId: 'bench' });
  const tally = new Tally();
  tally.begin();
  for (const group of groupNames(groups)) await askForCoordinator(connection, group);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  for (const group of groupNames(groups)) {
    for (const topic of topics) {
      const body = commitBody({ group, generation: -1, id: '' }, [{ topic, partitions: all }]);
      const sentMs = performance.now();
      const answer = await connection.request({ request: offsetCommitRequest, response: offsetCommitResponse }, COMMIT_VERSION, body);
      for (const { errorCode } of answer.topics[0]?.partitions ?? []) check(errorCode, 'OffsetCommit');
      const nowMs = performance.now();
      tally.add({ nowMs, latencyMs: nowMs - sentMs, bytes: 0, records: partitions });
    }
  }
  tally.end();
  connection.close();
  return tally.result();
}
