// Record batches as the metadata log and its snapshots have them: records without keys that all carry the batch's time, and
// control batches in which the log speaks of itself (KIP-595, KIP-630, KIP-853). Bytes and values only.
import type { Compute } from '../../base/env.ts';
import { decode, encode } from '../../protocol/codec.ts';
import { buildRecordBatch, iterateRecords } from '../../protocol/record-batch-records.ts';
import {
  baseOffsetOf,
  checkCrc,
  isControl,
  iterateBatches,
  lastOffsetOf,
  maxTimestampOf,
  partitionLeaderEpochOf,
  sizeInBytesOf,
} from '../../protocol/record-batch.ts';
import { controlRecordKey, controlRecordTypeOf, type ControlRecordType } from '../../protocol/record-batch-control.ts';
import { Reader } from '../../protocol/reader.ts';
import {
  kraftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../../protocol/records/control-records.ts';
import type { Decoded, Encodable, Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import { decodeMetadataRecord, type MetadataRecord } from './metadata-records.ts';

const controlTables = {
  LEADER_CHANGE: leaderChangeMessage,
  SNAPSHOT_HEADER: snapshotHeaderRecord,
  SNAPSHOT_FOOTER: snapshotFooterRecord,
  KRAFT_VERSION: kraftVersionRecord,
  KRAFT_VOTERS: votersRecord,
} as const satisfies Partial<Record<ControlRecordType, Message>>;

type ControlTables = typeof controlTables;
type ControlType = keyof ControlTables;
export type ControlRecord = { [Type in ControlType]: { readonly type: Type; readonly value: Decoded<ControlTables[Type]> } }[ControlType];
export type NewControlRecord = {
  [Type in ControlType]: { readonly type: Type; readonly value: Encodable<ControlTables[Type]> };
}[ControlType];

/** The version that all of Kafka 4.2's control records have. */
const CONTROL_VERSION = 0;
/** Decodes to nothing. */
const NO_VALUE = Buffer.alloc(0);

/** What a batch of the metadata log holds. */
export interface MetadataBatch {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly epoch: number;
  readonly timestamp: number;
  readonly bytes: number;
  /** Of a control batch: those whose type is known. */
  readonly control: readonly ControlRecord[];
  readonly records: readonly MetadataRecord[];
}

export interface BatchPosition {
  readonly baseOffset: number;
  readonly epoch: number;
}

/** A batch of encoded metadata records. Where base offset and epoch are left out, the log that takes it stamps them. */
export function buildMetadataBatch(compute: Compute, values: readonly Buffer[], timestamp: number, at?: BatchPosition): Buffer {
  return buildRecordBatch(
    compute,
    values.map((value) => ({ timestamp, key: null, value, headers: [] })),
    positionOptions(at),
  );
}

export function buildControlBatch(compute: Compute, records: readonly NewControlRecord[], timestamp: number, at?: BatchPosition): Buffer {
  const encoded = records.map(({ type, value }) => {
    const writer = new Writer();
    encode<Message>(controlTables[type], CONTROL_VERSION, value, writer);
    return { timestamp, key: controlRecordKey(type), value: Buffer.concat(writer.buffers()), headers: [] };
  });
  return buildRecordBatch(compute, encoded, { ...positionOptions(at), isControl: true });
}

const positionOptions = (at: BatchPosition | undefined): { baseOffset?: number; partitionLeaderEpoch?: number } =>
  at === undefined ? {} : { baseOffset: at.baseOffset, partitionLeaderEpoch: at.epoch };

/** A batch that cannot be read, and where it begins. */
export class UnreadableBatchError extends Error {
  override readonly name = 'UnreadableBatchError';
  readonly offset: number;
  readonly position: number;

  constructor(at: { offset: number; position: number }, why: string, cause: unknown) {
    super(why, { cause });
    this.offset = at.offset;
    this.position = at.position;
  }
}

/**
 * The whole batches in `bytes`, one after the other, each checked and decoded; what the end cuts off is left out.
 * @throws UnreadableBatchError
 */
export function* readMetadataBatches(compute: Compute, bytes: Buffer): Generator<MetadataBatch, void, void> {
  let offset = 0;
  let position = 0;
  try {
    for (const at of iterateBatches(bytes)) {
      position = at;
      offset = baseOffsetOf(bytes, at);
      checkCrc(compute, bytes, at);
      const size = sizeInBytesOf(bytes, at);
      const batch = bytes.subarray(at, at + size);
      const ofControl = isControl(bytes, at);
      const read = {
        baseOffset: offset,
        lastOffset: lastOffsetOf(bytes, at),
        epoch: partitionLeaderEpochOf(bytes, at),
        timestamp: maxTimestampOf(bytes, at),
        bytes: size,
        control: ofControl ? [...readControlRecords(batch)] : [],
        records: ofControl ? [] : Array.from(iterateRecords(batch), ({ value }) => decodeMetadataRecord(value ?? NO_VALUE)),
      };
      position = at + size;
      offset = read.lastOffset + 1;
      yield read;
    }
  } catch (thrown) {
    throw new UnreadableBatchError({ offset, position }, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}

function* readControlRecords(batch: Buffer): Generator<ControlRecord, void, void> {
  for (const { key, value } of iterateRecords(batch)) {
    const type = controlRecordTypeOf(key);
    if (type === undefined || !isKnown(type) || value === null) continue;
    // A later version may only have added fields behind.
    yield { type, value: decode<Message>(controlTables[type], CONTROL_VERSION, new Reader(value)) } as ControlRecord;
  }
}

const isKnown = (type: ControlRecordType): type is ControlType => type in controlTables;
