// Counts what happens between two moments: the end of the warm-up and the end of the measurement.
import type { LoadResult } from './messages.ts';
import { LatencyHistogram } from './histogram.ts';

export class Tally {
  readonly #histogram = new LatencyHistogram();
  #fromMs = Infinity;
  #toMs = Infinity;
  #cpuFrom: NodeJS.CpuUsage = process.cpuUsage();
  #cpuMicroseconds = 0;
  #requests = 0;
  #bytes = 0;
  #records = 0;
  #allRequests = 0;
  #allBytes = 0;
  #allRecords = 0;

  begin(): void {
    this.#fromMs = performance.now();
    this.#cpuFrom = process.cpuUsage();
  }

  end(): void {
    this.#toMs = performance.now();
    const { user, system } = process.cpuUsage(this.#cpuFrom);
    this.#cpuMicroseconds = user + system;
  }

  /** A request has been answered at `nowMs`; it counts when that lies within the measurement. */
  add(answer: { nowMs: number; latencyMs: number; bytes: number; records: number }): void {
    this.#allRequests += 1;
    this.#allBytes += answer.bytes;
    this.#allRecords += answer.records;
    if (answer.nowMs < this.#fromMs || answer.nowMs > this.#toMs) return;
    this.#requests += 1;
    this.#bytes += answer.bytes;
    this.#records += answer.records;
    this.#histogram.add(answer.latencyMs);
  }

  result(): LoadResult {
    const seconds = (this.#toMs - this.#fromMs) / 1000;
    const at = (share: number): number => this.#histogram.percentileMs(share);
    return {
      seconds,
      requests: this.#requests,
      bytes: this.#bytes,
      records: this.#records,
      allRequests: this.#allRequests,
      allBytes: this.#allBytes,
      allRecords: this.#allRecords,
      latencyMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: this.#histogram.maxMs },
      generatorCpu: this.#cpuMicroseconds / 1e6 / seconds,
    };
  }
}
