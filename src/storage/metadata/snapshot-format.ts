// A snapshot of the metadata (KIP-630): a control batch that says how new it is, and who votes where the log says that;
// everything the metadata adds up to, in batches; a control batch that ends it. `bootstrap.checkpoint` has the same form. Bytes
// and values only; which files there are is known in snapshot-files.ts.
import type { Compute } from '../../base/env.ts';
import { DamagedFileError } from '../damaged-file.ts';
import {
  buildControlBatch,
  buildMetadataBatch,
  readMetadataBatches,
  UnreadableBatchError,
  type ControlRecord,
  type NewControlRecord,
} from './metadata-batches.ts';
import { encodeMetadataRecord, type MetadataRecord, type NewMetadataRecord } from './metadata-records.ts';

/** A voter set as the log has it; undefined with kraft.version 0, where the settings of every node name the voters. */
export type VotersRecord = Extract<ControlRecord, { type: 'KRAFT_VOTERS' }>['value'];

export interface Snapshot {
  readonly records: readonly MetadataRecord[];
  /** Milliseconds since 1970, of the last batch that the snapshot stands for; 0 in a bootstrap file. */
  readonly lastContainedLogTimestamp: number;
  readonly voters: VotersRecord | undefined;
}

/** Kafka reads batches of up to 8 MiB at once; small ones keep the turns of the event loop short. */
const BATCH_BYTES = 256 * 1024;

/** The bytes, batch by batch: between two of them the caller may do something else. */
export function* encodeSnapshot(
  compute: Compute,
  snapshot: {
    readonly records: readonly NewMetadataRecord[];
    readonly metadataVersion: number;
    readonly lastContainedLogTimestamp: number;
    readonly voters: VotersRecord | undefined;
    /** Of the last record it stands for. */
    readonly epoch: number;
    readonly nowMs: number;
  },
): Generator<Buffer, void, void> {
  const { epoch, nowMs, voters, lastContainedLogTimestamp, metadataVersion } = snapshot;
  let baseOffset = 0;
  const at = (count: number): { baseOffset: number; epoch: number } => {
    const position = { baseOffset, epoch };
    baseOffset += count;
    return position;
  };
  const header: NewControlRecord[] = [{ type: 'SNAPSHOT_HEADER', value: { version: 0, lastContainedLogTimestamp } }];
  if (voters !== undefined) {
    header.push({ type: 'KRAFT_VERSION', value: { version: 0, kraftVersion: 1 } }, { type: 'KRAFT_VOTERS', value: voters });
  }
  yield buildControlBatch(compute, header, nowMs, at(header.length));
  let values: Buffer[] = [];
  let bytes = 0;
  for (const record of snapshot.records) {
    const value = encodeMetadataRecord(record, metadataVersion);
    if (bytes + value.length > BATCH_BYTES && values.length > 0) {
      yield buildMetadataBatch(compute, values, nowMs, at(values.length));
      values = [];
      bytes = 0;
    }
    values.push(value);
    bytes += value.length;
  }
  if (values.length > 0) yield buildMetadataBatch(compute, values, nowMs, at(values.length));
  yield buildControlBatch(compute, [{ type: 'SNAPSHOT_FOOTER', value: { version: 0 } }], nowMs, at(1));
}

/** @throws DamagedFileError when it is not whole: from the header to the footer, each batch with its checksum, no offset missing */
export function decodeSnapshot(compute: Compute, bytes: Buffer, file: string, whatToDo: string): Snapshot {
  const damaged = (why: string): DamagedFileError => new DamagedFileError(file, why, whatToDo);
  const records: MetadataRecord[] = [];
  let header: Extract<ControlRecord, { type: 'SNAPSHOT_HEADER' }>['value'] | undefined;
  let voters: VotersRecord | undefined;
  let ended = false;
  let nextOffset = 0;
  let position = 0;
  try {
    for (const batch of readMetadataBatches(compute, bytes)) {
      if (ended) throw damaged(`more follows after its end at byte ${position}`);
      if (batch.baseOffset !== nextOffset) throw damaged(`at byte ${position} is offset ${batch.baseOffset}, and not ${nextOffset}`);
      if (header === undefined && batch.control[0]?.type !== 'SNAPSHOT_HEADER') throw damaged('it does not begin with a snapshot header');
      for (const { type, value } of batch.control) {
        if (type === 'SNAPSHOT_HEADER') header = value;
        if (type === 'SNAPSHOT_FOOTER') ended = true;
        if (type === 'KRAFT_VOTERS') voters = value;
      }
      for (const record of batch.records) records.push(record);
      nextOffset = batch.lastOffset + 1;
      position += batch.bytes;
    }
  } catch (thrown) {
    if (thrown instanceof UnreadableBatchError) throw damaged(`at byte ${thrown.position} (offset ${thrown.offset}): ${thrown.message}`);
    throw thrown;
  }
  if (!ended || header === undefined || position !== bytes.length) throw damaged(`it ends at byte ${position} without its end`);
  return { records, lastContainedLogTimestamp: header.lastContainedLogTimestamp, voters };
}
