// The records of groups as the coordinator writes and reads them: an int16 record type and the key, an int16 version and the
// value, in the versions Kafka 4.2 writes (GroupCoordinatorRecordHelpers). What they mean is folded in groups-state.ts.
import { decode, encode } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Reader, ZERO_UUID } from '../../protocol/reader.ts';
import {
  groupMetadataKey,
  groupMetadataValue,
  legacyOffsetCommitKey,
  legacyOffsetCommitValue,
  offsetCommitKey,
  offsetCommitValue,
  type GroupMetadataKey,
  type GroupMetadataValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from '../../protocol/records/group-log.ts';
import type { Encodable, Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import type { RecordBytes } from '../coordinator/shard.ts';

/** A null value is a tombstone: what the key tells of is gone. */
export type GroupRecord =
  | { readonly type: 'OffsetCommit'; readonly key: OffsetCommitKey; readonly value: OffsetCommitValue | null }
  | { readonly type: 'GroupMetadata'; readonly key: GroupMetadataKey; readonly value: GroupMetadataValue | null };

/** An offset with an expiry of its own is told in the one version that has room for it; everything else in the newest. */
const OFFSET_COMMIT_VERSION = 4;
const OFFSET_COMMIT_VERSION_WITH_EXPIRY = 1;
const GROUP_METADATA_VERSION = 3;
const KEY_VERSION = 0;

export function encodeGroupRecord(record: GroupRecord): RecordBytes {
  if (record.type === 'OffsetCommit') {
    const { key, value } = record;
    const version = value?.expireTimestamp === -1 ? OFFSET_COMMIT_VERSION : OFFSET_COMMIT_VERSION_WITH_EXPIRY;
    return { key: encodeKey(offsetCommitKey, key), value: value === null ? null : encodeVersioned(offsetCommitValue, version, value) };
  }
  const { key, value } = record;
  return {
    key: encodeKey(groupMetadataKey, key),
    value: value === null ? null : encodeVersioned(groupMetadataValue, GROUP_METADATA_VERSION, value),
  };
}

/**
 * Undefined for a record type that this broker knows nothing of; the log keeps it.
 * @throws ProtocolError when the bytes are no such record
 */
export function decodeGroupRecord({ key: keyBytes, value: valueBytes }: RecordBytes): GroupRecord | undefined {
  const reader = new Reader(keyBytes);
  const type = reader.int16();
  switch (type) {
    case legacyOffsetCommitKey.apiKey: {
      const key = decode(legacyOffsetCommitKey, KEY_VERSION, reader);
      const value = valueBytes === null ? null : decodeVersioned(legacyOffsetCommitValue, valueBytes);
      return {
        type: 'OffsetCommit',
        key,
        value: value === null ? null : { ...value, leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID },
      };
    }
    case offsetCommitKey.apiKey: {
      const key = decode(offsetCommitKey, KEY_VERSION, reader);
      return { type: 'OffsetCommit', key, value: valueBytes === null ? null : decodeVersioned(offsetCommitValue, valueBytes) };
    }
    case groupMetadataKey.apiKey: {
      const key = decode(groupMetadataKey, KEY_VERSION, reader);
      return { type: 'GroupMetadata', key, value: valueBytes === null ? null : decodeVersioned(groupMetadataValue, valueBytes) };
    }
    default:
      return undefined;
  }
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
