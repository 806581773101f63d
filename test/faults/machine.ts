// What the machine must allow so that faults can be made in it: tracing a process, mounting small file systems, a C compiler. Asked
// once, before the first case, by doing it.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Ability = 'trace' | 'mount' | 'compile';

/** Why the machine cannot do it; undefined when it can. */
export async function missing(ability: Ability): Promise<string | undefined> {
  const place = new Place();
  try {
    if (ability === 'trace') await run('strace', ['-f', '-o', '/dev/null', '-e', 'inject=getcwd:error=EIO', 'true']);
    else if (ability === 'mount') await place.tmpfs('64k');
    else await run('cc', ['--version']);
    return undefined;
  } catch (thrown) {
    return `this machine does not let us ${ability}: ${thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown)}`;
  } finally {
    await place.clear();
  }
}

/** Folders, mounts and programs of one case; all of it goes with it, in reverse order. */
export class Place {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bucketrider-fault-'));
  readonly #closers: (() => Promise<unknown>)[] = [];
  #count = 0;

  /** Runs at the end, whatever becomes of the case. */
  onClear(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  folder(): string {
    this.#count += 1;
    const path = this.path(`dir${this.#count}`);
    mkdirSync(path);
    return path;
  }

  /** A file system in memory of that size ("20m"), mounted. */
  async tmpfs(size: string): Promise<string> {
    const path = this.folder();
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
    this.onClear(() => run('umount', ['-l', path]));
    return path;
  }

  /** A small ext4 in a file, mounted through a loop device. */
  async ext4(size: string): Promise<string> {
    const image = this.path('ext4.img');
    await run('truncate', ['-s', size, image]);
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    const path = this.folder();
    await run('mount', ['-o', 'loop', image, path]);
    this.onClear(() => run('umount', ['-l', path]));
    return path;
  }

  async clear(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close().catch(() => undefined);
    if (existsSync(this.#folder)) rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function remount(path: string, how: 'ro' | 'rw'): Promise<void> {
  await run('mount', ['-o', `remount,${how}`, path]);
}
