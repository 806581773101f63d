// The records of the metadata log, and the frame each lies in: unsigned varints frame version, record type and record
// version, then the message (MetadataRecordSerde of Kafka). All of Kafka's are known, also those this broker does not act on:
// what it may not lose it must be able to read. Which version is written depends on the cluster's metadata.version.
import { decode, encode } from '../../protocol/codec.ts';
import { KafkaError, ProtocolError } from '../../protocol/errors.ts';
import { Reader } from '../../protocol/reader.ts';
import * as tables from '../../protocol/records/metadata-log.ts';
import type { Decoded, Encodable, Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';

export const METADATA_VERSION_FEATURE = 'metadata.version';

/** Feature levels of metadata.version at which something about the records changed (MetadataVersion of Kafka). */
export const metadataVersions = {
  /** 3.3-IV3: the lowest that Kafka 4.x starts with. */
  lowest: 7,
  /** 3.4-IV0: RegisterBrokerRecord 2. */
  migration: 8,
  /** 3.6-IV1: transactions of several batches (KIP-868). */
  transactions: 13,
  /** 3.7-IV2: directories of replicas (KIP-858). */
  directories: 17,
  /** 4.0-IV1: eligible leader replicas (KIP-966). */
  eligibleLeaders: 23,
  /** 4.2-IV1: the one that Kafka 4.2 finalizes. */
  newest: 29,
} as const;

const { migration, directories, eligibleLeaders } = metadataVersions;

const recordTables = {
  RegisterBrokerRecord: tables.registerBrokerRecord,
  UnregisterBrokerRecord: tables.unregisterBrokerRecord,
  TopicRecord: tables.topicRecord,
  PartitionRecord: tables.partitionRecord,
  ConfigRecord: tables.configRecord,
  PartitionChangeRecord: tables.partitionChangeRecord,
  FenceBrokerRecord: tables.fenceBrokerRecord,
  UnfenceBrokerRecord: tables.unfenceBrokerRecord,
  RemoveTopicRecord: tables.removeTopicRecord,
  DelegationTokenRecord: tables.delegationTokenRecord,
  UserScramCredentialRecord: tables.userScramCredentialRecord,
  FeatureLevelRecord: tables.featureLevelRecord,
  ClientQuotaRecord: tables.clientQuotaRecord,
  ProducerIdsRecord: tables.producerIdsRecord,
  BrokerRegistrationChangeRecord: tables.brokerRegistrationChangeRecord,
  AccessControlEntryRecord: tables.accessControlEntryRecord,
  RemoveAccessControlEntryRecord: tables.removeAccessControlEntryRecord,
  NoOpRecord: tables.noOpRecord,
  ZkMigrationStateRecord: tables.zkMigrationStateRecord,
  RemoveUserScramCredentialRecord: tables.removeUserScramCredentialRecord,
  BeginTransactionRecord: tables.beginTransactionRecord,
  EndTransactionRecord: tables.endTransactionRecord,
  AbortTransactionRecord: tables.abortTransactionRecord,
  RemoveDelegationTokenRecord: tables.removeDelegationTokenRecord,
  RegisterControllerRecord: tables.registerControllerRecord,
  ClearElrRecord: tables.clearElrRecord,
} as const satisfies Record<string, Message>;

type Tables = typeof recordTables;
export type MetadataRecordType = keyof Tables;

/** A record as it is read. */
export type MetadataRecord = {
  [Type in MetadataRecordType]: { readonly type: Type; readonly value: Decoded<Tables[Type]> };
}[MetadataRecordType];
/** A record as it is made: fields with a default may be left out. */
export type NewMetadataRecord = {
  [Type in MetadataRecordType]: { readonly type: Type; readonly value: Encodable<Tables[Type]> };
}[MetadataRecordType];
/** The record of one type, as it is read. */
export type RecordValue<Type extends MetadataRecordType> = Decoded<Tables[Type]>;

/** The bytes are sound, and mean something that only a newer Kafka knows. */
export class NewerMetadataError extends ProtocolError {}

const FRAME_VERSION = 1;
const typesById = new Map<number, MetadataRecordType>(
  Object.entries(recordTables).map(([type, table]) => [table.apiKey ?? -1, type as MetadataRecordType]),
);

/** `metadataVersion`: the level of the cluster. What its version of the record has no room for is left out. */
export function encodeMetadataRecord(record: NewMetadataRecord, metadataVersion: number): Buffer {
  const table: Message = recordTables[record.type];
  const { version, value } = versionOf(record, metadataVersion);
  const writer = new Writer();
  writer.uvarint(FRAME_VERSION);
  writer.uvarint(table.apiKey ?? -1);
  writer.uvarint(version);
  encode(table, version, value as Encodable<Message>, writer);
  return Buffer.concat(writer.buffers());
}

function versionOf({ type, value }: NewMetadataRecord, metadataVersion: number): { version: number; value: object } {
  if (type === 'RegisterBrokerRecord') {
    if (metadataVersion >= directories) return { version: 3, value };
    return { version: metadataVersion >= migration ? 2 : 1, value: { ...value, logDirs: [] } };
  }
  if (type === 'PartitionRecord' || type === 'PartitionChangeRecord') {
    if (metadataVersion >= eligibleLeaders) return { version: 2, value };
    const known = { ...value, eligibleLeaderReplicas: null, lastKnownElr: null };
    if (metadataVersion >= directories) return { version: 1, value: known };
    return { version: 0, value: { ...known, directories: type === 'PartitionRecord' ? [] : null } };
  }
  if (type === 'BrokerRegistrationChangeRecord') {
    if ((value.logDirs?.length ?? 0) > 0 && metadataVersion >= directories) return { version: 2, value };
    return { version: (value.inControlledShutdown ?? 0) === 0 ? 0 : 1, value: { ...value, logDirs: [] } };
  }
  return { version: 0, value };
}

/**
 * The bytes must hold the record and nothing else.
 * @throws ProtocolError when they are no metadata record, or one that only a newer Kafka knows
 */
export function decodeMetadataRecord(bytes: Buffer): MetadataRecord {
  const reader = new Reader(bytes);
  const frameVersion = reader.uvarint();
  if (frameVersion !== FRAME_VERSION)
    throw new ProtocolError(`a metadata record has frame version ${frameVersion}, known is ${FRAME_VERSION}`);
  const typeId = reader.uvarint();
  const version = reader.uvarint();
  const type = typesById.get(typeId);
  if (type === undefined) throw new NewerMetadataError(`the metadata record type ${typeId} is not known`);
  const value = decodeValue(type, version, reader);
  if (reader.at < reader.end) throw new ProtocolError(`${reader.end - reader.at} bytes follow the ${type}`);
  return { type, value } as MetadataRecord;
}

function decodeValue(type: MetadataRecordType, version: number, reader: Reader): unknown {
  try {
    return decode<Message>(recordTables[type], version, reader);
  } catch (thrown) {
    if (thrown instanceof KafkaError && thrown.errorName === 'UNSUPPORTED_VERSION')
      throw new NewerMetadataError(`version ${version} of ${type} is not known`);
    throw thrown;
  }
}
