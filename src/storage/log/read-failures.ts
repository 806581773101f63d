// What becomes of a read that the disk does not serve: an error for those who read this partition, and a line for whoever
// runs the broker. Nothing else is given up for it: the next read is tried.
import type { Env } from '../../base/env.ts';
import type { LogFields, Logger } from '../../base/log.ts';
import { codeOf } from '../../base/posix-error.ts';
import { KafkaError } from '../../protocol/errors.ts';

/** A reader that is refused asks again at once, and there may be hundreds of them. */
const TOLD_EVERY_MS = 60_000;

export class ReadFailures {
  readonly #partition: string;
  readonly #env: Pick<Env, 'monotonicMs'>;
  readonly #log: Logger;
  #toldMs = -Infinity;

  constructor(partition: string, around: { env: Pick<Env, 'monotonicMs'>; log: Logger }) {
    this.#partition = partition;
    this.#env = around.env;
    this.#log = around.log;
  }

  /** KAFKA_STORAGE_ERROR for what the disk refuses, and for what it gives and is no batch; other failures were not foreseen. */
  asKafkaError(thrown: unknown): unknown {
    const isDamage = thrown instanceof KafkaError && thrown.errorName === 'KAFKA_STORAGE_ERROR';
    const code = codeOf(thrown);
    if (!isDamage && code === undefined) return thrown;
    this.#tell(isDamage ? 'a partition cannot be read: its file is damaged' : 'a partition cannot be read: the disk refuses', {
      error: thrown,
    });
    if (isDamage) return thrown;
    return new KafkaError('KAFKA_STORAGE_ERROR', `the disk does not give the records of ${this.#partition} (${code})`, { cause: thrown });
  }

  /** A reader was led past offsets that no file holds: nobody refuses him anything, so somebody has to say it. */
  noteGap(fromOffset: number, toOffset: number): void {
    this.#tell('records of a partition are missing: its file ends before the next one begins', { fromOffset, toOffset });
  }

  #tell(message: string, details: LogFields): void {
    const nowMs = this.#env.monotonicMs();
    if (nowMs - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#log.error(message, { partition: this.#partition, ...details });
  }
}
