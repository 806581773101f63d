// The records of groups as the coordinator writes and reads them: an int16 record type and the key, an int16 version and the
// value, in the versions Kafka 4.2 writes (GroupCoordinatorRecordHelpers). What they mean is folded in groups-state.ts.
import { decode, encode } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Reader, ZERO_UUID } from '../../protocol/reader.ts';
import * as tables from '../../protocol/records/group-log.ts';
import type { Decoded, Encodable, Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import type { RecordBytes } from '../coordinator/shard.ts';

/** What is written: key and value, and the version of the value. A record type is the API key of its key. */
const written = {
  OffsetCommit: { key: tables.offsetCommitKey, value: tables.offsetCommitValue, version: 4 },
  GroupMetadata: { key: tables.groupMetadataKey, value: tables.groupMetadataValue, version: 3 },
  ConsumerGroupMetadata: { key: tables.consumerGroupMetadataKey, value: tables.consumerGroupMetadataValue, version: 0 },
  ConsumerGroupPartitionMetadata: {
    key: tables.consumerGroupPartitionMetadataKey,
    value: tables.consumerGroupPartitionMetadataValue,
    version: 0,
  },
  ConsumerGroupMemberMetadata: { key: tables.consumerGroupMemberMetadataKey, value: tables.consumerGroupMemberMetadataValue, version: 0 },
  ConsumerGroupTargetAssignmentMetadata: {
    key: tables.consumerGroupTargetAssignmentMetadataKey,
    value: tables.consumerGroupTargetAssignmentMetadataValue,
    version: 0,
  },
  ConsumerGroupTargetAssignmentMember: {
    key: tables.consumerGroupTargetAssignmentMemberKey,
    value: tables.consumerGroupTargetAssignmentMemberValue,
    version: 0,
  },
  ConsumerGroupCurrentMemberAssignment: {
    key: tables.consumerGroupCurrentMemberAssignmentKey,
    value: tables.consumerGroupCurrentMemberAssignmentValue,
    version: 0,
  },
  ConsumerGroupRegularExpression: {
    key: tables.consumerGroupRegularExpressionKey,
    value: tables.consumerGroupRegularExpressionValue,
    version: 0,
  },
} as const satisfies Record<string, { readonly key: Message; readonly value: Message; readonly version: number }>;

type Written = typeof written;
export type GroupRecordType = keyof Written;

/** A null value is a tombstone: what the key tells of is gone. */
export type GroupRecordOf<Type extends GroupRecordType> = Type extends GroupRecordType
  ? { readonly type: Type; readonly key: Decoded<Written[Type]['key']>; readonly value: Decoded<Written[Type]['value']> | null }
  : never;
export type GroupRecord = GroupRecordOf<GroupRecordType>;
/** Those that tell of a consumer group. */
export type ConsumerGroupRecord = GroupRecordOf<Exclude<GroupRecordType, 'OffsetCommit' | 'GroupMetadata'>>;

const typesByKey: ReadonlyMap<number, GroupRecordType> = new Map(
  Object.entries(written).map(([type, { key }]) => [key.apiKey ?? -1, type as GroupRecordType]),
);

/** An offset with an expiry of its own is told in the one version that has room for it. */
const OFFSET_COMMIT_VERSION_WITH_EXPIRY = 1;
const KEY_VERSION = 0;

export function encodeGroupRecord(record: GroupRecord): RecordBytes {
  const { key, value, version } = written[record.type];
  const valueVersion = record.type === 'OffsetCommit' && expires(record) ? OFFSET_COMMIT_VERSION_WITH_EXPIRY : version;
  return {
    key: encodeKey(key, record.key),
    value: record.value === null ? null : encodeVersioned(value, valueVersion, record.value),
  };
}

const expires = ({ value }: GroupRecordOf<'OffsetCommit'>): boolean => value !== null && value.expireTimestamp !== -1;

/**
 * Undefined for a record type that this broker knows nothing of; the log keeps it.
 * @throws ProtocolError when the bytes are no such record
 */
export function decodeGroupRecord({ key: keyBytes, value: valueBytes }: RecordBytes): GroupRecord | undefined {
  const reader = new Reader(keyBytes);
  const type = reader.int16();
  if (type === tables.legacyOffsetCommitKey.apiKey) return decodeLegacyOffsetCommit(reader, valueBytes);
  const known = typesByKey.get(type);
  if (known === undefined) return undefined;
  const { key, value } = written[known];
  // The tables and the name come from one row, so what they decode is what the name promises.
  return {
    type: known,
    key: decode(key, KEY_VERSION, reader),
    value: valueBytes === null ? null : decodeVersioned(value, valueBytes),
  } as GroupRecord;
}

/** As brokers before 0.8.2 wrote it; it says less. */
function decodeLegacyOffsetCommit(reader: Reader, valueBytes: Buffer | null): GroupRecord {
  const key = decode(tables.legacyOffsetCommitKey, KEY_VERSION, reader);
  const value = valueBytes === null ? null : decodeVersioned(tables.legacyOffsetCommitValue, valueBytes);
  return {
    type: 'OffsetCommit',
    key,
    value: value === null ? null : { ...value, leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID },
  };
}

function encodeKey<M extends Message>(table: M, key: Encodable<M>): Buffer {
  const writer = new Writer();
  writer.int16(table.apiKey ?? -1);
  encode(table, KEY_VERSION, key, writer);
  return joined(writer);
}

function encodeVersioned<M extends Message>(table: M, version: number, value: Encodable<M>): Buffer {
  const writer = new Writer();
  writer.int16(version);
  encode(table, version, value, writer);
  return joined(writer);
}

function joined(writer: Writer): Buffer {
  const buffers = writer.buffers();
  return buffers.length === 1 ? (buffers[0] as Buffer) : Buffer.concat(buffers);
}

function decodeVersioned<M extends Message>(table: M, bytes: Buffer) {
  const reader = new Reader(bytes);
  const version = reader.int16();
  if (version < table.versions.min || version > table.versions.max)
    throw new ProtocolError(`a ${table.name} has version ${version}, which this broker does not know`);
  return decode(table, version, reader);
}
