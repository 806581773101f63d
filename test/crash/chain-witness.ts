// What the chains of consumers are judged by: reads the last topic as it grows, and asks again and again what the groups
// have committed. Speaks the protocol itself, so that no client library stands between the broker and the judgement.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import { fetchRequest, fetchResponse } from '../../src/protocol/messages/fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/messages/list-offsets.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/messages/offset-fetch.ts';
import { iterateRecords } from '../../src/protocol/record-batch-records.ts';
import { iterateBatches, lastOffsetOf, sizeInBytesOf } from '../../src/protocol/record-batch.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';

const network = makeRealNetwork();
export const connect = (port: number): Promise<Connection> => Connection.connect({ network, host: '127.0.0.1', port, clientId: 'witness' });

/** A coordinator says these while it is not ready; anything else is a finding. */
const notYet: ReadonlySet<number> = new Set([14, 15, 16]); // COORDINATOR_LOAD_IN_PROGRESS, _NOT_AVAILABLE, NOT_COORDINATOR
const latest = -1;

/** The value of the nth record of a partition; only the numbers are looked at again. */
export const valueOf = (partition: number, n: number): string => `${partition} ${n} ${'.'.repeat(n % 80)}`;

/**
 * Reads a topic from its beginning, over the deaths of its broker. Every record must have come before the ones that were
 * numbered after it, however often it comes again: then nothing is lost and nothing overtakes.
 */
export class ReadOnce {
  readonly #topic: string;
  /** By partition: the offset to go on from, and the number of the first record that has not come. */
  readonly #partitions: { fetchOffset: number; next: number }[];
  records = 0;
  again = 0;

  constructor(topic: string, partitions: number) {
    this.#topic = topic;
    this.#partitions = Array.from({ length: partitions }, () => ({ fetchOffset: 0, next: 0 }));
  }

  /** Takes what there is, or waits for it a moment. */
  async readOn(connection: Connection): Promise<void> {
    const answer = await connection.request({ request: fetchRequest, response: fetchResponse }, 12, {
      maxWaitMs: 200,
      minBytes: 1,
      topics: [
        {
          topic: this.#topic,
          topicId: ZERO_UUID,
          partitions: this.#partitions.map(({ fetchOffset }, partition) => ({ partition, fetchOffset, partitionMaxBytes: 1_000_000 })),
        },
      ],
      forgottenTopicsData: [],
    });
    for (const { partitionIndex, errorCode, records } of answer.responses[0]?.partitions ?? []) {
      assert.equal(errorCode, 0, `reading partition ${partitionIndex} of ${this.#topic}`);
      if (records !== null) this.#take(partitionIndex, records);
    }
  }

  #take(partition: number, records: Buffer): void {
    const state = this.#partitions[partition];
    assert.ok(state);
    for (const at of iterateBatches(records)) {
      for (const { value } of iterateRecords(records.subarray(at, at + sizeInBytesOf(records, at)))) {
        const [from, n = Number.NaN] = (value?.toString('latin1') ?? '').split(' ').map(Number);
        assert.equal(from, partition, `a record of partition ${from} lies in partition ${partition}`);
        assert.equal(value?.toString('latin1'), valueOf(partition, n), `record ${n} of partition ${partition} is another one`);
        assert.ok(n <= state.next, `partition ${partition} of ${this.#topic}: record ${n} came before ${state.next}`);
        if (n < state.next) this.again += 1;
        else {
          state.next += 1;
          this.records += 1;
        }
      }
      state.fetchOffset = lastOffsetOf(records, at) + 1;
    }
  }
}

/** What every group has committed: never less than it was, and never less than a member was told is committed. */
export class CommittedOffsets {
  readonly #topics: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, number[]>();
  readonly #acknowledged = new Map<string, number[]>();

  /** @param topics by group */
  constructor(topics: ReadonlyMap<string, string>) {
    this.#topics = topics;
    for (const group of topics.keys()) {
      this.#seen.set(group, []);
      this.#acknowledged.set(group, []);
    }
  }

  /** A member was told that the offset is committed. */
  acknowledge(group: string, partition: number, offset: number): void {
    const offsets = this.#acknowledged.get(group) as number[];
    offsets[partition] = Math.max(offsets[partition] ?? -1, offset);
  }

  of(group: string): readonly number[] {
    return this.#seen.get(group) as number[];
  }

  async look(connection: Connection): Promise<void> {
    const atLeast = new Map([...this.#acknowledged].map(([group, offsets]) => [group, [...offsets]]));
    const answer = await connection.request({ request: offsetFetchRequest, response: offsetFetchResponse }, 8, {
      groupId: '', // of the versions before there were several
      topics: null,
      groups: [...this.#topics.keys()].map((groupId) => ({ groupId, topics: null })),
      requireStable: false,
    });
    for (const { groupId, errorCode, topics } of answer.groups) {
      if (notYet.has(errorCode)) continue;
      assert.equal(errorCode, 0, `fetching the offsets of ${groupId}`);
      const found: number[] = [];
      for (const { partitionIndex, committedOffset } of topics.find(({ name }) => name === this.#topics.get(groupId))?.partitions ?? [])
        found[partitionIndex] = committedOffset;
      this.#compare(groupId, found, atLeast.get(groupId) ?? []);
      this.#seen.set(groupId, found);
    }
  }

  #compare(group: string, found: readonly number[], acknowledged: readonly number[]): void {
    const seen = this.of(group);
    for (let partition = 0; partition < Math.max(seen.length, acknowledged.length); partition += 1) {
      const offset = found[partition] ?? -1;
      const before = seen[partition] ?? -1;
      const told = acknowledged[partition] ?? -1;
      assert.ok(offset >= before, `${group}, partition ${partition}: the committed offset went back from ${before} to ${offset}`);
      assert.ok(offset >= told, `${group}, partition ${partition}: ${told} was acknowledged, and committed is ${offset}`);
    }
  }
}

export async function endOffsets(connection: Connection, topic: string, partitions: number): Promise<number[]> {
  const answer = await connection.request({ request: listOffsetsRequest, response: listOffsetsResponse }, 6, {
    replicaId: -1,
    isolationLevel: 0,
    timeoutMs: 0,
    topics: [
      { name: topic, partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: latest })) },
    ],
  });
  const ends: number[] = [];
  for (const { partitionIndex, offset } of answer.topics[0]?.partitions ?? []) ends[partitionIndex] = offset;
  return ends;
}

/** Repeats a look over broken connections, for as long as told. */
export async function keepLooking(port: () => number, stop: AbortSignal, look: (connection: Connection) => Promise<void>): Promise<void> {
  while (!stop.aborted) {
    const connection = await connect(port()).catch(() => undefined);
    if (connection === undefined) {
      await sleep(50);
      continue;
    }
    try {
      while (!stop.aborted) await look(connection);
    } catch (thrown) {
      if (!connection.closed) throw thrown;
    } finally {
      connection.close();
    }
  }
}
