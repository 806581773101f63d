// Open file handles, bounded: partitions are many, descriptors are few. A file is opened when it is used and stays
// open until the bound asks for its descriptor back, the longest unused first. Knows paths and handles, nothing of logs.
import type { FileHandle, FileSystem } from '../base/env.ts';

interface OpenFile {
  readonly opening: Promise<FileHandle>;
  users: number;
  /** Forgotten while in use: closed by the last user. */
  doomed: boolean;
}

export class OpenFiles {
  readonly #files: FileSystem;
  readonly #limit: number;
  /** In order of use, the longest unused first. */
  readonly #open = new Map<string, OpenFile>();
  readonly #closing = new Set<Promise<void>>();

  constructor(files: FileSystem, limit: number) {
    this.#files = files;
    this.#limit = limit;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Lends the handle of a file that exists for the duration of `work`. @throws ENOENT when it does not */
  use<Result>(path: string, work: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    return this.#lend(path, 'write', work);
  }

  /** The same for a file that is made when it is not there yet. */
  create<Result>(path: string, work: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    return this.#lend(path, 'create', work);
  }

  /** Gives the handle up (before a rename or removal of the file); users in hand finish first. */
  forget(path: string): void {
    const file = this.#open.get(path);
    if (file === undefined) return;
    this.#open.delete(path);
    file.doomed = true;
    if (file.users === 0) this.#close(file);
  }

  /** The file has another name from now on, one that it may have taken from another file. Whoever uses it goes on. */
  renamed(from: string, to: string): void {
    this.forget(to);
    const file = this.#open.get(from);
    if (file === undefined) return;
    this.#open.delete(from);
    this.#open.set(to, file);
  }

  async close(): Promise<void> {
    for (const path of this.#open.keys()) this.forget(path);
    await Promise.all(this.#closing);
  }

  async #lend<Result>(path: string, mode: 'write' | 'create', work: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    let file = this.#open.get(path);
    if (file === undefined) file = { opening: this.#files.open(path, mode), users: 0, doomed: false };
    else this.#open.delete(path);
    this.#open.set(path, file);
    file.users += 1;
    try {
      const handle = await file.opening;
      this.#closeBeyondLimit();
      return await work(handle);
    } catch (thrown) {
      // A handle that failed is not trusted with the next request; reopening shows whether the file is still there.
      for (const [name, known] of this.#open) if (known === file) this.#open.delete(name);
      file.doomed = true;
      throw thrown;
    } finally {
      file.users -= 1;
      if (file.doomed && file.users === 0) this.#close(file);
    }
  }

  #closeBeyondLimit(): void {
    if (this.#open.size <= this.#limit) return;
    for (const [path, file] of this.#open) {
      if (this.#open.size <= this.#limit) return;
      if (file.users === 0) this.forget(path);
    }
  }

  #close(file: OpenFile): void {
    const closing = file.opening
      .then((handle) => handle.close())
      .catch(() => undefined) // what was promised about the file's bytes was promised by its sync, not by its close
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
