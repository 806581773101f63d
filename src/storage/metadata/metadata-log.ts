// The log of the cluster's metadata: Kafka's own records in an ordinary partition log, `__cluster_metadata-0`, which we lead
// as the only voter of its quorum. Opens it and begins an epoch, appends, and keeps it short: when it has grown, a snapshot of what it
// adds up to takes the place of its beginning. What the records mean to handlers is folded elsewhere (broker/image).
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { readFileIfThere, replaceFile } from '../../base/files.ts';
import { invariant, InvariantError, present } from '../../base/invariant.ts';
import type { Logger } from '../../base/log.ts';
import type { BrokerConfig } from '../../config/broker-configs.ts';
import { resolveTopicConfig, type TopicConfig } from '../../config/topic-configs.ts';
import { check, KafkaError } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/reader.ts';
import type { LogDir } from '../log-dir.ts';
import type { PartitionLog, Ticket } from '../log/partition-log.ts';
import { prepareOwn } from '../log/prepare.ts';
import { decodeQuorumState, encodeQuorumState, QUORUM_STATE_FILE } from '../quorum-state.ts';
import type { FoldedMetadata } from './folded-metadata.ts';
import { buildControlBatch, buildMetadataBatch } from './metadata-batches.ts';
import { damagedMetadata, loadMetadata, type LoadedMetadata } from './metadata-load.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  METADATA_VERSION_FEATURE,
  metadataVersions,
  type MetadataRecord,
  type NewMetadataRecord,
} from './metadata-records.ts';
import { listSnapshots, removeUnfinishedSnapshots, snapshotFileName, writeSnapshotFile, type SnapshotId } from './snapshot-files.ts';
import { encodeSnapshot } from './snapshot-format.ts';

export const METADATA_TOPIC = '__cluster_metadata';
/** The fixed id of the metadata topic (Uuid.METADATA_TOPIC_ID): 1. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

export interface MetadataLimits {
  /** A snapshot is written when the log has grown by so much since the last one (metadata.log.max.record.bytes.between.snapshots). */
  readonly snapshotBytes: number;
  /** And when records have waited so long for one (metadata.log.max.snapshot.interval.ms). */
  readonly snapshotMs: number;
  /** More records than this become a transaction of several batches: Kafka reads batches of up to 8 MiB at once. */
  readonly batchBytes: number;
  readonly segmentBytes: number;
}

const MiB = 1024 * 1024;
const defaultLimits: MetadataLimits = {
  snapshotBytes: 20 * MiB,
  snapshotMs: 60 * 60 * 1000,
  batchBytes: 4 * MiB,
  // Less than what lies between two snapshots, so that there is always a segment to remove.
  segmentBytes: 16 * MiB,
};
/** A snapshot that the disk refused is tried again after so long. */
const SNAPSHOT_RETRY_MS = 60_000;
/** The newest snapshot and the one before it, with the log behind that: where one is damaged, the other and the log say the same. */
const KEPT_SNAPSHOTS = 2;

export interface MetadataLogOptions {
  readonly env: Env;
  readonly log: Logger;
  /** The log dir that the metadata lies in. */
  readonly dir: LogDir;
  readonly config: BrokerConfig;
  readonly nodeId: number;
  /** One of the partitions that the metadata must tell of; undefined when there is none. */
  readonly witness: string | undefined;
  readonly limits?: Partial<MetadataLimits>;
}

export class MetadataLog {
  readonly #env: Env;
  readonly #log: Logger;
  readonly #dir: LogDir;
  readonly #nodeId: number;
  readonly #partition: PartitionLog;
  readonly #limits: MetadataLimits;
  readonly #folded: FoldedMetadata;
  readonly #voters: LoadedMetadata['voters'];
  readonly #transactionWasOpen: boolean;
  readonly #beganBySnapshot: boolean;
  #snapshots: SnapshotId[];
  /** Everything below it is in `#folded`. */
  #foldedOffset: number;
  #foldedEpoch: number;
  #lastTimestamp: number;
  #bytesSinceSnapshot: number;
  #snapshotTimer: Disposable | undefined;
  #notBeforeMs = 0;
  /** Work on files beside the log, one piece after the other. */
  #beside: Promise<void> = Promise.resolve();
  #closing = false;

