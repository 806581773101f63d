// Changes the metadata: one step at a time, each a pure function of the image, each durable before it is applied and
// answered. Whoever reads the image therefore never sees what a crash could take back.
import type { Env } from '../base/env.ts';
import type { MetadataLog } from '../storage/metadata/metadata-log.ts';
import type { MetadataRecord, NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import type { MetadataImage } from './image/metadata-image.ts';

export interface MetadataStep<Reply> {
  readonly records: readonly NewMetadataRecord[];
  readonly reply: Reply;
}

export class MetadataController {
  readonly #env: Env;
  readonly #log: MetadataLog;
  readonly #image: MetadataImage;
  readonly #onApplied: (records: readonly MetadataRecord[]) => void;
  #last: Promise<unknown> = Promise.resolve();

  /** `onApplied` is told in the turn in which the records have changed the image. */
  constructor(options: { env: Env; log: MetadataLog; image: MetadataImage; onApplied: (records: readonly MetadataRecord[]) => void }) {
    this.#env = options.env;
    this.#log = options.log;
    this.#image = options.image;
    this.#onApplied = options.onApplied;
  }

  /** Runs the step when all earlier ones are applied; resolves with its reply once its records are durable and applied. */
  execute<Reply>(step: (image: MetadataImage, nowMs: number) => MetadataStep<Reply>): Promise<Reply> {
    const run = async (): Promise<Reply> => {
      const { records, reply } = step(this.#image, this.#env.wallMs());
      if (records.length > 0) {
        // What is applied is what was written, read back: the same bytes and the same code as at the next start.
        const written = await this.#log.append(records, this.#log.endOffset);
        for (const record of written) this.#image.apply(record);
        this.#onApplied(written);
      }
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
}
