// Who wrote what, and was told so: records that say what they are, kept beside the offsets they were acknowledged at, and held
// against what the broker gives afterwards.
import assert from 'node:assert/strict';
import type { Connection } from '../../src/client/connection.ts';
import { batchOf, fetchOne, produce, recordsOf } from '../../src/handlers/data-path.testing.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/messages/create-topics.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/messages/find-coordinator.ts';
import { errorNameOf } from '../../src/protocol/errors.ts';

export type Outcome = ReturnType<typeof errorNameOf> | 'CLOSED';

export async function createTopic(
  client: Connection,
  name: string,
  numPartitions = 1,
  configs: Record<string, string> = {},
): Promise<void> {
  const answer = await client.request({ request: createTopicsRequest, response: createTopicsResponse }, 7, {
    topics: [
      {
        name,
        numPartitions,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 10_000,
    validateOnly: false,
  });
  assert.equal(answer.topics[0]?.errorCode, 0, answer.topics[0]?.errorMessage ?? '');
}

/** Until the group's coordinator is there: the first who asks makes its topic. */
export async function findCoordinator(client: Connection): Promise<void> {
  const tables = { request: findCoordinatorRequest, response: findCoordinatorResponse };
  const deadline = performance.now() + 10_000;
  for (;;) {
    const answer = await client.request(tables, 3, { key: 'readers', keyType: 0, coordinatorKeys: [] });
    if (answer.errorCode === 0) return;
    assert.ok(performance.now() < deadline, errorNameOf(answer.errorCode));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Ledger {
  readonly topic: string;
  /** By partition: offset -> value. */
  readonly #acknowledged = new Map<number, Map<number, string>>();
  readonly outcomes = new Map<Outcome, number>();
  #written = 0;

  constructor(topic: string) {
    this.topic = topic;
  }

  get acknowledged(): number {
    return this.outcomes.get('NONE') ?? 0;
  }

  countOf(outcome: Outcome): number {
    return this.outcomes.get(outcome) ?? 0;
  }

  /** Writes one record; what came of it is noted. */
  async write(client: Connection, { partition = 0, bytes = 100 }: { partition?: number; bytes?: number } = {}): Promise<Outcome> {
    this.#written += 1;
    const value = `${this.topic} ${partition} ${this.#written} `.padEnd(bytes, String(this.#written % 10));
    let outcome: Outcome;
    try {
      const told = await produce(client, batchOf([value]), { topic: this.topic, partition });
      outcome = errorNameOf(told.errorCode);
      if (outcome === 'NONE') this.#note(partition, told.baseOffset, value);
    } catch {
      outcome = 'CLOSED';
    }
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    return outcome;
  }

  #note(partition: number, offset: number, value: string): void {
    let known = this.#acknowledged.get(partition);
    if (known === undefined) this.#acknowledged.set(partition, (known = new Map()));
    assert.ok(!known.has(offset), `offset ${offset} of ${this.topic}-${partition} was acknowledged twice`);
    known.set(offset, value);
  }

  /** Several writers at once, one record after the other each, until `enough` says so or the connection is gone. */
  async pump(
    client: Connection,
    options: { writers?: number; partitions?: number; bytes?: (n: number) => number; enough: () => boolean },
  ): Promise<void> {
    const { writers = 6, partitions = 1, bytes = (n) => (n % 9 === 0 ? 50_000 : 200), enough } = options;
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let n = writer; !enough(); n += 1)
          if ((await this.write(client, { partition: n % partitions, bytes: bytes(n) })) === 'CLOSED') return;
      }),
    );
  }

  /** What is noted by now. */
  copy(): Ledger {
    const copy = new Ledger(this.topic);
    for (const [partition, known] of this.#acknowledged) copy.#acknowledged.set(partition, new Map(known));
    return copy;
  }

  /** Everything acknowledged is where it was acknowledged to be; what else is there is whole, and offsets have no gaps. */
  async check(client: Connection): Promise<void> {
    for (const [partition, known] of this.#acknowledged) {
      const found = new Map<number, string>();
      for (let offset = 0, end = 1; offset < end; offset = found.size) {
        const told = await fetchOne(client, offset, { topic: this.topic, partition, maxBytes: 4_000_000 });
        assert.equal(told.errorCode, 0, `${this.topic}-${partition} at ${offset}: ${errorNameOf(told.errorCode)}`);
        end = told.highWatermark;
        const records = await recordsOf(told);
        assert.ok(records.length > 0 || offset >= end, `${this.topic}-${partition} gives nothing at ${offset} of ${end}`);
        for (const record of records) {
          const colon = record.indexOf(':');
          const at = Number(record.slice(0, colon));
          if (at < offset) continue;
          assert.equal(at, found.size, `${this.topic}-${partition} has a gap`);
          assert.ok(
            record.startsWith(`${this.topic} ${partition} `, colon + 1),
            `${this.topic}-${partition} has a strange record at ${at}`,
          );
          found.set(at, record.slice(colon + 1));
        }
      }
      for (const [offset, value] of known)
        assert.equal(
          found.get(offset)?.slice(0, 60),
          value.slice(0, 60),
          `offset ${offset} of ${this.topic}-${partition} was acknowledged`,
        );
      for (const [offset, value] of known) assert.ok(found.get(offset) === value);
    }
  }
}
