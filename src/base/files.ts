// Small compositions over a FileSystem: what a file holds if it is there, a file replaced whole, a folder that stays.
// Each says what a crash leaves between its steps; what the files mean is known elsewhere.
import { basename, dirname } from 'node:path';
import type { FileSystem } from './env.ts';
import { codeOf } from './posix-error.ts';

/** What replaceFile writes before it renames; one that a crash left behind means nothing and may be removed. */
export const TEMPORARY_SUFFIX = '.tmp';

/** The whole file; undefined when there is none. */
export async function readFileIfThere(files: FileSystem, path: string): Promise<Buffer | undefined> {
  try {
    return await files.readFile(path);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * Replaces a file, or makes it, so that a crash at any moment leaves the old content or the new one, whole. When it returns
 * the new one is durable. One call for a path at a time: they would share the temporary file.
 * @throws what the file system throws; the old content then stands, or the new one when only the last sync failed
 */
export async function replaceFile(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  try {
    const file = await files.open(temporary, 'create');
    try {
      await file.truncate(0); // a crash of an earlier attempt may have left a longer one
      await file.write([bytes], 0);
      // A crash up to here leaves the old file, and perhaps any part of the temporary one.
      await file.dataSync();
    } finally {
      await file.close();
    }
    // The bytes are durable before the name points at them: the other way round a crash could leave an empty file.
    await files.rename(temporary, path);
  } catch (thrown) {
    await files.remove(temporary).catch(() => {}); // tidiness only: the next attempt empties it first
    throw thrown;
  }
  // A crash here leaves the old file beside the temporary one, or the new file.
  await files.syncDirectory(dirname(path));
}

/** Makes a folder and its missing parents, durably: a crash afterwards leaves all of them. One that is there already costs no sync. */
export async function makeDurableDirectory(files: FileSystem, path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; (await files.stat(at)) === undefined; at = dirname(at)) {
    missing.push(at);
    if (dirname(at) === at) break;
  }
  if (missing.length === 0 && (await files.stat(path))?.isDirectory === true) return;
  await files.makeDirectory(path);
  // From the top down, so that a crash between two syncs leaves a shorter path and never one that hangs in the air.
  for (const made of missing.toReversed()) await files.syncDirectory(dirname(made));
}

/** Removes a file or a tree, durably: a crash afterwards does not bring it back. */
export async function removeDurably(files: FileSystem, path: string): Promise<void> {
  await files.remove(path);
  await files.syncDirectory(dirname(path));
}

/** True for a file that replaceFile left behind when it was interrupted. */
export const isTemporary = (path: string): boolean => basename(path).endsWith(TEMPORARY_SUFFIX);