  private constructor(options: MetadataLogOptions, partition: PartitionLog, limits: MetadataLimits, loaded: LoadedMetadata) {
    this.#env = options.env;
    this.#log = options.log;
    this.#dir = options.dir;
    this.#nodeId = options.nodeId;
    this.#partition = partition;
    this.#limits = limits;
    this.#folded = loaded.folded;
    this.#voters = loaded.voters;
    this.#transactionWasOpen = loaded.transactionIsOpen;
    this.#snapshots = loaded.snapshots;
    this.#beganBySnapshot = (loaded.snapshots.at(-1)?.endOffset ?? 0) > 0;
    this.#foldedOffset = partition.endOffset;
    this.#foldedEpoch = loaded.lastEpoch;
    this.#lastTimestamp = loaded.lastTimestamp;
    this.#bytesSinceSnapshot = loaded.bytesBehindSnapshot;
  }

  /**
   * Opens the log and hands everything it holds to `apply`, oldest first.
   * @throws DamagedFileError, with the file, the place and what to do: metadata is never begun again where there was some
   */
  static async open(options: MetadataLogOptions, apply: (record: MetadataRecord) => void): Promise<MetadataLog> {
    const { env, log, dir, nodeId, witness } = options;
    const limits = { ...defaultLimits, ...options.limits };
    const directory = join(dir.directory, `${METADATA_TOPIC}-0`);
    const quorumEpoch = await readQuorumEpoch(env, directory);
    await removeUnfinishedSnapshots(env, directory);
    const snapshotEpoch = (await listSnapshots(env, directory)).at(-1)?.epoch ?? 0;
    const partition = await dir
      .openLog(
        { topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partition: 0, irreplaceable: true },
        metadataConfig(options.config, limits),
        (latest) => Math.max(latest, quorumEpoch, snapshotEpoch) + 1,
      )
      .catch((thrown: unknown) => {
        // What has a checksum may still be no batch of ours.
        throw thrown instanceof KafkaError ? damagedMetadata(directory, thrown.message) : thrown;
      });
    const loaded = await loadMetadata({ env, log, partition, nodeId, witness, apply });
    return new MetadataLog(options, partition, limits, loaded);
  }

  /** Exclusive. */
  get endOffset(): number {
    return this.#partition.endOffset;
  }

  /** The epoch of our leadership: one more than any before it. */
  get epoch(): number {
    return this.#partition.leaderEpoch;
  }

  /** True when the oldest changes are known by what they added up to alone. */
  get beganBySnapshot(): boolean {
    return this.#beganBySnapshot;
  }

  /** Everything the metadata adds up to. */
  get folded(): Pick<FoldedMetadata, 'findPartition' | 'metadataVersion'> {
    return this.#folded;
  }

