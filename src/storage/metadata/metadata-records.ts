// The metadata records this broker writes or understands, and the frame each lies in: unsigned varints frame version,
// record type and record version, then the message (MetadataRecordSerde of Kafka).
import { decode, encode } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Reader } from '../../protocol/reader.ts';
import * as tables from '../../protocol/records/metadata-log.ts';
import type { Decoded, Encodable, Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';

/** Kafka's records by name, each with the version that metadata.version 4.2 writes. */
const written = {
  RegisterBrokerRecord: [tables.registerBrokerRecord, 3],
  UnregisterBrokerRecord: [tables.unregisterBrokerRecord, 0],
  TopicRecord: [tables.topicRecord, 0],
  PartitionRecord: [tables.partitionRecord, 2],
  ConfigRecord: [tables.configRecord, 0],
  PartitionChangeRecord: [tables.partitionChangeRecord, 2],
  RemoveTopicRecord: [tables.removeTopicRecord, 0],
  FeatureLevelRecord: [tables.featureLevelRecord, 0],
  ProducerIdsRecord: [tables.producerIdsRecord, 0],
} as const satisfies Record<string, readonly [Message, number]>;

type Written = typeof written;
type RecordType = keyof Written;

/** A record as the image takes it in. */
export type MetadataRecord = { [Type in RecordType]: { readonly type: Type; readonly value: Decoded<Written[Type][0]> } }[RecordType];
/** A record as it is made: fields with a default may be left out. */
export type NewMetadataRecord = { [Type in RecordType]: { readonly type: Type; readonly value: Encodable<Written[Type][0]> } }[RecordType];

const FRAME_VERSION = 1;
const byRecordType = new Map<number, RecordType>(
  Object.entries(written).map(([type, [table]]) => [table.apiKey ?? -1, type as RecordType]),
);

export function encodeMetadataRecord(record: NewMetadataRecord): Buffer {
  const [table, version] = written[record.type] as readonly [Message, number];
  const writer = new Writer();
  writer.uvarint(FRAME_VERSION);
  writer.uvarint(table.apiKey ?? -1);
  writer.uvarint(version);
  encode(table, version, record.value, writer);
  return Buffer.concat(writer.buffers());
}

/**
 * Undefined for a record of Kafka's that says nothing this broker acts on.
 * @throws ProtocolError when the bytes are no metadata record
 */
export function decodeMetadataRecord(bytes: Buffer): MetadataRecord | undefined {
  const reader = new Reader(bytes);
  const frameVersion = reader.uvarint();
  if (frameVersion !== FRAME_VERSION) throw new ProtocolError(`a metadata record has frame version ${frameVersion}; this broker knows 1`);
  const type = byRecordType.get(reader.uvarint());
  if (type === undefined) return undefined;
  const version = reader.uvarint();
  return { type, value: decode(written[type][0] as Message, version, reader) } as unknown as MetadataRecord;
}
