// The files beside the segments of one log: indexes and producers' snapshots of segments that are full, the leader epochs. Knows
// which of them do not say what the log says, and writes them before the recovery point passes what they tell of, or a clean
// stop vouches for them. What a crash leaves half done is made again from the batches.
import { join } from 'node:path';
import { replaceFile } from '../../base/files.ts';
import { indexSuffixes, writeIndexFiles, type IndexSurroundings } from './index-files.ts';
import { LEADER_EPOCH_FILE, type LeaderEpochs } from './leader-epochs.ts';
import { offsetFileName } from './log-names.ts';
import { removeSnapshot, writeSnapshot, type SnapshotToWrite } from './producer-files.ts';
import type { SealedSegment } from './recovery.ts';
import type { Segment } from './segment.ts';

/** What the log says of itself. */
export interface LogWithFiles {
  readonly directory: string;
  readonly hasDirectory: boolean;
  readonly highWatermark: number;
  readonly leaderEpochs: LeaderEpochs;
}

export class FilesBeside {
  readonly #log: LogWithFiles;
  readonly #around: IndexSurroundings;
  /** Segments that are full, and the producers' state at their end, whose files are still to be written. */
  #sealed: readonly SealedSegment[];
  /** The epochs have changed since their file was written. */
  #epochsDirty: boolean;
  /** The files do not say what is in the segments: a clean stop has to write them. */
  #changed: boolean;

  constructor(log: LogWithFiles, around: IndexSurroundings, found: { sealed: readonly SealedSegment[]; clean: boolean; isEmpty: boolean }) {
    this.#log = log;
    this.#around = around;
    this.#sealed = found.sealed;
    this.#epochsDirty = !found.clean;
    this.#changed = !found.clean && !found.isEmpty;
  }

  /** The log says something else now than the files do. */
  changed(): void {
    this.#changed = true;
  }

  epochsChanged(): void {
    this.#epochsDirty = true;
  }

  sealed(segment: Segment, snapshot: SnapshotToWrite): void {
    this.#sealed = [...this.#sealed, { segment, snapshot }];
  }

  /** The log was reopened, and these are full. */
  reopened(sealed: readonly SealedSegment[]): void {
    this.#sealed = sealed;
    this.#changed = true;
  }

  /** Segments that are no longer part of the log need none. */
  forget(segments: readonly Segment[]): void {
    this.#sealed = this.#sealed.filter(({ segment }) => !segments.includes(segment));
  }

  /** The oldest that is full and has not got its files; undefined when there is none. */
  get oldestWithout(): Segment | undefined {
    return this.#sealed[0]?.segment;
  }

  /** Some must be durable before the recovery point passes what they tell of. */
  get areDue(): boolean {
    const [oldest] = this.#sealed;
    const { highWatermark, hasDirectory } = this.#log;
    return (oldest !== undefined && oldest.snapshot.offset <= highWatermark) || (this.#epochsDirty && this.#changed && hasDirectory);
  }

  async write(): Promise<void> {
    const { env } = this.#around;
    const { directory } = this.#log;
    if (this.#epochsDirty && this.#log.hasDirectory) {
      this.#epochsDirty = false;
      await replaceFile(env.files, join(directory, LEADER_EPOCH_FILE), this.#log.leaderEpochs.encode()).catch((thrown: unknown) => {
        this.#epochsDirty = true;
        throw thrown;
      });
    }
    let wrote = false;
    for (let next = this.#sealed[0]; next !== undefined && next.snapshot.offset <= this.#log.highWatermark; next = this.#sealed[0]) {
      await writeIndexFiles(this.#around, next.segment);
      await writeSnapshot(env, directory, next.snapshot);
      if (this.#sealed[0] === next) this.#sealed = this.#sealed.slice(1); // else its segment was removed meanwhile
      this.#around.loadedIndexes.used(next.segment);
      wrote = true;
    }
    if (wrote) await env.files.syncDirectory(directory);
  }

  /** What a clean stop leaves, so that the next start need not walk the segments: those of the newest one too. */
  async writeAll(active: Segment | undefined, snapshot: () => SnapshotToWrite): Promise<void> {
    if (!this.#changed || !this.#log.hasDirectory) return;
    const { env } = this.#around;
    const { directory } = this.#log;
    await this.write();
    if (active !== undefined) await writeIndexFiles(this.#around, active, { isActive: true });
    await writeSnapshot(env, directory, snapshot());
    await env.files.syncDirectory(directory);
    this.#changed = false;
  }

  /** Removes the files of a segment that is no longer part of the log, the segment's own too. Readers that hold it open finish first. */
  async remove(segment: Segment): Promise<void> {
    const { env, openFiles, loadedIndexes } = this.#around;
    const { directory } = this.#log;
    loadedIndexes.forget(segment);
    openFiles.forget(segment.path);
    // The batches first: files beside a segment that is not there mean nothing, and the next start removes them.
    await env.files.remove(segment.path);
    for (const suffix of indexSuffixes) await env.files.remove(join(directory, offsetFileName(segment.baseOffset, suffix)));
    await removeSnapshot(env, directory, segment.baseOffset);
  }
}