  /**
   * Begins the epoch in the log, as Kafka does: a leader change, and the end of what an earlier leader left unfinished. Staged when it
   * returns, so that what is appended in the same turn shares its commit; resolves when it is durable.
   */
  async lead(): Promise<void> {
    const self = [{ voterId: this.#nodeId, voterDirectoryId: ZERO_UUID }];
    const change = { version: 0, leaderId: this.#nodeId, voters: self, grantingVoters: self };
    const timestamp = this.#env.wallMs();
    let ticket = this.#append(buildControlBatch(this.#env.compute, [{ type: 'LEADER_CHANGE', value: change }], timestamp));
    if (this.#transactionWasOpen) {
      const abort = encodeMetadataRecord(
        { type: 'AbortTransactionRecord', value: { reason: 'the broker was started again' } },
        this.#folded.metadataVersion ?? metadataVersions.newest,
      );
      ticket = this.#append(buildMetadataBatch(this.#env.compute, [abort], timestamp));
    }
    await this.#committed(ticket);
    this.#foldedUpTo(ticket, timestamp);
    // Kafka keeps the epoch of its vote here; where the file is older than the log, the log counts.
    this.#runBeside('the state of the metadata quorum could not be kept', () => this.#keepQuorumState());
  }

  /**
   * Appends the records: all or none survives a crash. Resolves once they are durable, with the records as a later start
   * will read them.
   * @throws KafkaError NOT_CONTROLLER when the log does not end at `expectedEnd`: somebody else has appended
   */
  async append(records: readonly NewMetadataRecord[], expectedEnd: number): Promise<MetadataRecord[]> {
    check(this.endOffset === expectedEnd, 'NOT_CONTROLLER', `the metadata log ends at ${this.endOffset}, not ${expectedEnd}`);
    const values = this.#encode(records);
    const timestamp = this.#env.wallMs();
    let ticket: Ticket | undefined;
    let bytes = 0;
    for (const batch of this.#batchesOf(values, timestamp)) {
      bytes += batch.length;
      ticket = this.#append(batch);
    }
    await this.#committed(present(ticket, 'the last batch'));
    const written = values.map(decodeMetadataRecord);
    for (const record of written) this.#apply(record);
    this.#foldedUpTo(present(ticket, 'the last batch'), timestamp);
    this.#bytesSinceSnapshot += bytes;
    this.#snapshotWhenDue();
    return written;
  }

  /** Writes what is left to write beside the log. The log itself is the log dir's to close. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#snapshotTimer?.[Symbol.dispose]();
    await this.#beside;
  }

  #encode(records: readonly NewMetadataRecord[]): Buffer[] {
    let metadataVersion = this.#folded.metadataVersion ?? metadataVersions.newest;
    return records.map((record) => {
      if (record.type === 'FeatureLevelRecord' && record.value.name === METADATA_VERSION_FEATURE)
        metadataVersion = record.value.featureLevel;
      return encodeMetadataRecord(record, metadataVersion);
    });
  }

  /** One batch, or, where that would be too large, a transaction of several (KIP-868). */
  #batchesOf(values: readonly Buffer[], timestamp: number): Buffer[] {
    const { compute } = this.#env;
    const { batchBytes } = this.#limits;
    const metadataVersion = this.#folded.metadataVersion ?? metadataVersions.newest;
    const total = values.reduce((sum, value) => sum + value.length, 0);
    if (total <= batchBytes || metadataVersion < metadataVersions.transactions) return [buildMetadataBatch(compute, values, timestamp)];
    const begin = encodeMetadataRecord({ type: 'BeginTransactionRecord', value: {} }, metadataVersion);
    const end = encodeMetadataRecord({ type: 'EndTransactionRecord', value: {} }, metadataVersion);
    const batches: Buffer[] = [];
    let part: Buffer[] = [begin];
    let bytes = 0;
    for (const value of values) {
      if (bytes > 0 && bytes + value.length > batchBytes) {
        batches.push(buildMetadataBatch(compute, part, timestamp));
        part = [];
        bytes = 0;
      }
      part.push(value);
      bytes += value.length;
    }
    part.push(end);
    batches.push(buildMetadataBatch(compute, part, timestamp));
    return batches;
  }

  #append(batch: Buffer): Ticket {
    return this.#partition.append(prepareOwn(batch), { origin: 'coordinator', expectedLeaderEpoch: this.#partition.leaderEpoch });
  }

  async #committed(ticket: Ticket): Promise<void> {
    await ticket.committed.wait();
    const failure = this.#partition.failureOf(ticket);
    if (failure !== undefined) throw failure;
  }

