// Waits until one of some logs has more to read. A waiting fetch holds a listener on each log it reads from, one timer,
// and nothing else.
import type { Env } from '../base/env.ts';
import type { PartitionLog } from '../storage/log/partition-log.ts';

/**
 * Resolves when a log's high watermark has passed what was seen of it, when a log closes, when `waitMs` are over, or when
 * one of the signals aborts. What several logs commit in one turn wakes once, after all of them.
 */
export function waitForAdvance(
  env: Env,
  seen: ReadonlyMap<PartitionLog, number>,
  waitMs: number,
  signals: readonly AbortSignal[],
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    let waking = false;
    const finish = (): void => {
      timer[Symbol.dispose]();
      for (const stop of stops) stop();
      for (const signal of signals) signal.removeEventListener('abort', finish);
      resolve();
    };
    const wake = (): void => {
      if (waking) return;
      waking = true;
      env.defer(finish);
    };
    const timer = env.timer(waitMs, finish);
    for (const signal of signals) {
      signal.addEventListener('abort', finish);
      if (signal.aborted) wake();
    }
    for (const [log, highWatermark] of seen) {
      stops.push(log.onAdvance(wake));
      // It moved while other partitions were read from disk.
      if (log.highWatermark !== highWatermark) wake();
    }
  });
}
