// How much may be thrown away before V8 cleans up. A broker's heap is small and its batches lie outside it, but V8 counts
// them as growth of the heap: with 10 MB alive it would collect all of it for every 8 MB that arrive, which took two fifths of
// the main thread under load. And what was thrown away is given back once nobody asks for anything: V8 by itself takes a
// program that does nothing at all for one that is busy, and keeps for ever what its busiest moment took.
// For the broker's own process only: an embedded one leaves its host's V8 alone.
import { performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

const MIB = 1024 * 1024;
/** What the process may grow by between two collections; within the budget for memory under load. */
const ROOM_BYTES = 80 * MIB;
/** Of a container's memory it is no more: cache, requests in hand, V8 and the program stand beside it (assemble/memory-shares.ts). */
const SHARE_OF_LIMIT = 1 / 8;
/** V8 itself lets a heap of some size grow by no less. */
const LEAST_PERCENT = 30;
const LOOK_AGAIN_MS = 5_000;
/** Share of the time in which the event loop has something to do, up to which nobody minds a collection. */
const QUIET_UTILIZATION = 0.05;
/** Quiet looks, one after the other, from which on and up to which V8 is asked: it looks for it every eight seconds. */
const FIRST_QUIET_LOOK = 2;
const LAST_QUIET_LOOK = 5;

/**
 * By how much a heap with that much in it may grow, in percent of it: the room stays the same when the heap grows.
 * @param limitBytes of the container; Infinity where there is none
 */
export function growingPercentOf(heapBytes: number, limitBytes: number): number {
  const roomBytes = Math.min(ROOM_BYTES, limitBytes * SHARE_OF_LIMIT);
  return Math.max(LEAST_PERCENT, Math.round((100 * roomBytes) / heapBytes));
}

/** Says at every look whether V8 should give back what it does not use: once in each quiet time, and not in the first moments. */
export class QuietWatch {
  #looks = 0;

  /** `utilization` since the last look, 0 to 1. */
  shouldGiveBack(utilization: number): boolean {
    this.#looks = utilization > QUIET_UTILIZATION ? 0 : this.#looks + 1;
    return this.#looks >= FIRST_QUIET_LOOK && this.#looks <= LAST_QUIET_LOOK;
  }
}

/** Sets it for this process, and again every now and then: topics and groups make the heap grow. */
export function giveGarbageRoom(limitBytes: number): void {
  const quiet = new QuietWatch();
  let before = performance.eventLoopUtilization();
  let givingBack = false;
  const adjust = (): void => {
    setFlagsFromString(`--heap-growing-percent=${growingPercentOf(getHeapStatistics().used_heap_size, limitBytes)}`);
    const now = performance.eventLoopUtilization();
    const shouldGiveBack = quiet.shouldGiveBack(performance.eventLoopUtilization(now, before).utilization);
    before = now;
    if (shouldGiveBack === givingBack) return;
    givingBack = shouldGiveBack;
    // With this flag V8's own timer collects, in small steps, and leaves out the question whether the program is busy.
    setFlagsFromString(givingBack ? '--optimize-for-size' : '--no-optimize-for-size');
  };
  adjust();
  setInterval(adjust, LOOK_AGAIN_MS).unref();
}
