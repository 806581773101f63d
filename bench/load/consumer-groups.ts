// Load by the consumer group protocol (KIP-848): a group in which every member heartbeats as soon as it was answered, and
// lets go and takes up at once what it is told to. So what is measured is the broker, and not the pace it sets for its members.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import {
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/messages/consumer-group-heartbeat.ts';
import type { GroupLoad, LoadResult } from './messages.ts';
import { Tally } from './tally.ts';

const NONE = 0;
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: Kafka says them until it has its topic. */
export const notYet: ReadonlySet<number> = new Set([14, 15, 16]);
const VERSION = 1;
const LEAVE = -1;
type Assignment = NonNullable<ConsumerGroupHeartbeatResponse['assignment']>['topicPartitions'];

class ConsumerMember {
  readonly #load: GroupLoad;
  readonly #group: string;
  readonly #connection: Connection;
  readonly #id = randomUUID();
  /** 0: it joins with its next heartbeat. */
  #epoch = 0;
  #owned: Assignment = [];
  /** What it owns has changed, and the broker has not been told. */
  #untold = false;

  constructor(load: GroupLoad, group: string, connection: Connection) {
    this.#load = load;
    this.#group = group;
    this.#connection = connection;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get settledPartitions(): number | undefined {
    return this.#untold ? undefined : this.#owned.reduce((sum, { partitions }) => sum + partitions.length, 0);
  }

  async heartbeat(epoch = this.#epoch): Promise<void> {
    const joins = epoch === 0;
    const tells = joins || this.#untold;
    const answer = await this.#connection.request(
      { request: consumerGroupHeartbeatRequest, response: consumerGroupHeartbeatResponse },
      VERSION,
      {
        groupId: this.#group,
        memberId: this.#id,
        memberEpoch: epoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: joins ? 60_000 : -1,
        subscribedTopicNames: joins ? [this.#load.topic] : null,
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: tells ? this.#owned : null,
      },
    );
    if (notYet.has(answer.errorCode)) {
      await sleep(50);
      return this.heartbeat(epoch);
    }
    if (answer.errorCode !== NONE) throw new Error(`ConsumerGroupHeartbeat answers error ${answer.errorCode} ${answer.errorMessage ?? ''}`);
    this.#epoch = answer.memberEpoch;
    this.#untold = false;
    if (answer.assignment === null) return;
    this.#owned = answer.assignment.topicPartitions;
    this.#untold = true;
  }

  async leave(): Promise<void> {
    await this.heartbeat(LEAVE);
    this.#epoch = 0;
    this.#owned = [];
    this.#untold = false;
  }

  close(): void {
    this.#connection.close();
  }
}

/** Heartbeats of all of them until nothing changes any more and every partition has its owner. */
async function settle(members: readonly ConsumerMember[], partitions: number): Promise<void> {
  const isSettled = (): boolean => {
    const epoch = Math.max(...members.map((member) => member.epoch));
    let owned = 0;
    for (const member of members) {
      if (member.epoch !== epoch || member.settledPartitions === undefined) return false;
      owned += member.settledPartitions;
    }
    return owned === partitions;
  };
  let settled = false;
  await Promise.all(
    members.map(async (member) => {
      while (!settled) {
        await member.heartbeat();
        settled ||= isSettled();
      }
    }),
  );
}

async function open(load: GroupLoad, group: string, count: number): Promise<ConsumerMember[]> {
  const members: ConsumerMember[] = [];
  const network = makeRealNetwork();
  while (members.length < count) {
    const connection = await Connection.connect({ host: load.host, port: load.port, network, clientId: 'bench' });
    members.push(new ConsumerMember(load, group, connection));
  }
  return members;
}

/** A member leaves, the others settle; it comes again, all settle: the time of the second half is that of one rebalance. */
export function consumerRebalances(load: GroupLoad): Promise<LoadResult> {
  return timeRebalances(load, {
    atFirst: (members) => settle(members, load.partitions),
    before: async ([comes, ...stay]) => {
      await comes?.leave();
      await settle(stay, load.partitions);
    },
    begin: async ([comes]) => comes?.heartbeat(0),
  });
}

/** All come at once into a group that has nobody, each with its first heartbeat; they leave again outside the time. */
export function consumerJoins(load: GroupLoad): Promise<LoadResult> {
  return timeRebalances(load, {
    atFirst: async () => undefined,
    before: async (members, round) => {
      if (round > 0) await Promise.all(members.map((member) => member.leave()));
    },
    begin: async () => undefined,
  });
}

interface Rebalance {
  readonly atFirst: (members: readonly ConsumerMember[]) => Promise<void>;
  /** Outside the time of a round. */
  readonly before: (members: readonly ConsumerMember[], round: number) => Promise<void>;
  readonly begin: (members: readonly ConsumerMember[]) => Promise<void>;
}

/** The time of a round is from its beginning until all members have settled. */
async function timeRebalances(load: GroupLoad, { atFirst, before, begin }: Rebalance): Promise<LoadResult> {
  const members = await open(load, 'bench-consumer', load.membersPerGroup);
  const tally = new Tally();
  try {
    await atFirst(members);
    tally.begin();
    for (let round = 0; round < load.rebalances; round += 1) {
      await before(members, round);
      const startedMs = performance.now();
      await begin(members);
      await settle(members, load.partitions);
      const nowMs = performance.now();
      tally.add({ nowMs, latencyMs: nowMs - startedMs, bytes: 0, records: 0 });
    }
    tally.end();
  } finally {
    for (const member of members) member.close();
  }
  return tally.result();
}

export async function consumerHeartbeats(load: GroupLoad): Promise<LoadResult> {
  const groups = await Promise.all(
    Array.from({ length: load.groups }, (_, nth) => open(load, `bench-consumer-${nth}`, load.membersPerGroup)),
  );
  const tally = new Tally();
  const over = new AbortController();
  const beat = async (member: ConsumerMember): Promise<void> => {
    while (!over.signal.aborted) {
      const sentMs = performance.now();
      await member.heartbeat();
      const nowMs = performance.now();
      tally.add({ nowMs, latencyMs: nowMs - sentMs, bytes: 0, records: 1 });
    }
  };
  try {
    await Promise.all(groups.map((members) => settle(members, load.partitions)));
    const all = Promise.all(groups.flat().map(beat));
    const after = (ms: number, then: () => void): Promise<void> => new Promise((resolve) => setTimeout(() => resolve(then()), ms));
    await Promise.race([all, after(load.warmUpMs, () => tally.begin())]);
    await Promise.race([all, after(load.measureMs, () => tally.end())]);
    over.abort();
    await all;
  } finally {
    for (const member of groups.flat()) member.close();
  }
  return tally.result();
}
