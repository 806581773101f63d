// How far a group is behind: what it has committed beside where its partitions end, and who reads them. Lag in records, and
// in time: the age of the record that the group reads next.
import type { Compute } from '../base/env.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { Cluster } from './cluster.ts';
import { byPartition, fetchCommitted, type CommittedOffset } from './committed-offsets.ts';
import { describeGroups, type GroupDescription, type MemberDescription } from './groups.ts';
import { listOffsets, partitionKey, type TopicPartition } from './list-offsets.ts';
import { recordTimes } from './record-times.ts';

export interface PartitionLag extends TopicPartition {
  /** The next offset that the group reads; undefined where it has committed nothing. */
  readonly committedOffset: number | undefined;
  readonly committedMetadata: string | null;
  /** Undefined where the partition is gone, or has no leader to say. */
  readonly logStartOffset: number | undefined;
  readonly endOffset: number | undefined;
  /** Records to the end, of all that there are where nothing is committed. Undefined where the end is. */
  readonly lag: number | undefined;
  /** Age of the first of them; 0 without lag. Undefined where it was not asked for or cannot be told. */
  readonly lagTimeMs: number | undefined;
  /** Whoever reads it. */
  readonly member: MemberDescription | undefined;
}

export interface GroupLag extends GroupDescription {
  /** Those that are committed or assigned, in order. */
  readonly partitions: readonly PartitionLag[];
  /** Of all partitions whose lag is known. */
  readonly lag: number;
  /** The longest of all. */
  readonly lagTimeMs: number | undefined;
}

export interface LagOptions {
  /** Reads a record of each partition that has lag. */
  readonly times?: { readonly compute: Compute };
}

/** Groups by id, each described and measured, or why it cannot be. @throws what a link throws */
export async function measureGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  options: LagOptions = {},
): Promise<Map<string, GroupLag | KafkaError>> {
  const [descriptions, committed] = await Promise.all([describeGroups(cluster, groupIds), fetchCommitted(cluster, groupIds)]);
  const described = [...descriptions].flatMap(([groupId, group]) => {
    const offsets = committed.get(groupId);
    return group instanceof KafkaError || offsets === undefined || offsets instanceof KafkaError ? [] : [{ group, offsets }];
  });
  const wanted = described.map(({ group, offsets }) => ({ group, positions: positionsOf(group, offsets) }));
  const logs = await measureLogs(
    cluster,
    wanted.flatMap(({ positions }) => positions),
  );
  const times = options.times && (await oldestRecords(cluster, options.times.compute, wanted, logs));
  const measured = new Map(
    wanted.map(({ group, positions }) => [group.groupId, lagOf(group, positions, { logs, times, nowMs: cluster.env.wallMs() })]),
  );
  return new Map(
    groupIds.map((groupId) => [groupId, measured.get(groupId) ?? refusalOf(descriptions.get(groupId), committed.get(groupId))]),
  );
}

function refusalOf(...outcomes: readonly unknown[]): KafkaError {
  return outcomes.find((outcome) => outcome instanceof KafkaError) ?? new KafkaError('COORDINATOR_NOT_AVAILABLE');
}

interface Position extends TopicPartition {
  readonly committed: CommittedOffset | undefined;
  readonly member: MemberDescription | undefined;
}

interface LogEnds {
  readonly start: number;
  readonly end: number;
}

function positionsOf(group: GroupDescription, offsets: readonly CommittedOffset[]): Position[] {
  const found = new Map<string, Position>();
  for (const committed of offsets)
    found.set(partitionKey(committed), { topic: committed.topic, partition: committed.partition, committed, member: undefined });
  for (const member of group.members)
    for (const { topic, partitions } of member.assignment)
      for (const partition of partitions) {
        const key = partitionKey({ topic, partition });
        found.set(key, { topic, partition, committed: found.get(key)?.committed, member });
      }
  return [...found.values()].toSorted(byPartition);
}

/** By `partitionKey`, of the partitions that exist and have a leader. */
export async function measureLogs(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<Map<string, LogEnds>> {
  if (partitions.length === 0) return new Map();
  const { topics } = await cluster.metadata([...new Set(partitions.map(({ topic }) => topic))]);
  const led = new Set(
    [...topics.values()].flatMap(({ name, partitions: known }) =>
      known.filter(({ leader }) => leader >= 0).map(({ partition }) => partitionKey({ topic: name, partition })),
    ),
  );
  const asked = [...new Map(partitions.map((one) => [partitionKey(one), one])).values()].filter((one) => led.has(partitionKey(one)));
  const offsetsAt = (at: 'earliest' | 'latest') =>
    listOffsets(
      cluster,
      asked.map(({ topic, partition }) => ({ topic, partition, at })),
    );
  const [starts, ends] = await Promise.all([offsetsAt('earliest'), offsetsAt('latest')]);
  return new Map(asked.map(partitionKey).map((key) => [key, { start: starts.get(key) ?? 0, end: ends.get(key) ?? 0 }]));
}

/** Where a group reads on: what has been deleted by now is not read. */
const nextOffset = (position: Position, { start }: LogEnds): number => Math.max(position.committed?.offset ?? start, start);

async function oldestRecords(
  cluster: Cluster,
  compute: Compute,
  wanted: readonly { readonly positions: readonly Position[] }[],
  logs: ReadonlyMap<string, LogEnds>,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  // Two groups may be at different places of one partition, and one search holds one place of each.
  for (const { positions } of wanted) {
    const places = positions.flatMap((position) => {
      const log = logs.get(partitionKey(position));
      return log === undefined ? [] : [{ ...position, offset: nextOffset(position, log), endOffset: log.end }];
    });
    const found = await recordTimes(cluster, compute, places);
    for (const place of places) {
      const time = found.get(partitionKey(place));
      if (time !== undefined) times.set(timeKey(place), time);
    }
  }
  return times;
}

const timeKey = (place: TopicPartition & { readonly offset: number }): string => `${partitionKey(place)}@${place.offset}`;

function lagOf(
  group: GroupDescription,
  positions: readonly Position[],
  { logs, times, nowMs }: { logs: ReadonlyMap<string, LogEnds>; times: ReadonlyMap<string, number> | undefined; nowMs: number },
): GroupLag {
  const partitions = positions.map((position): PartitionLag => {
    const log = logs.get(partitionKey(position));
    const lag = log && Math.max(0, log.end - nextOffset(position, log));
    const writtenMs = log && times?.get(timeKey({ ...position, offset: nextOffset(position, log) }));
    return {
      topic: position.topic,
      partition: position.partition,
      committedOffset: position.committed?.offset,
      committedMetadata: position.committed?.metadata ?? null,
      logStartOffset: log?.start,
      endOffset: log?.end,
      lag,
      lagTimeMs: times === undefined ? undefined : lag === 0 ? 0 : writtenMs === undefined ? undefined : Math.max(0, nowMs - writtenMs),
      member: position.member,
    };
  });
  const known = partitions.flatMap(({ lagTimeMs }) => lagTimeMs ?? []);
  return {
    ...group,
    partitions,
    lag: partitions.reduce((sum, { lag = 0 }) => sum + lag, 0),
    lagTimeMs: times === undefined || (known.length === 0 && partitions.length > 0) ? undefined : Math.max(0, ...known),
  };
}
