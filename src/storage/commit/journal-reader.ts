// Reads what a journal file says after a crash: the frames that still count, oldest first. A frame that the crash tore
// is not there; a hole between frames is damage, and what lies behind it still counts.
import type { Compute, FileSystem } from '../../base/env.ts';
import { readFileIfThere } from '../../base/files.ts';
import { decodeHead, framesOfHalf, HEAD_BYTES, type JournalFrame } from './journal-format.ts';

export interface JournalContent {
  /**
   * `absent`: none was begun since the last clean stop. `damaged`: something that had been written is gone; what the
   * frames say holds, but it is not all that was promised.
   */
  readonly state: 'absent' | 'whole' | 'damaged';
  readonly frames: readonly JournalFrame[];
}

/** @throws DamagedFileError when a later version has written it */
export async function readJournal(files: FileSystem, path: string, compute: Compute): Promise<JournalContent> {
  const bytes = await readFileIfThere(files, path);
  if (bytes === undefined) return { state: 'absent', frames: [] };
  const head = decodeHead(bytes, compute, path);
  if (head === undefined) {
    // A power loss may leave nothing but the name, or zeros, of a journal whose first frame was never synced.
    const begun = bytes.subarray(0, HEAD_BYTES).some((byte) => byte !== 0);
    return { state: begun ? 'damaged' : 'absent', frames: [] };
  }
  const { id, halfBytes } = head;
  const found = [HEAD_BYTES, HEAD_BYTES + halfBytes].flatMap((startsAt) =>
    framesOfHalf(bytes.subarray(startsAt, startsAt + halfBytes), id, compute),
  );
  found.sort((left, right) => left.sequence - right.sequence);
  const last = found.at(-1);
  if (last === undefined) return { state: 'whole', frames: [] };
  const frames = found.filter(({ sequence }) => sequence >= last.liveFrom);
  // Sequences have no gaps: one that is missing among those that count had been written, and is gone.
  return { state: frames.length === last.sequence - last.liveFrom + 1 ? 'whole' : 'damaged', frames };
}
