// What is shown of a group: tables for people, and the JSON that programs rely on (docs/cli.md, "Groups as JSON").
import type { GroupLag, PartitionLag } from '../client/group-lag.ts';
import type { MemberDescription } from '../client/groups.ts';
import type { BrokerMetadata } from '../client/cluster.ts';
import type { TopicPartitions } from '../protocol/consumer-protocol.ts';
import { tableOf, type Column } from './output.ts';

export interface GroupView {
  readonly group: GroupLag;
  /** Undefined when the cluster does not name that broker. */
  readonly coordinator: BrokerMetadata | undefined;
}

export interface Sections {
  readonly members: boolean;
  readonly partitions: boolean;
}

const memberColumns: readonly Column<MemberDescription>[] = [
  { title: 'MEMBER', text: ({ memberId }) => memberId },
  { title: 'CLIENT', text: ({ clientId }) => clientId || '-' },
  { title: 'HOST', text: ({ host }) => host.replace(/^\//, '') },
  { title: 'INSTANCE', text: ({ instanceId }) => instanceId ?? '-', wide: true },
  { title: 'RACK', text: ({ rackId }) => rackId ?? '-', wide: true },
  { title: 'EPOCH', text: ({ epoch }) => epoch ?? '-', wide: true },
  { title: 'PARTITIONS', text: ({ assignment }) => assignmentText(assignment) },
  {
    title: 'TARGET',
    text: ({ targetAssignment }) => (targetAssignment === undefined ? '-' : assignmentText(targetAssignment)),
    wide: true,
  },
];

const partitionColumns: readonly Column<PartitionLag>[] = [
  { title: 'TOPIC', text: ({ topic }) => topic },
  { title: 'PARTITION', text: ({ partition }) => partition },
  { title: 'START', text: ({ logStartOffset }) => logStartOffset ?? '-', wide: true },
  { title: 'COMMITTED', text: ({ committedOffset }) => committedOffset ?? '-' },
  { title: 'END', text: ({ endOffset }) => endOffset ?? '-' },
  { title: 'LAG', text: ({ lag }) => lag ?? '-' },
  { title: 'TIME-LAG', text: ({ lagTimeMs }) => durationText(lagTimeMs) },
  { title: 'METADATA', text: ({ committedMetadata }) => JSON.stringify(committedMetadata ?? ''), wide: true },
  { title: 'MEMBER', text: ({ member }) => member?.memberId ?? '-' },
];

export function groupText({ group, coordinator }: GroupView, { wide, sections }: { wide: boolean; sections: Sections }): string {
  const protocol = [group.protocolType, group.assignor].filter(Boolean).join(', ');
  const facts: readonly (readonly [string, string | number])[] = [
    ['group', group.groupId],
    ['state', group.state],
    ['type', group.type],
    ...(protocol === '' ? [] : [['protocol', protocol] as const]),
    ...(group.epoch === undefined ? [] : [['epoch', `${group.epoch}, assigned ${group.assignmentEpoch ?? '-'}`] as const]),
    ['coordinator', coordinator === undefined ? group.coordinator : `${group.coordinator} (${addressText(coordinator)})`],
    ['members', group.members.length],
    ['lag', lagText(group)],
  ];
  const columns = <Row>(all: readonly Column<Row>[]): Column<Row>[] => all.filter((column) => wide || column.wide !== true);
  const tables = [
    sections.members ? tableOf(group.members, columns(memberColumns)) : '',
    sections.partitions ? tableOf(group.partitions, columns(partitionColumns)) : '',
  ];
  const head = facts.map(([title, value]) => `${title.padEnd(13)}${value}\n`).join('');
  return [head, ...tables.filter((table) => table !== '')].join('\n');
}

const addressText = ({ host, port }: BrokerMetadata): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

export function lagText({ lag, lagTimeMs }: Pick<GroupLag, 'lag' | 'lagTimeMs'>): string {
  const records = lag === 1 ? '1 record' : `${lag} records`;
  return lag === 0 || lagTimeMs === undefined ? records : `${records}, ${durationText(lagTimeMs)}`;
}

/** `orders:0,1 users:2` */
const assignmentText = (assignment: readonly TopicPartitions[]): string =>
  sorted(assignment)
    .map(({ topic, partitions }) => `${topic}:${partitions.join(',')}`)
    .join(' ') || '-';

const sorted = (assignment: readonly TopicPartitions[]): TopicPartitions[] =>
  assignment
    .map(({ topic, partitions }) => ({ topic, partitions: partitions.toSorted((a, b) => a - b) }))
    .toSorted((a, b) => (a.topic < b.topic ? -1 : 1));

/** Two units at most: `350ms`, `12s`, `3m20s`, `5h10m`, `2d3h`. */
export function durationText(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 1000) return ms === 0 ? '0' : `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('');
}

/** See docs/cli.md, "Groups as JSON". */
export function groupJson({ group, coordinator }: GroupView): Record<string, unknown> {
  return {
    groupId: group.groupId,
    state: group.state,
    type: group.type,
    protocolType: group.protocolType,
    assignor: group.assignor ?? null,
    groupEpoch: group.epoch ?? null,
    assignmentEpoch: group.assignmentEpoch ?? null,
    coordinator: { nodeId: group.coordinator, host: coordinator?.host ?? null, port: coordinator?.port ?? null },
    lag: group.lag,
    lagTimeMs: group.lagTimeMs ?? null,
    members: group.members.map(memberJson),
    partitions: group.partitions.map(partitionJson),
  };
}

const memberJson = (member: MemberDescription): unknown => ({
  memberId: member.memberId,
  instanceId: member.instanceId,
  clientId: member.clientId,
  host: member.host,
  rackId: member.rackId,
  memberEpoch: member.epoch ?? null,
  assignment: sorted(member.assignment),
  targetAssignment: member.targetAssignment === undefined ? null : sorted(member.targetAssignment),
});

const partitionJson = (one: PartitionLag): unknown => ({
  topic: one.topic,
  partition: one.partition,
  committedOffset: one.committedOffset ?? null,
  committedMetadata: one.committedMetadata,
  logStartOffset: one.logStartOffset ?? null,
  endOffset: one.endOffset ?? null,
  lag: one.lag ?? null,
  lagTimeMs: one.lagTimeMs ?? null,
  memberId: one.member?.memberId ?? null,
  clientId: one.member?.clientId ?? null,
});
