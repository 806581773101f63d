// What became of the records that `produce` sent: counted, told while it goes on to whoever watches, and at the end.
import type { Delivery, FailedDelivery } from '../client/producer.ts';

const PROGRESS_EVERY_MS = 200;

export class ProduceReport {
  deliveredRecords = 0;
  failedRecords = 0;
  firstFailure: Error | undefined;
  /** A line of the input that could not be a record. */
  badInput: Error | undefined;
  readonly #topic: string;
  readonly #jsonl: boolean;
  readonly #startedMs = performance.now();
  readonly #partitions = new Map<number, { records: number; firstOffset: number; lastOffset: number }>();
  #bytes = 0;
  #progress: NodeJS.Timeout | undefined;

  /** `jsonl` writes a line for every record; `progress` keeps a line on the terminal up to date. */
  constructor(topic: string, { jsonl, progress }: { jsonl: boolean; progress: boolean }) {
    this.#topic = topic;
    this.#jsonl = jsonl;
    if (progress) this.#progress = setInterval(() => process.stderr.write(`\r${this.#figures()}\u001b[K`), PROGRESS_EVERY_MS);
  }

  delivered({ partition, baseOffset, records, logAppendTimeMs }: Delivery): void {
    this.deliveredRecords += records.length;
    for (const { key, value } of records) this.#bytes += (key?.length ?? 0) + (value?.length ?? 0);
    const lastOffset = baseOffset < 0 ? -1 : baseOffset + records.length - 1;
    const before = this.#partitions.get(partition);
    this.#partitions.set(partition, {
      records: (before?.records ?? 0) + records.length,
      firstOffset: before?.firstOffset ?? baseOffset,
      lastOffset,
    });
    if (!this.#jsonl) return;
    const lines = records.map(({ timestamp }, index) => {
      const offset = baseOffset < 0 ? null : baseOffset + index;
      return `${JSON.stringify({ topic: this.#topic, partition, offset, timestamp: logAppendTimeMs < 0 ? timestamp : logAppendTimeMs })}\n`;
    });
    process.stdout.write(lines.join(''));
  }

  failed({ records, error }: FailedDelivery): void {
    this.failedRecords += records.length;
    this.firstFailure ??= error;
  }

  endProgress(): void {
    if (this.#progress === undefined) return;
    clearInterval(this.#progress);
    this.#progress = undefined;
    process.stderr.write('\r\u001b[K');
  }

  summaryLine(): string {
    return `${this.#figures()} to ${this.#topic}`;
  }

  failureMessage(problem: Error): string {
    if (problem === this.badInput) return problem.message;
    const records = this.failedRecords === 1 ? '1 record was' : `${this.failedRecords} records were`;
    return `${records} not written to ${this.#topic}: ${problem.message}`;
  }

  /** See docs/cli.md. Offsets are null with acks=0, where nobody tells. */
  summaryJson(): unknown {
    return {
      topic: this.#topic,
      records: this.deliveredRecords,
      bytes: this.#bytes,
      failedRecords: this.failedRecords,
      elapsedMs: Math.round(performance.now() - this.#startedMs),
      partitions: [...this.#partitions]
        .toSorted(([a], [b]) => a - b)
        .map(([partition, { records, firstOffset, lastOffset }]) => ({
          partition,
          records,
          firstOffset: firstOffset < 0 ? null : firstOffset,
          lastOffset: lastOffset < 0 ? null : lastOffset,
        })),
    };
  }

  #figures(): string {
    const seconds = Math.max(0.001, (performance.now() - this.#startedMs) / 1000);
    const rate = Math.round(this.deliveredRecords / seconds);
    const records = this.deliveredRecords === 1 ? '1 record' : `${this.deliveredRecords.toLocaleString('en')} records`;
    return `${records}, ${bytesText(this.#bytes)} in ${seconds.toFixed(1)} s${this.deliveredRecords > 1000 ? ` (${rate.toLocaleString('en')} a second)` : ''}`;
  }
}

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power] ?? ''}`;
}
