// The first thing a start does in a log dir: writes what the journal holds to the segments it belongs to, so that the
// recovery of each partition finds everything that was promised, and says how far each promise went.
import { join } from 'node:path';
import type { Env } from '../base/env.ts';
import { inParallel } from '../base/in-parallel.ts';
import type { Logger } from '../base/log.ts';
import { JOURNAL_FILE } from './commit/journal.ts';
import type { JournalEntry } from './commit/journal-format.ts';
import { readJournal } from './commit/journal-reader.ts';
import { offsetFileName } from './log/log-names.ts';
import { encodePartitionMetadata, PARTITION_METADATA_FILE } from './log/partition-metadata.ts';

export interface ReplayedJournal {
  /** By partition folder: everything below this offset may have been acknowledged, and is synced in its segments now. */
  readonly promisedTo: ReadonlyMap<string, number>;
  /** Nothing beyond was acknowledged, of logs whose acks wait for the sync. False without a journal, or with a damaged one. */
  readonly known: boolean;
  /** There is a journal, whose frames a later start would find again. */
  readonly found: boolean;
}

export async function replayJournal(options: { env: Env; directory: string; log: Logger }): Promise<ReplayedJournal> {
  const { env, directory, log } = options;
  const path = join(directory, JOURNAL_FILE);
  const { state, frames } = await readJournal(env.files, path, env.compute);
  if (state === 'damaged') {
    log.error('the journal is damaged: records that were acknowledged last may be missing, where the disk lost what was not synced', {
      path,
    });
  }
  const promisedTo = new Map<string, number>();
  const files = new Map<string, JournalEntry[]>();
  for (const frame of frames) {
    const uncertain = new Set<string>();
    for (const entry of frame.entries) {
      // Frames behind it say that the group was durable. Of the last one that is certain only as far as the data lie in the frame.
      if (entry.data === undefined && frame === frames.at(-1)) uncertain.add(entry.partition);
      const endOffset = uncertain.has(entry.partition) ? 0 : entry.endOffset;
      promisedTo.set(entry.partition, Math.max(promisedTo.get(entry.partition) ?? 0, entry.baseOffset, endOffset));
      if (entry.data === undefined) continue;
      const file = join(directory, entry.partition, offsetFileName(entry.segmentBase, '.log'));
      const ofFile = files.get(file);
      if (ofFile === undefined) files.set(file, [entry]);
      else ofFile.push(entry);
    }
  }
  await inParallel(2, files, ([file, entries]) => writeBack(env, directory, file, entries));
  if (files.size > 0) {
    await env.files.syncDirectory(directory);
    log.info('wrote back what the journal held', { directory, frames: frames.length, files: files.size });
  }
  return { promisedTo, known: state === 'whole', found: state !== 'absent' };
}

async function writeBack(env: Env, directory: string, file: string, entries: readonly JournalEntry[]): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  const folder = join(directory, first.partition);
  if ((await env.files.stat(folder)) === undefined) {
    await env.files.makeDirectory(folder);
    const metadata = await env.files.open(join(folder, PARTITION_METADATA_FILE), 'create');
    await metadata.write([encodePartitionMetadata(first.topicId)], 0);
    await metadata.dataSync();
    await metadata.close();
  }
  const handle = await env.files.open(file, 'create');
  for (const { data, position } of entries) await handle.write(data ?? [], position);
  await handle.dataSync();
  await handle.close();
  await env.files.syncDirectory(folder);
}
