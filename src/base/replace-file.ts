// temporary
import type { FileSystem } from './env.ts';
import { parentOf } from './paths.ts';
export async function replaceFile(files: FileSystem, path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`;
  await files.remove(temporary);
  const handle = await files.open(temporary, 'create');
  await handle.write([bytes], 0);
  await handle.dataSync();
  await handle.close();
  await files.rename(temporary, path);
  await files.syncDirectory(parentOf(path));
}
export async function readFileIfThere(files: FileSystem, path: string): Promise<Buffer | undefined> {
  return (await files.stat(path)) === undefined ? undefined : files.readFile(path);
}
export class Slabs {
  #slab = Buffer.alloc(0);
  #used = 0;
  copy(bytes: Buffer): Buffer {
    if (this.#used + bytes.length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(1 << 20, bytes.length));
      this.#used = 0;
    }
    const slice = this.#slab.subarray(this.#used, this.#used + bytes.length);
    bytes.copy(slice);
    this.#used += bytes.length;
    return slice;
  }
}
