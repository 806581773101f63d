// How much may be thrown away before V8 cleans up. A broker's heap is small and its batches lie outside it, but V8 counts
// them as growth of the heap: with 10 MB alive it collects all of it for every 8 MB that arrive, which took two fifths of
// the main thread under load. For the broker's own process only: an embedded one leaves its host's V8 alone.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

const MIB = 1024 * 1024;
/** What the process may grow by between two collections; within the budget for memory under load. */
const ROOM_BYTES = 40 * MIB;
/** V8 itself lets a heap of some size grow by no less. */
const LEAST_PERCENT = 30;
const LOOK_AGAIN_MS = 30_000;

/** By how much a heap with that much in it may grow, in percent of it: the room stays the same when the heap grows. */
export const growingPercentOf = (heapBytes: number): number => Math.max(LEAST_PERCENT, Math.round((100 * ROOM_BYTES) / heapBytes));

/** Sets it for this process, and again every now and then: topics and groups make the heap grow. */
export function giveGarbageRoom(): void {
  const adjust = (): void => setFlagsFromString(`--heap-growing-percent=${growingPercentOf(getHeapStatistics().used_heap_size)}`);
  adjust();
  setInterval(adjust, LOOK_AGAIN_MS).unref();
}