  /** What was written and cannot be read again would keep the next start out. */
  #apply(record: MetadataRecord): void {
    try {
      this.#folded.apply(record);
    } catch (thrown) {
      throw new InvariantError(`the metadata does not fit together: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }

  #foldedUpTo({ lastOffset }: Ticket, timestamp: number): void {
    if (lastOffset < this.#foldedOffset) return;
    this.#foldedOffset = lastOffset + 1;
    this.#foldedEpoch = this.epoch;
    this.#lastTimestamp = timestamp;
  }

  async #keepQuorumState(): Promise<void> {
    const { epoch } = this;
    const format =
      this.#voters === undefined
        ? ({ version: 0, voters: [this.#nodeId] } as const)
        : ({ version: 1, votedDirectoryId: ZERO_UUID } as const);
    const bytes = encodeQuorumState({ leaderId: this.#nodeId, leaderEpoch: epoch, votedId: -1, format });
    await replaceFile(this.#env.files, join(this.#partition.directory, QUORUM_STATE_FILE), bytes);
  }

  #snapshotWhenDue(): void {
    if (this.#closing || this.#bytesSinceSnapshot === 0) return;
    if (this.#bytesSinceSnapshot >= this.#limits.snapshotBytes && this.#env.monotonicMs() >= this.#notBeforeMs) {
      this.#snapshot();
      return;
    }
    this.#snapshotTimer ??= this.#env.timer(this.#limits.snapshotMs, () => this.#snapshot(), { unref: true });
  }

  /** Begins a snapshot of what is folded now; at this moment nothing is half applied. */
  #snapshot(): void {
    this.#snapshotTimer?.[Symbol.dispose]();
    this.#snapshotTimer = undefined;
    this.#bytesSinceSnapshot = 0;
    const id = { endOffset: this.#foldedOffset, epoch: this.#foldedEpoch };
    const metadataVersion = this.#folded.metadataVersion ?? metadataVersions.newest;
    const chunks = encodeSnapshot(this.#env.compute, {
      records: this.#folded.records(),
      metadataVersion,
      lastContainedLogTimestamp: this.#lastTimestamp,
      voters: this.#voters,
      epoch: id.epoch,
      nowMs: this.#env.wallMs(),
    });
    this.#runBeside('a snapshot of the metadata could not be written; it will be tried again', async () => {
      try {
        await this.#keepSnapshot(id, chunks);
      } catch (thrown) {
        this.#notBeforeMs = this.#env.monotonicMs() + SNAPSHOT_RETRY_MS;
        this.#bytesSinceSnapshot = Math.max(this.#bytesSinceSnapshot, this.#limits.snapshotBytes);
        throw thrown;
      }
    });
  }

  async #keepSnapshot(id: SnapshotId, chunks: Iterable<Buffer>): Promise<void> {
    const newest = this.#snapshots.at(-1);
    if (newest !== undefined && newest.endOffset >= id.endOffset) return;
    const { directory } = this.#partition;
    const bytes = await writeSnapshotFile(this.#env, join(directory, snapshotFileName(id)), chunks);
    this.#snapshots.push(id);
    this.#log.info('a snapshot of the metadata was written', { endOffset: id.endOffset, bytes });
    const oldest = this.#snapshots.at(-KEPT_SNAPSHOTS);
    if (oldest === undefined) return;
    // A crash between these steps leaves more than is needed; the other way round there would be a log without a beginning.
    await this.#dir.advanceStart(this.#partition, oldest.endOffset);
    const outdated = this.#snapshots.splice(0, this.#snapshots.length - KEPT_SNAPSHOTS);
    for (const old of outdated) await this.#env.files.remove(join(directory, snapshotFileName(old)));
  }

  #runBeside(failure: string, work: () => Promise<void>): void {
    this.#beside = this.#beside.then(work).catch((error: unknown) => this.#log.warn(failure, { directory: this.#dir.directory, error }));
  }
}

async function readQuorumEpoch(env: Env, directory: string): Promise<number> {
  const file = join(directory, QUORUM_STATE_FILE);
  const bytes = await readFileIfThere(env.files, file);
  return bytes === undefined ? 0 : Math.max(0, decodeQuorumState(bytes, file).leaderEpoch);
}

/** Of the settings of a topic it has none: the metadata is synced before it counts, and nothing but a snapshot removes any of it. */
function metadataConfig(config: BrokerConfig, { segmentBytes }: MetadataLimits): TopicConfig {
  invariant(segmentBytes > 0, 'a segment of the metadata log has room');
  return {
    ...resolveTopicConfig(config),
    'cleanup.policy': ['delete'],
    'compression.type': 'producer',
    'flush.messages': 1,
    'message.timestamp.type': 'CreateTime',
    'retention.bytes': -1,
    'retention.ms': -1,
    'segment.bytes': segmentBytes,
  };
}
