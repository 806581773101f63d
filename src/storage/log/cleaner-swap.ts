// Puts a cleaned segment in the place of those it was made from, under Kafka's names: `.cleaned` while it is made, `.swap` once
// it is whole, then its own. Whatever a crash leaves, tidyFolder completes or undoes, here and on Kafka's side.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { CommitFailedError, isDiskFull } from '../commit/commit-log.ts';
import type { DirToClean } from './cleaner.ts';
import { indexSuffixes } from './index-files.ts';
import { offsetFileName, type FileMark, type OffsetFileSuffix } from './log-names.ts';
import type { PartitionLog } from './partition-log.ts';
import { removeSnapshot } from './producer-files.ts';
import type { Segment } from './segment.ts';

export interface Swap {
  readonly log: PartitionLog;
  /** Neighbours in the log, oldest first. */
  readonly replaced: readonly Segment[];
  /** Written and synced under the mark `.cleaned`, its names too; it begins where the first of the replaced does. */
  readonly cleaned: Segment;
  /** Of the index files that it has. */
  readonly indexFiles: readonly OffsetFileSuffix[];
  /** Waits. @throws when the broker stops */
  readonly pause: (ms: number) => Promise<void>;
}

/** The log was closed, reopened, or lost segments meanwhile; what has been put in place by then stays. */
export class CleaningAbandonedError extends Error {
  override readonly name = 'CleaningAbandonedError';

  constructor(partition: string) {
    super(`${partition} has changed while it was cleaned`);
  }
}

const DISK_FULL_RETRY_MS = 1000;

/** @throws CleaningAbandonedError when the log has changed since: nothing is replaced then; CommitFailedError */
export async function swapIn(dir: DirToClean, swap: Swap): Promise<void> {
  const { log } = swap;
  await log.changeFiles(async () => {
    if (!log.hasSegments(swap.replaced)) throw new CleaningAbandonedError(log.name);
    await becomeSwap(dir, swap);
    await takePlace(dir, swap);
  });
}

/** A crash up to the last rename leaves a `.cleaned` file, and the next start removes all there is of the new segment. */
async function becomeSwap(dir: DirToClean, { cleaned, indexFiles }: Swap): Promise<void> {
  const { files } = dir.around.env;
  const rename = (suffix: OffsetFileSuffix): Promise<void> =>
    dir.attempt('write', nameOf(cleaned, suffix, '.swap'), () =>
      files.rename(nameOf(cleaned, suffix, '.cleaned'), nameOf(cleaned, suffix, '.swap')),
    );
  for (const suffix of indexFiles) await rename(suffix);
  dir.around.openFiles.forget(cleaned.path);
  await rename('.log');
  dir.around.openFiles.forget(cleaned.path);
  cleaned.path = nameOf(cleaned, '.log', '.swap');
  await dir.attempt('sync', cleaned.directory, () => files.syncDirectory(cleaned.directory));
}

/** From here on a crash leaves a `.swap` segment that is whole, and the next start goes on where this ended. */
async function takePlace(dir: DirToClean, swap: Swap): Promise<void> {
  const { log, replaced, cleaned, indexFiles } = swap;
  const { env, openFiles } = dir.around;
  const { directory } = cleaned;
  const sync = (): Promise<void> => dir.attempt('sync', directory, () => env.files.syncDirectory(directory));
  log.replaceSegments(replaced, cleaned);
  const others = replaced.filter(({ baseOffset }) => baseOffset !== cleaned.baseOffset);
  await stepByStep(dir, swap, async () => {
    for (const segment of others) await env.files.remove(nameOf(segment, '.log'));
  });
  // A `.swap` segment that ends early does not speak for the last of them, and the next start keeps what it finds of those:
  // with all of their files, or the aborted transactions in them would be read as committed.
  if (others.length > 0) await sync();
  await stepByStep(dir, swap, async () => {
    for (const segment of others) {
      for (const suffix of indexSuffixes) await env.files.remove(nameOf(segment, suffix));
      await removeSnapshot(env, directory, segment.baseOffset);
    }
    // Of the first one all is overwritten, but for what the new one has none of.
    for (const suffix of indexSuffixes) if (!indexFiles.includes(suffix)) await env.files.remove(nameOf(cleaned, suffix));
  });
  // What was replaced is gone before the `.swap` segment, which alone says what that was, gets its name.
  await sync();
  const path = nameOf(cleaned, '.log');
  await stepByStep(dir, swap, () =>
    // Held open meanwhile: readers never ask for a name that it has not any more, or not yet.
    openFiles.use(cleaned.path, async () => {
      await env.files.rename(cleaned.path, path);
      openFiles.renamed(cleaned.path, path);
      cleaned.path = path;
    }),
  );
  // An index that took its place before its segment would be taken for one of the segment that was replaced.
  await sync();
  await stepByStep(dir, swap, async () => {
    for (const suffix of indexFiles)
      if ((await env.files.stat(nameOf(cleaned, suffix, '.swap'))) !== undefined)
        await env.files.rename(nameOf(cleaned, suffix, '.swap'), nameOf(cleaned, suffix));
  });
  await sync();
  cleaned.indexFilesCurrent = true;
  dir.around.loadedIndexes.used(cleaned);
}

/**
 * There is no way back: a disk that is full (some need room to remove a name) is waited out, until the broker stops. The next
 * start then does the rest. The steps may be repeated.
 */
async function stepByStep(dir: DirToClean, { log, cleaned, pause }: Swap, steps: () => Promise<void>): Promise<void> {
  const { log: logger } = dir.around;
  for (;;) {
    try {
      await dir.attempt('write', cleaned.path, steps);
      return;
    } catch (thrown) {
      if (!(thrown instanceof CommitFailedError) || !isDiskFull(thrown)) throw thrown;
      if (!log.hasSegments([cleaned])) throw new CleaningAbandonedError(log.name);
      logger.warn('a cleaned segment takes its place once the disk has room again', { partition: log.name, error: thrown });
    }
    await pause(DISK_FULL_RETRY_MS);
  }
}

/**
 * Takes back what was made of a cleaned segment that will not take its place; its `.log` last, which says that the rest means
 * nothing. One that has become a `.swap` stays: it takes its place with the next start.
 */
export async function removeCleaned(dir: DirToClean, cleaned: Segment): Promise<void> {
  if (cleaned.path !== nameOf(cleaned, '.log', '.cleaned')) return;
  try {
    await dir.attempt('write', cleaned.path, () => removeFiles(dir.around.env, cleaned));
  } catch (error) {
    dir.around.log.warn('what was left of a cleaning could not be removed, and is left to the next start', {
      segment: cleaned.path,
      error,
    });
  }
}

async function removeFiles(env: Env, cleaned: Segment): Promise<void> {
  for (const mark of ['.swap', '.cleaned'] as const)
    for (const suffix of indexSuffixes) await env.files.remove(nameOf(cleaned, suffix, mark));
  await env.files.syncDirectory(cleaned.directory);
  await env.files.remove(nameOf(cleaned, '.log', '.cleaned'));
}

const nameOf = ({ directory, baseOffset }: Segment, suffix: OffsetFileSuffix, mark?: FileMark): string =>
  join(directory, offsetFileName(baseOffset, suffix, mark));
