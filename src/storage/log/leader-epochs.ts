// A partition's leader epochs: each with the offset at which it began. Consumers and followers ask where an epoch ended to
// find out whether their log and ours went apart (KIP-101, KIP-279). Memory and file form only.
import { invariant } from '../../base/invariant.ts';
import { DamagedCheckpointError, decodeCheckpoint, encodeCheckpoint, parseCheckpointNumber } from './checkpoints.ts';

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint';
const UNDEFINED_EPOCH = -1;
const UNDEFINED_OFFSET = -1;
const MAX_INT32 = 0x7fff_ffff;

export interface EpochStart {
  readonly epoch: number;
  /** Of the first batch of the epoch. */
  readonly startOffset: number;
}

/** `endOffset` is exclusive; both are -1 when the epoch says nothing about this log. */
export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

export class LeaderEpochs {
  /** Ascending in both epoch and start offset; absent until the first, as most partitions are idle. */
  #entries: readonly EpochStart[] | undefined;

  get entries(): readonly EpochStart[] {
    return this.#entries ?? [];
  }

  /** Undefined before the first append. */
  get latestEpoch(): number | undefined {
    return this.#entries?.at(-1)?.epoch;
  }

  /**
   * Notes that `epoch` begins at `startOffset`. Entries that contradict it (a later epoch, or a start at or past this one)
   * are forgotten: nothing was written in them that still counts. Returns whether anything changed, so that the file must.
   */
  assign(epoch: number, startOffset: number): boolean {
    invariant(epoch >= 0 && startOffset >= 0, 'a leader epoch and its start are not negative');
    const latest = this.#entries?.at(-1);
    if (latest && latest.epoch === epoch && latest.startOffset <= startOffset) return false;
    const kept = this.entries.filter((entry) => entry.epoch < epoch && entry.startOffset < startOffset);
    // As long as it need be: a list that grows by itself has room for a dozen more.
    this.#entries = kept.concat({ epoch, startOffset });
    return true;
  }

  /**
   * The largest epoch not above `requestedEpoch`, and the offset at which the one after it began: the log end for the
   * latest. An epoch older than all we know of is answered with itself and the start of the oldest. The answer to
   * OffsetForLeaderEpoch.
   */
  endOffsetFor(requestedEpoch: number, logEndOffset: number): EpochEnd {
    if (requestedEpoch === UNDEFINED_EPOCH) return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_OFFSET };
    if (requestedEpoch === this.latestEpoch) return { epoch: requestedEpoch, endOffset: logEndOffset };
    let floor: EpochStart | undefined;
    for (const entry of this.entries) {
      if (entry.epoch > requestedEpoch) return { epoch: floor?.epoch ?? requestedEpoch, endOffset: entry.startOffset };
      floor = entry;
    }
    return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_OFFSET };
  }

  /** The epoch in which `offset` was or will be written; undefined below the first. */
  epochAt(offset: number): number | undefined {
    return this.entries.findLast((entry) => entry.startOffset <= offset)?.epoch;
  }

  /** Forgets epochs that begin at `endOffset` or later; returns whether there were any. */
  truncateFromEnd(endOffset: number): boolean {
    return this.#replace(this.entries.filter((entry) => entry.startOffset < endOffset));
  }

  /** Forgets epochs that ended at `startOffset` or before; the one that holds it begins there from now on. Returns whether anything changed. */
  truncateFromStart(startOffset: number): boolean {
    const holder = this.entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    const first = this.entries[holder];
    if (!first || (holder === 0 && first.startOffset === startOffset)) return false;
    return this.#replace([{ epoch: first.epoch, startOffset }, ...this.entries.slice(holder + 1)]);
  }

  /** The text of `leader-epoch-checkpoint`. */
  encode(): Buffer {
    return encodeCheckpoint(this.entries.map((entry) => `${entry.epoch} ${entry.startOffset}`));
  }

  /** @throws DamagedCheckpointError, also when epochs or their starts do not ascend */
  static decode(bytes: Buffer, file: string = LEADER_EPOCH_FILE): LeaderEpochs {
    const epochs = new LeaderEpochs();
    const entries: EpochStart[] = [];
    for (const { text, line } of decodeCheckpoint(bytes, file)) {
      const [epochText = '', startText = '', ...more] = text.split(/\s+/);
      if (more.length > 0) throw new DamagedCheckpointError(file, line, 'more than an epoch and its start offset');
      const epoch = parseCheckpointNumber(epochText, file, line);
      const startOffset = parseCheckpointNumber(startText, file, line);
      const before = entries.at(-1);
      if (epoch > MAX_INT32) throw new DamagedCheckpointError(file, line, `the epoch ${epoch} is no int32`);
      if (before && (epoch <= before.epoch || startOffset <= before.startOffset))
        throw new DamagedCheckpointError(file, line, `epoch ${epoch} at ${startOffset} after ${before.epoch} at ${before.startOffset}`);
      entries.push({ epoch, startOffset });
    }
    epochs.#replace(entries);
    return epochs;
  }

  #replace(entries: readonly EpochStart[]): boolean {
    const changed = entries.length !== this.entries.length || entries[0]?.startOffset !== this.entries[0]?.startOffset;
    this.#entries = entries.length === 0 ? undefined : entries;
    return changed;
  }
}
