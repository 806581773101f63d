// The first thing a start does in a log dir: writes what the journal holds to the segments it belongs to, so that the
// recovery of each partition finds everything that was promised, and says how far each promise went.
import { dirname, join } from 'node:path';
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

export async function replayJournal(options: {
  env: Env;
  directory: string;
  log: Logger;
  /** What is known to be durable already: names of files and folders below it need no sync. */
  recoveryPoints: ReadonlyMap<string, number>;
}): Promise<ReplayedJournal> {
  const { env, directory, log, recoveryPoints } = options;
  const path = join(directory, JOURNAL_FILE);
  const { state, frames } = await readJournal(env.files, path, env.compute);
  if (state === 'damaged') {
    log.error('the journal is damaged: records that were acknowledged last may be missing, where the disk lost what was not synced', {
      path,
    });
  }
  const promisedTo = new Map<string, number>();
  const files = new Map<string, JournalEntry[]>();
  const owners = new Map<string, string>();
  const holdsData = new Set<string>();
  for (const frame of frames) {
    const uncertain = new Set<string>();
    for (const entry of frame.entries) {
      // Frames behind it say that the group was durable. Of the last one that is certain only as far as the data lie in the frame.
      if (entry.data === undefined && frame === frames.at(-1)) uncertain.add(entry.partition);
      const endOffset = uncertain.has(entry.partition) ? 0 : entry.endOffset;
      promisedTo.set(entry.partition, Math.max(promisedTo.get(entry.partition) ?? 0, entry.baseOffset, endOffset));
      owners.set(entry.partition, entry.topicId);
      if (entry.data === undefined) continue;
      holdsData.add(entry.partition);
      const file = join(directory, entry.partition, offsetFileName(entry.segmentBase, '.log'));
      const ofFile = files.get(file);
      if (ofFile === undefined) files.set(file, [entry]);
      else ofFile.push(entry);
    }
  }
  const recoveryPointOf = (partition: string): number => recoveryPoints.get(partition) ?? 0;
  const newOwners = [...owners].filter(([partition]) => recoveryPointOf(partition) === 0);
  await inParallel(2, newOwners, ([partition, topicId]) => sayWhose(env, join(directory, partition), topicId, holdsData.has(partition)));
  await inParallel(2, files, async ([file, entries]) => {
    await writeBack(env, file, entries);
    if (entries.some(({ partition, segmentBase }) => segmentBase >= recoveryPointOf(partition)))
      await env.files.syncDirectory(dirname(file));
  });
  if (newOwners.length > 0) await env.files.syncDirectory(directory);
  if (files.size > 0) {
    log.info('wrote back what the journal held', { directory, frames: frames.length, files: files.size });
  }
  return { promisedTo, known: state === 'whole', found: state !== 'absent' };
}

/** A power loss may have taken `partition.metadata`, or part of it, or the folder: of new partitions the frame alone is synced. */
async function sayWhose(env: Env, folder: string, topicId: string, mustExist: boolean): Promise<void> {
  if ((await env.files.stat(folder)) === undefined) {
    if (!mustExist) return;
    await env.files.makeDirectory(folder);
  }
  const bytes = encodePartitionMetadata(topicId);
  const metadata = await env.files.open(join(folder, PARTITION_METADATA_FILE), 'create');
  try {
    await metadata.write([bytes], 0);
    await metadata.truncate(bytes.length);
    await metadata.dataSync();
  } finally {
    await metadata.close();
  }
  await env.files.syncDirectory(folder);
}

async function writeBack(env: Env, file: string, entries: readonly JournalEntry[]): Promise<void> {
  const handle = await env.files.open(file, 'create');
  try {
    for (const { data, position } of entries) await handle.write(data ?? [], position);
    await handle.dataSync();
  } finally {
    await handle.close();
  }
}
