// What the log must know of a batch that lies in a file, read from its header: where it goes, and whose it is.
import { controlRecordTypeOf, coordinatorEpochOf } from '../../protocol/record-batch-control.ts';
import { iterateRecords } from '../../protocol/record-batch-records.ts';
import {
  baseOffsetOf,
  baseSequenceOf,
  isControl,
  isTransactional,
  lastOffsetDeltaOf,
  lastOffsetOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
  sizeInBytesOf,
} from '../../protocol/record-batch.ts';
import type { ProducerBatch, TransactionMarker } from './producer-state.ts';
import type { BatchPlace } from './segment.ts';

export function placeOfBatch(buffer: Buffer, at: number): BatchPlace {
  const lastOffset = lastOffsetOf(buffer, at);
  return {
    baseOffset: baseOffsetOf(buffer, at),
    lastOffset,
    bytes: sizeInBytesOf(buffer, at),
    maxTimestamp: maxTimestampOf(buffer, at),
    offsetOfMaxTimestamp: lastOffset,
  };
}

export function producerBatchAt(buffer: Buffer, at: number): ProducerBatch {
  return {
    producerId: producerIdOf(buffer, at),
    producerEpoch: producerEpochOf(buffer, at),
    baseSequence: baseSequenceOf(buffer, at),
    lastOffsetDelta: lastOffsetDeltaOf(buffer, at),
    maxTimestamp: maxTimestampOf(buffer, at),
    isTransactional: isTransactional(buffer, at),
    isControl: isControl(buffer, at),
    marker: isControl(buffer, at) ? markerAt(buffer, at) : undefined,
  };
}

/** Undefined for other control records, and for the empty shell that the cleaner leaves of a marker. */
function markerAt(buffer: Buffer, at: number): TransactionMarker | undefined {
  for (const { key, value } of iterateRecords(buffer.subarray(at, at + sizeInBytesOf(buffer, at)))) {
    const type = controlRecordTypeOf(key);
    if (type === 'COMMIT' || type === 'ABORT')
      return { outcome: type === 'COMMIT' ? 'commit' : 'abort', coordinatorEpoch: coordinatorEpochOf(value) };
  }
  return undefined;
}
