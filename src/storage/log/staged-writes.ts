// What one log has appended and the commit loop has not written yet, piece by piece as it goes to the segments; and what the
// loop has in hand. Which bytes go where; what it means when they are written, or are not, is the log's.
import { joinNeighbours } from '../../base/buffers.ts';
import type { StagedWrite } from '../commit/commit-log.ts';
import type { BatchPlace, Segment } from './segment.ts';

/** A write of one log, and the segment it goes to. */
interface SegmentWrite extends StagedWrite {
  readonly segment: Segment;
}

const NONE: readonly never[] = [];

/** Made with the first append: most partitions are idle. */
export class StagedWrites {
  #staged: SegmentWrite[] | undefined;
  #inHand: readonly SegmentWrite[] = NONE;
  /** The log end after what is in hand; exclusive. */
  inHandEndOffset = -1;

  /** A batch at the end of the segment. Those that follow each other in one segment, of one leader epoch, are one write. */
  add(segment: Segment, position: number, bytes: Buffer, { baseOffset, lastOffset }: BatchPlace, leaderEpoch: number): void {
    this.#staged ??= [];
    const last = this.#staged[this.#staged.length - 1];
    if (last !== undefined && last.segment === segment && last.leaderEpoch === leaderEpoch) {
      last.buffers.push(bytes);
      last.bytes += bytes.length;
      last.endOffset = lastOffset + 1;
      return;
    }
    this.#staged.push({
      segment,
      path: segment.path,
      segmentBase: segment.baseOffset,
      position,
      buffers: [bytes],
      bytes: bytes.length,
      baseOffset,
      endOffset: lastOffset + 1,
      leaderEpoch,
      creates: !segment.named,
    });
  }

  /** Hands over all that is staged, up to the log end. */
  take(logEndOffset: number): StagedWrite[] {
    const staged = this.#staged ?? [];
    this.inHandEndOffset = logEndOffset;
    this.#inHand = staged;
    this.#staged = undefined;
    // Batches that came together lie together in memory: a hundred small ones go to the system as one piece.
    for (const write of staged) write.buffers = joinNeighbours(write.buffers);
    return staged;
  }

  /** What was in hand is in its segments. */
  written(): void {
    for (const { segment } of this.#inHand) segment.named = true;
    this.#inHand = NONE;
  }

  /** What was in hand was not written. What has been staged since stays until the log is reopened. */
  dropInHand(): void {
    this.#inHand = NONE;
  }

  /** The log was reopened: what was not written is cut. */
  clear(): void {
    this.#staged = undefined;
    this.#inHand = NONE;
  }
}
