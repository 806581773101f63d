// When records were written: the timestamp of the first record at or behind an offset, for many partitions at once and with
// little read of each.
import type { Compute } from '../base/env.ts';
import { NONE } from '../protocol/errors.ts';
import { fetchRequest, fetchResponse, type FetchResponse } from '../protocol/messages/fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { isControl, iterateBatches, lastOffsetOf, sizeInBytesOf } from '../protocol/record-batch.ts';
import { decodeRecords } from '../protocol/record-batch-records.ts';
import { kafkaErrorOf } from './broker-link.ts';
import type { Cluster } from './cluster.ts';
import { partitionKey, type TopicPartition } from './list-offsets.ts';
import { retrying } from './waiting.ts';

export interface RecordPlace extends TopicPartition {
  readonly offset: number;
  /** Exclusive: nothing is looked for from here on. */
  readonly endOffset: number;
}

interface Search extends TopicPartition {
  next: number;
  readonly endOffset: number;
}

const fetch = { request: fetchRequest, response: fetchResponse };
const LAST_VERSION_WITH_NAMES = 12;
/** One batch is enough; a broker sends the first one of an answer whole, however large. */
const PARTITION_BYTES = 32 * 1024;
const ANSWER_BYTES = 8 * 1024 * 1024;
const MOST_RECORDS_BYTES = 1024 * 1024 * 1024;

/**
 * Milliseconds since 1970 by `partitionKey`. A partition is left out when there is no record in its range: compaction has
 * taken them, or only markers of transactions are there; and when its leader does not answer for it.
 */
export async function recordTimes(cluster: Cluster, compute: Compute, places: readonly RecordPlace[]): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  let left: Search[] = places
    .filter(({ offset, endOffset }) => offset < endOffset)
    .map(({ topic, partition, offset, endOffset }) => ({ topic, partition, next: offset, endOffset }));
  while (left.length > 0) {
    const byLeader = new Map<number, Search[]>();
    for (const search of left) {
      const leader = await cluster.leaderIdOf(search.topic, search.partition);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), search]);
    }
    const rounds = [...byLeader].map(([leader, asked]) => askLeader(cluster, compute, leader, asked, times));
    left = (await Promise.all(rounds)).flat();
  }
  return times;
}

/** Returns what has to be asked again. */
async function askLeader(
  cluster: Cluster,
  compute: Compute,
  leader: number,
  asked: readonly Search[],
  times: Map<string, number>,
): Promise<Search[]> {
  const answer = await retrying(cluster.env, { withinMs: cluster.timeoutMs }, async () => {
    const link = await cluster.link(leader);
    const told = await link.request(fetch, requestFor(asked), { mostVersion: LAST_VERSION_WITH_NAMES });
    if (told.errorCode !== NONE) throw kafkaErrorOf(told.errorCode, null);
    return told;
  });
  const searches = new Map(asked.map((search) => [partitionKey(search), search]));
  const again: Search[] = [];
  let moved = false;
  for (const { topic, partitions } of answer.responses) {
    for (const partition of partitions) {
      const search = searches.get(partitionKey({ topic, partition: partition.partitionIndex }));
      if (search === undefined || partition.errorCode !== NONE) continue;
      const from = search.next;
      const found = await firstTime(compute, search, partition.records);
      if (found !== undefined) times.set(partitionKey(search), found);
      else if (search.next < search.endOffset) again.push(search);
      moved ||= found !== undefined || search.next > from;
    }
  }
  return moved ? again : []; // a leader that has nothing for anybody has nothing a moment later either
}

const requestFor = (asked: readonly Search[]) => ({
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: ANSWER_BYTES,
  replicaState: {},
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  forgottenTopicsData: [],
  topics: [...Map.groupBy(asked, ({ topic }) => topic)].map(([topic, searches]) => ({
    topic,
    topicId: ZERO_UUID,
    partitions: searches.map(({ partition, next }) => ({
      partition,
      fetchOffset: next,
      partitionMaxBytes: PARTITION_BYTES,
      replicaDirectoryId: ZERO_UUID,
    })),
  })),
});

/** Moves the search past every batch that has nothing. */
async function firstTime(
  compute: Compute,
  search: Search,
  bytes: FetchResponse['responses'][number]['partitions'][number]['records'],
): Promise<number | undefined> {
  if (bytes === null) return undefined;
  for (const at of iterateBatches(bytes)) {
    const batch = bytes.subarray(at, at + sizeInBytesOf(bytes, at));
    const records = isControl(batch, 0) ? [] : await decodeRecords(compute, batch, MOST_RECORDS_BYTES);
    const first = records.find(({ offset }) => offset >= search.next && offset < search.endOffset);
    if (first !== undefined) return first.timestamp;
    search.next = Math.max(search.next, lastOffsetOf(batch, 0) + 1);
  }
  return undefined;
}
