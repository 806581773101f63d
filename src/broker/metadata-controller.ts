// Changes the metadata: one step at a time, each a pure function of the image, each durable before it is applied and
// answered. Whoever reads the image therefore never sees what a crash could take back.
import type { Env } from '../base/env.ts';
import { InvariantError } from '../base/invariant.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { MetadataLog } from '../storage/metadata/metadata-log.ts';
import type { MetadataRecord, NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import type { MetadataImage } from './image/metadata-image.ts';

export interface MetadataStep<Reply> {
  readonly records: readonly NewMetadataRecord[];
  readonly reply: Reply;
}

/**
 * Told in the turn in which the records have changed the image. What it returns is waited for before the next step and the
 * reply: a topic is gone from the disk before one of the same name can be made.
 */
export type OnApplied = (records: readonly MetadataRecord[]) => Promise<void> | undefined;

export class MetadataController {
  readonly #env: Env;
  readonly #log: MetadataLog;
  readonly #image: MetadataImage;
  readonly #onApplied: OnApplied;
  #last: Promise<unknown> = Promise.resolve();
  #appliedOffset: number;

  constructor(options: { env: Env; log: MetadataLog; image: MetadataImage; onApplied: OnApplied }) {
    this.#env = options.env;
    this.#log = options.log;
    this.#image = options.image;
    this.#onApplied = options.onApplied;
    this.#appliedOffset = options.log.endOffset - 1;
  }

  /** The offset of the last record that the image holds. */
  get appliedOffset(): number {
    return this.#appliedOffset;
  }

  /**
   * Runs the step when all earlier ones are applied; resolves with its reply once its records are durable and applied.
   * @throws what the step throws; KafkaError KAFKA_STORAGE_ERROR when the disk did not take the records, and nothing changed
   */
  execute<Reply>(step: (image: MetadataImage, nowMs: number) => MetadataStep<Reply>): Promise<Reply> {
    const run = async (): Promise<Reply> => {
      const { records, reply } = step(this.#image, this.#env.wallMs());
      if (records.length === 0) return reply;
      // What is applied is what was written, read back: the same bytes and the same code as at the next start.
      const written = await this.#append(records);
      for (const record of written) this.#image.apply(record);
      this.#appliedOffset = this.#log.endOffset - 1;
      const following = this.#onApplied(written);
      if (following !== undefined) await following;
      return reply;
    };
    const result = this.#last.then(run);
    // A step that failed is its caller's to answer; the next one runs all the same.
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when every step so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #append(records: readonly NewMetadataRecord[]): Promise<MetadataRecord[]> {
    try {
      return await this.#log.append(records, this.#log.endOffset);
    } catch (thrown) {
      if (thrown instanceof InvariantError || (thrown instanceof KafkaError && thrown.errorName !== 'KAFKA_STORAGE_ERROR')) throw thrown;
      // What exactly failed, and where, is in the broker's log and none of the client's business.
      throw new KafkaError('KAFKA_STORAGE_ERROR', 'the disk did not take the change of the metadata', { cause: thrown });
    }
  }
}
