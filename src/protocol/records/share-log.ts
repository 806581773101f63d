// The records of __share_group_state: which records of a partition a share group has delivered (KIP-932). Tables only.
import { arrayOf, int16, int32, int64, int8, message, string, uuid, type Decoded } from '../schema.ts';
import type { CoordinatorTables } from './coordinator-tables.ts';

export const shareSnapshotKey = message(
  'ShareSnapshotKey',
  { apiKey: 0, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  },
);
export type ShareSnapshotKey = Decoded<typeof shareSnapshotKey>;

export const shareSnapshotValue = message(
  'ShareSnapshotValue',
  { apiKey: 0, type: 'data', versions: '0', flexible: '0+' },
  {
    snapshotEpoch: int32('0+'),
    stateEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { tag: 0, default: -1 }),
    createTimestamp: int64('0+'),
    writeTimestamp: int64('0+'),
    stateBatches: arrayOf('0+', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  },
);
export type ShareSnapshotValue = Decoded<typeof shareSnapshotValue>;

export const shareUpdateKey = message(
  'ShareUpdateKey',
  { apiKey: 1, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  },
);
export type ShareUpdateKey = Decoded<typeof shareUpdateKey>;

export const shareUpdateValue = message(
  'ShareUpdateValue',
  { apiKey: 1, type: 'data', versions: '0', flexible: '0+' },
  {
    snapshotEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { tag: 0, default: -1 }),
    stateBatches: arrayOf('0+', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  },
);
export type ShareUpdateValue = Decoded<typeof shareUpdateValue>;

/** Key and value tables by record type: the int16 that every key begins with. */
export const shareRecords: ReadonlyMap<number, CoordinatorTables> = new Map<number, CoordinatorTables>([
  [0, { key: shareSnapshotKey, value: shareSnapshotValue }],
  [1, { key: shareUpdateKey, value: shareUpdateValue }],
]);
