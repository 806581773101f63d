// The index files beside a segment: written when it is sealed or the broker stops, read when somebody looks something
// up in it. They can always be made again from the segment, and are, when they are missing or do not fit it.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import { readFileIfThere } from '../../base/files.ts';
import { present } from '../../base/invariant.ts';
import { DamagedFileError } from '../damaged-file.ts';
import type { OpenFiles } from '../open-files.ts';
import { placeOfBatch } from './batch-facts.ts';
import { offsetFileName, type FileMark, type OffsetFileSuffix } from './log-names.ts';
import { OffsetIndex } from './offset-index.ts';
import { scanBatches } from './scan.ts';
import type { Indexes, Segment } from './segment.ts';
import { TimeIndex } from './time-index.ts';
import { TransactionIndex } from './transaction-index.ts';

export interface IndexSurroundings {
  readonly env: Env;
  readonly openFiles: OpenFiles;
  readonly log: Logger;
  readonly loadedIndexes: LoadedIndexes;
}

const fileOf = (segment: Segment, suffix: OffsetFileSuffix, mark?: FileMark): string =>
  join(segment.directory, offsetFileName(segment.baseOffset, suffix, mark));

/** Sealed segments whose indexes are in memory, a bounded number of them: the longest unused are let go. */
export class LoadedIndexes {
  readonly #limit: number;
  readonly #segments = new Set<Segment>();

  constructor(limit = 128) {
    this.#limit = limit;
  }

  used(segment: Segment): void {
    this.#segments.delete(segment);
    this.#segments.add(segment);
    if (this.#segments.size <= this.#limit) return;
    for (const oldest of this.#segments) {
      this.#segments.delete(oldest);
      if (oldest.indexFilesCurrent) oldest.indexes = undefined;
      return;
    }
  }

  forget(segment: Segment): void {
    this.#segments.delete(segment);
  }
}

/** The segment's indexes, from memory, from their files, or from the segment itself. */
export async function indexesOf(around: IndexSurroundings, segment: Segment): Promise<Indexes> {
  if (segment.indexes !== undefined) {
    if (segment.indexFilesCurrent) around.loadedIndexes.used(segment);
    return segment.indexes;
  }
  const indexes = (await readIndexFiles(around, segment)) ?? (await rebuildIndexes(around, segment));
  segment.takeIndexes(indexes);
  around.loadedIndexes.used(segment);
  return indexes;
}

/** Undefined when the files are not all there, or are damaged. */
export async function readIndexFiles(around: Pick<IndexSurroundings, 'env' | 'log'>, segment: Segment): Promise<Indexes | undefined> {
  try {
    const offsets = await readFileIfThere(around.env.files, fileOf(segment, '.index'));
    const times = await readFileIfThere(around.env.files, fileOf(segment, '.timeindex'));
    if (offsets === undefined || times === undefined) return undefined;
    const indexes = {
      offsets: OffsetIndex.decode(segment.baseOffset, offsets),
      times: TimeIndex.decode(segment.baseOffset, times),
    };
    // It ends with the largest timestamp of the segment: one without entries would say that nothing in it has a time.
    if (indexes.times.bytes === 0 && segment.bytes > 0) return undefined;
    if (indexes.offsets.lookup(Number.MAX_SAFE_INTEGER) >= segment.bytes && segment.bytes > 0) return undefined;
    return indexes;
  } catch (thrown) {
    if (!(thrown instanceof DamagedFileError)) throw thrown;
    around.log.warn('an index is damaged and is made again', { segment: segment.path, why: thrown.message });
    return undefined;
  }
}

/** Walks the whole segment. */
export async function rebuildIndexes(around: Pick<IndexSurroundings, 'env' | 'openFiles'>, segment: Segment): Promise<Indexes> {
  const fresh = segment.likeNew();
  fresh.startIndexes();
  await around.openFiles.use(segment.path, (handle) =>
    scanBatches(
      around.env.compute,
      handle,
      { from: 0, to: segment.bytes, checkCrcFromOffset: Infinity, nextOffset: segment.baseOffset, gaplessFrom: Infinity },
      (buffer, at) => void fresh.append(placeOfBatch(buffer, at)),
    ),
  );
  const indexes = present(fresh.indexes, 'the indexes just begun');
  indexes.times.maybeAppend(fresh.maxTimestamp, fresh.offsetOfMaxTimestamp);
  return indexes;
}

/** The aborted transactions of a segment, which no other file tells. @throws DamagedFileError */
export async function readAborted(env: Env, segment: Segment): Promise<TransactionIndex | undefined> {
  const bytes = await readFileIfThere(env.files, fileOf(segment, '.txnindex'));
  return bytes === undefined || bytes.length === 0 ? undefined : TransactionIndex.decode(segment.baseOffset, bytes);
}

/**
 * Writes and syncs the files; their names are the caller's to sync. With `isActive` an empty offset index, as that of every
 * small partition is, and the time index beside it are not synced: a start that finds it empty or not at all walks the whole
 * segment, and has read what they say from the batches. A stop with 10,000 partitions spares 20,000 syncs.
 */
export async function writeIndexFiles(
  around: Pick<IndexSurroundings, 'env'>,
  segment: Segment,
  { isActive = false }: { isActive?: boolean } = {},
): Promise<void> {
  const { indexes } = segment;
  if (indexes === undefined || segment.indexFilesCurrent) return;
  await writeMarkedIndexFiles(around, segment, indexes, { sync: !isActive || indexes.offsets.bytes > 0 });
  segment.indexFilesCurrent = true;
}

/** The same under names that a crash leaves without meaning; returns the suffixes of the files that were made. */
export async function writeMarkedIndexFiles(
  around: Pick<IndexSurroundings, 'env'>,
  segment: Segment,
  indexes: Indexes,
  { mark, sync = true }: { mark?: FileMark; sync?: boolean } = {},
): Promise<OffsetFileSuffix[]> {
  // The last entry tells the largest timestamp of the whole segment, whatever the sparse entries before it happened to see.
  indexes.times.maybeAppend(segment.maxTimestamp, segment.offsetOfMaxTimestamp);
  await writeWhole(around.env, fileOf(segment, '.index', mark), indexes.offsets.encode(), { sync });
  await writeWhole(around.env, fileOf(segment, '.timeindex', mark), indexes.times.encode(), { sync });
  if (segment.aborted === undefined) return ['.index', '.timeindex'];
  await writeWhole(around.env, fileOf(segment, '.txnindex', mark), segment.aborted.encode());
  return ['.index', '.timeindex', '.txnindex'];
}

/** A crash may leave any part of it: what is read is checked, and made again. */
export async function writeWhole(env: Env, path: string, bytes: Buffer, { sync = true }: { sync?: boolean } = {}): Promise<void> {
  const handle = await env.files.open(path, 'create');
  try {
    await handle.truncate(0);
    await handle.write([bytes], 0);
    if (sync) await handle.dataSync();
  } finally {
    await handle.close();
  }
}

export const indexSuffixes = ['.index', '.timeindex', '.txnindex'] as const satisfies readonly OffsetFileSuffix[];
