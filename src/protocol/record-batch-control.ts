// Control records: what brokers write into logs for each other and for consumers (KIP-98 end-of-transaction markers, KIP-595 and
// KIP-853 records of the metadata log). Here is the key they all share and the marker's value; the other values have tables in records/.
import type { Compute } from '../base/env.ts';
import { KafkaError } from './errors.ts';
import { buildRecordBatch } from './record-batch-records.ts';

/** Key: int16 version, int16 type. Unknown types are to be ignored. */
export const controlRecordTypes = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const;
export type ControlRecordType = keyof typeof controlRecordTypes;

const typeNames = new Map(Object.entries(controlRecordTypes).map(([name, type]) => [type as number, name as ControlRecordType]));

export function controlRecordKey(type: ControlRecordType): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(controlRecordTypes[type], 2);
  return key;
}

/** Undefined for a type we do not know. @throws KafkaError CORRUPT_MESSAGE when it is no control record's key */
export function controlRecordTypeOf(key: Buffer | null): ControlRecordType | undefined {
  if (key === null || key.length < 4 || key.readInt16BE(0) < 0)
    throw new KafkaError('CORRUPT_MESSAGE', 'a control record has no proper key');
  return typeNames.get(key.readInt16BE(2));
}

/** Value: int16 version 0, int32 epoch of the transaction coordinator that wrote it. */
export function endTransactionMarkerValue(coordinatorEpoch: number): Buffer {
  const value = Buffer.alloc(6);
  value.writeInt32BE(coordinatorEpoch, 2);
  return value;
}

/** @throws KafkaError CORRUPT_MESSAGE when it is no marker's value; later versions may only have added fields behind */
export function coordinatorEpochOf(value: Buffer | null): number {
  if (value === null || value.length < 6 || value.readInt16BE(0) < 0)
    throw new KafkaError('CORRUPT_MESSAGE', 'an end-of-transaction marker has no proper value');
  return value.readInt32BE(2);
}

/** The control batch that ends a producer's transaction on one partition. */
export function buildEndTransactionMarker(
  compute: Compute,
  outcome: 'COMMIT' | 'ABORT',
  marker: { producerId: number; producerEpoch: number; coordinatorEpoch: number; timestamp: number },
): Buffer {
  const record = { timestamp: marker.timestamp, key: controlRecordKey(outcome), value: endTransactionMarkerValue(marker.coordinatorEpoch) };
  return buildRecordBatch(compute, [record], {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    isControl: true,
  });
}
