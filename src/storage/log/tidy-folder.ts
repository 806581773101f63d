// What an interrupted deletion, cleaning or split left in a partition's folder is completed or undone, by the rules of
// Kafka's LogLoader: the cleaner writes `.cleaned` files, renames them to `.swap` when all are whole, then takes the place of
// the segments they were made from. Touches nothing where there is nothing of the kind.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import { lastOffsetOf } from '../../protocol/record-batch.ts';
import { offsetFileName, parseOffsetFileName, type OffsetFile, type OffsetFileSuffix } from './log-names.ts';
import { scanBatches } from './scan.ts';

interface Folder {
  readonly env: Env;
  readonly log: Logger;
  readonly directory: string;
}

const indexSuffixes: ReadonlySet<OffsetFileSuffix> = new Set(['.index', '.timeindex', '.txnindex']);

/** The files that are named after offsets, once the folder is tidy; none when there is no folder. */
export async function tidyFolder(folder: Folder): Promise<OffsetFile[]> {
  let files = await offsetFilesOf(folder);
  if (files.some(({ mark }) => mark !== undefined)) {
    await finishInterrupted(folder, files);
    await folder.env.files.syncDirectory(folder.directory);
    files = await offsetFilesOf(folder);
  }
  const segments = new Set(files.filter(({ suffix }) => suffix === '.log').map(({ offset }) => offset));
  const orphans = files.filter(({ suffix, offset }) => indexSuffixes.has(suffix) && !segments.has(offset));
  for (const orphan of orphans) await remove(folder, orphan);
  return orphans.length === 0 ? files : files.filter((file) => !orphans.includes(file));
}

async function finishInterrupted(folder: Folder, files: readonly OffsetFile[]): Promise<void> {
  const marked = (mark: OffsetFile['mark']): OffsetFile[] => files.filter((file) => file.mark === mark);
  // A split writes from the back: with one part unfinished those behind it are of no use, and the segment they came from is still there.
  const firstUnfinished = Math.min(...marked('.cleaned').map(({ offset }) => offset));
  const useless = marked('.swap').filter(({ offset }) => offset >= firstUnfinished);
  for (const file of [...marked('.deleted'), ...useless, ...marked('.cleaned')]) await remove(folder, file);
  const finished = marked('.swap').filter(({ offset }) => offset < firstUnfinished);
  let replacedFrom = Infinity;
  let replacedTo = -Infinity;
  for (const { offset, suffix } of finished) {
    if (suffix !== '.log') continue;
    replacedFrom = Math.min(replacedFrom, offset);
    replacedTo = Math.max(replacedTo, await endOffsetOf(folder, offset));
  }
  // An empty segment speaks of nothing but its own place: the indexes there are of another.
  const bases = new Set(finished.filter(({ suffix }) => suffix === '.log').map(({ offset }) => offset));
  for (const file of marked(undefined)) {
    const isReplaced = file.offset >= replacedFrom && file.offset < replacedTo;
    if (isReplaced || (bases.has(file.offset) && indexSuffixes.has(file.suffix))) await remove(folder, file);
  }
  if (finished.length === 0) return;
  // What was replaced is gone for good before a `.swap` segment, which says what that was, gets its name; then come its indexes.
  await folder.env.files.syncDirectory(folder.directory);
  await takePlace(
    folder,
    finished.filter(({ suffix }) => suffix === '.log'),
  );
  await takePlace(
    folder,
    finished.filter(({ suffix }) => suffix !== '.log'),
  );
  folder.log.info('segments that the cleaner had finished took their place', { directory: folder.directory });
}

async function takePlace({ env, directory }: Folder, files: readonly OffsetFile[]): Promise<void> {
  for (const { offset, suffix } of files)
    await env.files.rename(join(directory, offsetFileName(offset, suffix, '.swap')), join(directory, offsetFileName(offset, suffix)));
  await env.files.syncDirectory(directory);
}

/** Behind the last batch of a `.swap` segment. */
async function endOffsetOf({ env, directory }: Folder, baseOffset: number): Promise<number> {
  const handle = await env.files.open(join(directory, offsetFileName(baseOffset, '.log', '.swap')), 'read');
  try {
    let endOffset = baseOffset;
    const to = await handle.size();
    await scanBatches(
      env.compute,
      handle,
      { from: 0, to, checkCrcFromOffset: Infinity, nextOffset: baseOffset, gaplessFrom: Infinity },
      (buffer, at) => void (endOffset = lastOffsetOf(buffer, at) + 1),
    );
    return endOffset;
  } finally {
    await handle.close();
  }
}

async function offsetFilesOf({ env, directory }: Folder): Promise<OffsetFile[]> {
  if ((await env.files.stat(directory)) === undefined) return [];
  const names = (await env.files.readDirectory(directory)).map(({ name }) => name);
  return names.map((name) => parseOffsetFileName(name)).filter((file) => file !== undefined);
}

async function remove({ env, directory }: Folder, { offset, suffix, mark }: OffsetFile): Promise<void> {
  await env.files.remove(join(directory, offsetFileName(offset, suffix, mark ?? '')));
}
