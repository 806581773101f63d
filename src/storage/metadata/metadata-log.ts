// The log of the cluster's metadata: Kafka's own metadata records in record batches of an ordinary partition log,
// `__cluster_metadata-0`. Appends and reads back; what the records mean is folded elsewhere (broker/image).
import type { Env } from '../../base/env.ts';
import { present } from '../../base/invariant.ts';
import { check } from '../../protocol/errors.ts';
import { buildRecordBatch, decodeRecords } from '../../protocol/record-batch-records.ts';
import { isControl, iterateBatches } from '../../protocol/record-batch.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { prepareOwn } from '../log/prepare.ts';
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord, type NewMetadataRecord } from './metadata-records.ts';

export const METADATA_TOPIC = '__cluster_metadata';
/** The fixed id of the metadata topic (Uuid.METADATA_TOPIC_ID): 1. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

const READ_BYTES = 1024 * 1024;

export class MetadataLog {
  readonly #env: Env;
  readonly #log: PartitionLog;

  constructor(options: { env: Env; log: PartitionLog }) {
    this.#env = options.env;
    this.#log = options.log;
  }

  /** Exclusive. */
  get endOffset(): number {
    return this.#log.endOffset;
  }

  /** Hands every record there is to `apply`, oldest first. */
  async load(apply: (record: MetadataRecord) => void): Promise<void> {
    let offset = this.#log.logStartOffset;
    while (offset < this.#log.highWatermark) {
      const read = await this.#log.read(offset, {
        maxBytes: READ_BYTES,
        atLeastOneBatch: true,
        isolation: 'readUncommitted',
        currentLeaderEpoch: -1,
      });
      const bytes = Buffer.concat(read.buffers);
      for (const at of iterateBatches(bytes)) {
        for (const record of await decodeRecords(this.#env.compute, bytes.subarray(at), Number.MAX_SAFE_INTEGER)) {
          offset = record.offset + 1;
          if (isControl(bytes, at)) continue;
          const decoded = decodeMetadataRecord(present(record.value, 'the value of a metadata record'));
          if (decoded !== undefined) apply(decoded);
        }
      }
    }
  }

  /**
   * Appends the records as one batch: all or none survives a crash. Resolves once they are durable, with the records as
   * a later start will read them.
   * @throws KafkaError NOT_CONTROLLER when the log does not end at `expectedEnd`: somebody else has appended
   */
  async append(records: readonly NewMetadataRecord[], expectedEnd: number): Promise<MetadataRecord[]> {
    check(this.#log.endOffset === expectedEnd, 'NOT_CONTROLLER', `the metadata log ends at ${this.#log.endOffset}, not ${expectedEnd}`);
    const timestamp = this.#env.wallMs();
    const values = records.map(encodeMetadataRecord);
    const batch = buildRecordBatch(
      this.#env.compute,
      values.map((value) => ({ timestamp, key: null, value, headers: [] })),
      {},
    );
    const ticket = this.#log.append(prepareOwn(batch), { origin: 'coordinator', expectedLeaderEpoch: this.#log.leaderEpoch });
    await ticket.committed.wait();
    const failure = this.#log.failureOf(ticket);
    if (failure !== undefined) throw failure;
    return values.flatMap((value) => decodeMetadataRecord(value) ?? []);
  }
}
