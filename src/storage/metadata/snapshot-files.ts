// The snapshots of a metadata log, which lie beside its segments: their names, writing one durably, finding the newest that is
// whole, removing old ones. Kafka's names, so that either broker starts from what the other left.
//
//   <20 digits of offset>-<10 digits of epoch>.checkpoint     offset: exclusive end of what it stands for; epoch: of the last record
//                                           .checkpoint.part     not finished          .checkpoint.deleted     waits to be removed
//                                           .checkpoint.damaged  (ours) set aside; Kafka passes over it
import { basename, dirname, join } from 'node:path';
import type { Env } from '../../base/env.ts';

export interface SnapshotId {
  /** Exclusive. */
  readonly endOffset: number;
  readonly epoch: number;
}

const OFFSET_DIGITS = 20;
const EPOCH_DIGITS = 10;
const SUFFIX = '.checkpoint';
const PARTIAL_SUFFIX = '.checkpoint.part';
const DELETED_SUFFIX = '.checkpoint.deleted';
const DAMAGED_SUFFIX = '.checkpoint.damaged';

export function snapshotFileName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(OFFSET_DIGITS, '0')}-${String(epoch).padStart(EPOCH_DIGITS, '0')}${SUFFIX}`;
}

/** Undefined for every other name. */
export function parseSnapshotFileName(name: string): SnapshotId | undefined {
  const parts = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name);
  const endOffset = Number(parts?.[1]);
  const epoch = Number(parts?.[2]);
  return parts === null || !Number.isSafeInteger(endOffset) || epoch > 0x7fff_ffff ? undefined : { endOffset, epoch };
}

/** The snapshots in the folder, oldest first; empty where there is no folder. */
export async function listSnapshots(env: Env, directory: string): Promise<SnapshotId[]> {
  if ((await env.files.stat(directory)) === undefined) return [];
  const found = (await env.files.readDirectory(directory)).map(({ name }) => parseSnapshotFileName(name));
  return found.filter((id) => id !== undefined).sort((left, right) => left.endOffset - right.endOffset || left.epoch - right.epoch);
}

/** Removes what an interrupted writing or removing has left. */
export async function removeUnfinishedSnapshots(env: Env, directory: string): Promise<void> {
  if ((await env.files.stat(directory)) === undefined) return;
  for (const { name } of await env.files.readDirectory(directory))
    if (name.endsWith(PARTIAL_SUFFIX) || name.endsWith(DELETED_SUFFIX)) await env.files.remove(join(directory, name));
}

/** When it returns the snapshot is durable; a crash before leaves none of its name. Returns its bytes. */
export async function writeSnapshotFile(env: Env, path: string, chunks: Iterable<Buffer>): Promise<number> {
  const partial = path.slice(0, -SUFFIX.length) + PARTIAL_SUFFIX;
  let bytes = 0;
  try {
    const file = await env.files.open(partial, 'create');
    try {
      await file.truncate(0);
      for (const chunk of chunks) {
        await file.write([chunk], bytes);
        bytes += chunk.length;
      }
      await file.dataSync();
    } finally {
      await file.close();
    }
    await env.files.rename(partial, path);
  } catch (thrown) {
    await env.files.remove(partial).catch(() => {}); // tidiness only: every start removes them
    throw thrown;
  }
  await env.files.syncDirectory(dirname(path));
  return bytes;
}

/** Out of the way of this broker and of Kafka, and kept for whoever wants to know what it was. */
export async function setDamagedSnapshotAside(env: Env, path: string): Promise<string> {
  const aside = join(dirname(path), basename(path, SUFFIX) + DAMAGED_SUFFIX);
  await env.files.rename(path, aside);
  await env.files.syncDirectory(dirname(path));
  return aside;
}
