// Reads what the metadata log holds: the newest whole snapshot, and the log behind it. Everything is checked on the way,
// checksums, offsets without a gap, records that make sense together, voters that are us alone; what does not hold refuses the start with
// the file, the place and what to do. Metadata is never begun again where there was some.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { DamagedFileError } from '../damaged-file.ts';
import { offsetFileName, parseOffsetFileName } from '../log/log-names.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { FoldedMetadata, InconsistentMetadataError } from './folded-metadata.ts';
import { readMetadataBatches, UnreadableBatchError, type MetadataBatch } from './metadata-batches.ts';
import { NewerMetadataError, type MetadataRecord } from './metadata-records.ts';
import { listSnapshots, setDamagedSnapshotAside, snapshotFileName, type SnapshotId } from './snapshot-files.ts';
import { decodeSnapshot, type Snapshot, type VotersRecord } from './snapshot-format.ts';

export interface LoadOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly partition: PartitionLog;
  readonly nodeId: number;
  /** One of the partitions that the metadata must tell of; undefined when there is none. */
  readonly witness: string | undefined;
  readonly apply: (record: MetadataRecord) => void;
}

export interface LoadedMetadata {
  readonly folded: FoldedMetadata;
  /** Oldest first; the log reaches back to the oldest, or to the beginning. */
  readonly snapshots: SnapshotId[];
  readonly voters: VotersRecord | undefined;
  /** Of the last record; 0 when there is none. */
  readonly lastEpoch: number;
  readonly lastTimestamp: number;
  /** Records lie behind a BeginTransactionRecord whose end was not written: they do not count, and a record must say so. */
  readonly transactionIsOpen: boolean;
  readonly bytesBehindSnapshot: number;
}

const READ_BYTES = 1024 * 1024;
const RESTORE = 'restore it from a backup of this log dir; do not remove it, since without the metadata nobody knows what topics there are';
const RESTORE_FOLDER =
  'restore the folder from a backup of this log dir; do not remove it, since without the metadata nobody knows what topics there are';
const OPEN_WITH_NEWER = 'a newer Kafka has used this log dir: open it with that';

/** The folder of the metadata log does not hold what it should. */
export const damagedMetadata = (directory: string, why: string): DamagedFileError => new DamagedFileError(directory, why, RESTORE_FOLDER);

/** @throws DamagedFileError */
export async function loadMetadata(options: LoadOptions): Promise<LoadedMetadata> {
  const { partition } = options;
  if (partition.refusal !== undefined) throw damagedMetadata(partition.directory, partition.refusal);
  const loading = new Loading(options);
  await loading.readSnapshot();
  await loading.readLog();
  loading.checkNotEmpty();
  loading.checkVoters();
  return loading;
}

