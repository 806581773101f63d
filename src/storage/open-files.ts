// Open file handles, bounded: partitions are many, descriptors are few. A file is opened when it is used and stays
// open until the bound asks for its descriptor back, the longest unused first. Knows paths and handles, nothing of logs.
import type { FileHandle, FileSystem } from '../base/env.ts';
import { codeOf } from '../base/posix-error.ts';
import { isOutOfDescriptors } from './descriptors.ts';

interface OpenFile {
  readonly opening: Promise<FileHandle>;
  users: number;
  /** Forgotten while in use: closed by the last user. */
  doomed: boolean;
}

/** So many more than the bound may be open for a moment, of files that are in use: whoever uses one may need a second to be done with it. */
const SLACK = 32;

export class OpenFiles {
  readonly #files: FileSystem;
  readonly #limit: number;
  /** In order of use, the longest unused first. */
  readonly #open = new Map<string, OpenFile>();
  readonly #closing = new Set<Promise<void>>();
  /** Handles there are, and those being asked for. */
  #handles = 0;
  #opening = 0;
  /** Woken when a use of a file is over. */
  #waiting: (() => void)[] = [];

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

  /** Gives up the file that was not used for the longest, for whoever else needs its descriptor; nothing when all are in use. */
  giveUpOne(): void {
    for (const [path, { users }] of this.#open) if (users === 0) return this.forget(path);
  }

  async close(): Promise<void> {
    for (const path of this.#open.keys()) this.forget(path);
    await Promise.all(this.#closing);
  }

  async #lend<Result>(path: string, mode: 'write' | 'create', work: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    let file = this.#open.get(path);
    if (file === undefined) file = { opening: this.#openFile(path, mode), users: 0, doomed: false };
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
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  /** Connections may have taken the descriptors that the bound counts on: then files of logs make room for each other. */
  async #openFile(path: string, mode: 'write' | 'create'): Promise<FileHandle> {
    for (;;) {
      try {
        return await this.#tryOpen(path, mode);
      } catch (thrown) {
        if (!isOutOfDescriptors(codeOf(thrown)) || !(await this.#makeRoom())) throw thrown;
      }
    }
  }

  async #tryOpen(path: string, mode: 'write' | 'create'): Promise<FileHandle> {
    while (this.#handles + this.#opening >= this.#limit + SLACK) if (!(await this.#makeRoom())) break;
    this.#opening += 1;
    try {
      const handle = await this.#files.open(path, mode);
      this.#handles += 1;
      return handle;
    } finally {
      this.#opening -= 1;
    }
  }

  /** Closes the longest unused file, or waits until one that is in use can go; false when none is open. */
  async #makeRoom(): Promise<boolean> {
    for (const [path, file] of this.#open) if (file.users === 0) return this.#closeNow(path);
    if (this.#closing.size > 0) await Promise.race(this.#closing);
    else if (this.#handles > 0 || this.#opening > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else return false;
    return true;
  }

  async #closeNow(path: string): Promise<true> {
    this.forget(path);
    await Promise.race(this.#closing);
    return true;
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
      .then((handle) => handle.close().finally(() => (this.#handles -= 1)))
      .catch(() => undefined) // what was promised about the file's bytes was promised by its sync, not by its close
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
