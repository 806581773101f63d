// The disk without anything around it: how fast one file grows when every piece is synced before the next.
import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withDirectory } from './parties.ts';

const writeTo = promisify(write);
const sync = promisify(fdatasync);

/** Megabytes (10^6) a second. */
export function diskRate(parent: string, { chunkBytes, forMs }: { chunkBytes: number; forMs: number }): Promise<number> {
  return withDirectory(parent, async (directory) => {
    const fd = openSync(join(directory, 'disk'), 'w');
    const chunk = Buffer.alloc(chunkBytes, 'bucketrider');
    let bytes = 0;
    const startedMs = performance.now();
    while (performance.now() - startedMs < forMs) {
      await writeTo(fd, chunk, 0, chunkBytes, bytes);
      await sync(fd);
      bytes += chunkBytes;
    }
    const seconds = (performance.now() - startedMs) / 1000;
    closeSync(fd);
    return bytes / 1e6 / seconds;
  });
}