class Loading implements LoadedMetadata {
  readonly folded = new FoldedMetadata();
  snapshots: SnapshotId[] = [];
  voters: VotersRecord | undefined;
  lastEpoch = 0;
  lastTimestamp = 0;
  bytesBehindSnapshot = 0;
  readonly #options: LoadOptions;
  #nextOffset = 0;
  #staticVoters: readonly number[] | undefined;
  /** Of a transaction that has begun. */
  #pending: MetadataRecord[] | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get transactionIsOpen(): boolean {
    return this.#pending !== undefined;
  }

  /** A damaged snapshot costs nothing as long as an older one, or the whole log, says the same. */
  async readSnapshot(): Promise<void> {
    const { env, partition, log } = this.#options;
    const { directory, logStartOffset, endOffset } = partition;
    const known = await listSnapshots(env, directory);
    const damaged: DamagedFileError[] = [];
    for (let id = known.pop(); id !== undefined; id = known.pop()) {
      const path = join(directory, snapshotFileName(id));
      const snapshot = await this.#tryRead(path, damaged);
      if (snapshot === undefined) continue;
      if (id.endOffset < logStartOffset) break;
      if (id.endOffset > endOffset) {
        throw damagedMetadata(
          directory,
          `the snapshot ${snapshotFileName(id)} stands for offsets up to ${id.endOffset}, and the log ends at ${endOffset}: the end of the log is missing`,
        );
      }
      this.#take(snapshot, path);
      this.snapshots = [...known.filter((older) => older.endOffset >= logStartOffset), id];
      this.#nextOffset = id.endOffset;
      this.lastEpoch = id.epoch;
      break;
    }
    if (this.snapshots.length === 0 && logStartOffset > 0) {
      throw (
        damaged[0] ??
        new DamagedFileError(
          directory,
          `the log begins at offset ${logStartOffset}, and no snapshot stands for what was before`,
          RESTORE_FOLDER,
        )
      );
    }
    for (const error of damaged) {
      const aside = await setDamagedSnapshotAside(env, error.file);
      log.error('a snapshot of the metadata is damaged; what it stands for was read from the log instead', {
        why: error.message,
        keptAs: aside,
      });
    }
  }

  async #tryRead(path: string, damaged: DamagedFileError[]): Promise<Snapshot | undefined> {
    const { env } = this.#options;
    try {
      return decodeSnapshot(env.compute, await env.files.readFile(path), path, RESTORE);
    } catch (thrown) {
      if (!(thrown instanceof DamagedFileError)) throw thrown;
      damaged.push(thrown);
      return undefined;
    }
  }

  #take({ records, voters, lastContainedLogTimestamp }: Snapshot, path: string): void {
    this.lastTimestamp = lastContainedLogTimestamp;
    try {
      this.#noteVoters(voters);
      for (const record of records) this.#apply(record);
    } catch (thrown) {
      if (!(thrown instanceof InconsistentMetadataError)) throw thrown;
      throw new DamagedFileError(path, thrown.message, isOfNewerFormat(thrown) ? OPEN_WITH_NEWER : RESTORE);
    }
  }

  async readLog(): Promise<void> {
    const { env, partition } = this.#options;
    const isolation = { isolation: 'readUncommitted', currentLeaderEpoch: -1, atLeastOneBatch: true, maxBytes: READ_BYTES } as const;
    while (this.#nextOffset < partition.highWatermark) {
      const from = this.#nextOffset;
      try {
        const { buffers } = await partition.read(this.#nextOffset, isolation);
        for (const batch of readMetadataBatches(env.compute, Buffer.concat(buffers))) this.#takeBatch(batch);
        if (this.#nextOffset === from) throw new InconsistentMetadataError('no whole batch can be read there');
      } catch (thrown) {
        const isDamage =
          thrown instanceof UnreadableBatchError || thrown instanceof InconsistentMetadataError || thrown instanceof KafkaError;
        if (!isDamage) throw thrown;
        throw await this.#damagedLog(thrown.message, isOfNewerFormat(thrown) ? OPEN_WITH_NEWER : RESTORE);
      }
    }
  }

  #takeBatch(batch: MetadataBatch): void {
    if (batch.baseOffset !== this.#nextOffset)
      throw new InconsistentMetadataError(`the next batch has offset ${batch.baseOffset}, what lies between is missing`);
    for (const { type, value } of batch.control) {
      if (type === 'LEADER_CHANGE') this.#staticVoters = value.voters.map(({ voterId }) => voterId);
      if (type === 'KRAFT_VOTERS') this.#noteVoters(value);
    }
    for (const record of batch.records) this.#takeRecord(record);
    this.#nextOffset = batch.lastOffset + 1;
    this.lastEpoch = batch.epoch;
    this.lastTimestamp = batch.timestamp;
    this.bytesBehindSnapshot += batch.bytes;
  }

  /** What lies between the begin and the end of a transaction counts from its end on, or never (KIP-868). */
  #takeRecord(record: MetadataRecord): void {
    const pending = this.#pending;
    if (record.type === 'BeginTransactionRecord') {
      if (pending !== undefined) throw new InconsistentMetadataError('a transaction begins inside another');
      this.#pending = [];
    } else if (record.type === 'EndTransactionRecord' || record.type === 'AbortTransactionRecord') {
      if (pending === undefined) throw new InconsistentMetadataError('a transaction ends that has not begun');
      this.#pending = undefined;
      if (record.type === 'EndTransactionRecord') for (const one of pending) this.#apply(one);
    } else if (pending === undefined) {
      this.#apply(record);
    } else {
      pending.push(record);
    }
  }

  #apply(record: MetadataRecord): void {
    this.folded.apply(record);
    this.#options.apply(record);
  }

  #noteVoters(voters: VotersRecord | undefined): void {
    if (voters !== undefined) this.voters = voters;
  }

  /** Metadata that was lost is not begun again beside the data that it was about. */
  checkNotEmpty(): void {
    const { partition, witness } = this.#options;
    if (this.folded.metadataVersion !== undefined || witness === undefined) return;
    throw new DamagedFileError(
      partition.directory,
      `the metadata log tells of nothing, and there is the partition ${witness}`,
      RESTORE_FOLDER,
    );
  }

  /** The metadata of several controllers is decided by most of them: what one of them holds may not be all, or may never have counted. */
  checkVoters(): void {
    const { partition, nodeId } = this.#options;
    const voters = this.voters?.voters.map(({ voterId }) => voterId) ?? this.#staticVoters;
    if (voters === undefined || voters.every((id) => id === nodeId)) return;
    throw new DamagedFileError(
      partition.directory,
      `the metadata belongs to a quorum of the nodes ${voters.join(', ')}, and this node alone cannot know what it decided`,
      'let Apache Kafka reduce the quorum to this one node first (kafka-metadata-quorum.sh remove-controller), or give the log dir of a single node',
    );
  }

  async #damagedLog(why: string, whatToDo: string): Promise<DamagedFileError> {
    const { env, partition } = this.#options;
    const offset = this.#nextOffset;
    const bases = (await env.files.readDirectory(partition.directory))
      .map(({ name }) => parseOffsetFileName(name))
      .filter((file) => file?.suffix === '.log' && file.mark === undefined && file.offset <= offset)
      .map((file) => file?.offset ?? 0);
    const path = join(partition.directory, offsetFileName(Math.max(0, ...bases), '.log'));
    return new DamagedFileError(path, `at offset ${offset}: ${why}`, whatToDo);
  }
}

/** A file that is sound, and says what only a later version understands. */
const isOfNewerFormat = (thrown: Error): boolean => thrown instanceof NewerMetadataError || thrown.cause instanceof NewerMetadataError;
