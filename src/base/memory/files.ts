// The FileSystem a program gets from a disk in memory. POSIX rules for paths, names and open handles; every operation asks
// the disk first what becomes of it, and after a kill none ever returns, as in a process that is no more.
import { isAbsolute, sep } from 'node:path';
import type { DirectoryEntry, FileHandle, FileStat, FileSystem } from '../env.ts';
import { invariant } from '../invariant.ts';
import { posixError, type PosixCode } from '../posix-error.ts';
import type { MemoryDisk, Progress } from './disk.ts';
import type { DiskOperation } from './disk-faults.ts';
import { FileNode, FolderNode, type DiskNode } from './disk-state.ts';
import { MemoryFile, firstBytes, type Deed } from './file-handle.ts';

interface UnderWay {
  readonly operation: DiskOperation;
  readonly cut: (bytes: number) => void;
  readonly finish: () => void;
}

let programs = 0;
/** As wide as any later one, so that what is written down of a program has the same size in every run. */
const PROGRAM_DIGITS = 10;

export class MemoryFiles implements FileSystem {
  readonly syncsAtOnce = 2;
  readonly disk: MemoryDisk;
  /** Tells the programs apart that mount a disk, also one after the other, also a copy of it. */
  readonly program: string;
  #alive = true;
  readonly #underWay = new Set<UnderWay>();
  readonly #handles = new Set<MemoryFile>();

  constructor(disk: MemoryDisk) {
    this.disk = disk;
    programs += 1;
    this.program = String(programs).padStart(PROGRAM_DIGITS, '0');
  }

  /** Files open now. */
  get openHandles(): number {
    return this.#handles.size;
  }

  /**
   * kill -9: what was written stays, since the page cache outlives the program. Of operations under way (there are some only
   * where the disk takes time) `progress` says how much had happened; nothing when left out. No operation returns any more.
   */
  kill(progress: Progress = () => 0): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const { operation, cut, finish } of this.#underWay) {
      const share = progress(operation);
      if (share >= 1) attempt(finish);
      else if (operation.kind === 'write' && share > 0) attempt(() => cut(Math.floor(operation.bytes * share)));
    }
    this.#underWay.clear();
    for (const handle of this.#handles) handle.release();
    this.disk.unmounted(this);
  }

  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    return this.perform({
      kind: mode === 'create' ? 'create' : 'open',
      path,
      apply: () => {
        if (this.#handles.size >= this.disk.mostHandles) throw posixError('EMFILE', 'open', path);
        const node = mode === 'create' ? this.#ensureFile(path) : this.#find(path, 'open');
        if (node instanceof FolderNode) throw posixError('EISDIR', 'open', path);
        const handle = new MemoryFile(this, node, path, mode !== 'read');
        this.#handles.add(handle);
        return handle;
      },
    });
  }

  #ensureFile(path: string): DiskNode {
    const { folder, name } = this.#parent(path, 'open');
    const known = folder.entries.get(name);
    if (known !== undefined) return known;
    const file = this.disk.state.newFile();
    file.modifiedMs = this.#now();
    this.disk.state.link(folder, name, file, path);
    return file;
  }

  readDirectory(path: string): Promise<DirectoryEntry[]> {
    return this.perform({
      kind: 'readDirectory',
      path,
      apply: () => {
        const folder = this.#folder(path, 'scandir');
        return Array.from(folder.entries, ([name, node]) => ({ name, isDirectory: node instanceof FolderNode }));
      },
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.perform({
      kind: 'makeDirectory',
      path,
      apply: () => {
        let folder = this.disk.state.root;
        const parts = partsOf(path);
        for (const [depth, name] of parts.entries()) {
          let next = folder.entries.get(name);
          if (next === undefined) {
            next = new FolderNode();
            next.modifiedMs = this.#now();
            this.disk.state.link(folder, name, next, path);
          }
          if (next instanceof FileNode) throw posixError(depth === parts.length - 1 ? 'EEXIST' : 'ENOTDIR', 'mkdir', path);
          folder = next;
        }
      },
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.perform({
      kind: 'rename',
      path: from,
      apply: () => {
        const source = this.#parent(from, 'rename');
        const node = source.folder.entries.get(source.name);
        if (node === undefined) throw posixError('ENOENT', 'rename', from);
        const target = this.#parent(to, 'rename', node);
        const there = target.folder.entries.get(target.name);
        if (there === node) return;
        if (there instanceof FolderNode) {
          if (node instanceof FileNode) throw posixError('EISDIR', 'rename', to);
          if (there.entries.size > 0) throw posixError('ENOTEMPTY', 'rename', to);
        } else if (there !== undefined && node instanceof FolderNode) {
          throw posixError('ENOTDIR', 'rename', to);
        }
        this.disk.state.rename(source.folder, source.name, target.folder, target.name, to);
      },
    });
  }

  remove(path: string): Promise<void> {
    return this.perform({
      kind: 'remove',
      path,
      apply: () => {
        const parts = partsOf(path);
        const name = parts.pop();
        const folder = walk(this.disk.state.root, parts);
        if (name !== undefined && folder instanceof FolderNode) this.#removeTree(folder, name, path);
      },
    });
  }

  /** From the leaves up, as one program after the other would: a power loss may find any part of it undone. */
  #removeTree(folder: FolderNode, name: string, path: string): void {
    const node = folder.entries.get(name);
    if (node instanceof FolderNode) for (const child of node.entries.keys()) this.#removeTree(node, child, `${path}/${child}`);
    this.disk.state.unlink(folder, name, path);
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.perform({
      kind: 'stat',
      path,
      apply: () => {
        const node = walk(this.disk.state.root, partsOf(path));
        if (node === undefined) return undefined;
        const isDirectory = node instanceof FolderNode;
        return { bytes: isDirectory ? 0 : node.content.size, isDirectory, modifiedMs: node.modifiedMs };
      },
    });
  }

  syncDirectory(path: string): Promise<void> {
    const upTo = this.disk.state.lastChange;
    return this.perform({
      kind: 'syncDirectory',
      path,
      apply: () => this.disk.state.syncFolder(this.#folder(path, 'open'), upTo),
      failed: (code) => {
        if (code === 'EMFILE' || code === 'ENFILE') return; // the folder was not even opened
        const folder = walk(this.disk.state.root, partsOf(path));
        if (folder !== undefined) this.disk.state.loseToSync(folder, upTo);
      },
    });
  }

  async readFile(path: string): Promise<Buffer> {
    const file = await this.open(path, 'read');
    try {
      const bytes = Buffer.allocUnsafeSlow(await file.size());
      return bytes.subarray(0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  }

  freeBytes(path: string): Promise<number> {
    return this.perform({ kind: 'stat', path, apply: () => this.disk.capacityBytes - this.disk.usedBytes });
  }

  /** For MemoryFile: runs a deed as the disk's faults and delays want it. */
  async perform<T>(deed: Deed<T>): Promise<T> {
    if (!this.#alive) return never();
    const { operation, fault, delayMs } = this.disk.begin(deed.kind, deed.path, deed.position ?? 0, deed.bytes ?? 0);
    if (delayMs > 0) await this.#delay(operation, deed, delayMs);
    const { code, partialBytes } = fault;
    if (code !== undefined) {
      if (partialBytes !== undefined) deed.partially?.(Math.min(partialBytes, operation.bytes));
      deed.failed?.(code);
      throw posixError(code, operation.kind, operation.path);
    }
    if (partialBytes !== undefined && deed.kind === 'read' && deed.partially !== undefined) {
      return deed.partially(Math.min(partialBytes, operation.bytes));
    }
    return deed.apply();
  }

  async #delay<T>(operation: DiskOperation, deed: Deed<T>, delayMs: number): Promise<void> {
    const { clock } = this.disk;
    invariant(clock !== undefined, 'a disk that takes time has a clock');
    const underWay: UnderWay = {
      operation,
      cut: (bytes) => void deed.partially?.(bytes),
      finish: () => void deed.apply(),
    };
    this.#underWay.add(underWay);
    await new Promise<void>((resolve) => {
      clock.timer(delayMs, () => {
        if (this.#underWay.delete(underWay)) resolve(); // after a kill it never returns
      });
    });
  }

  /** For MemoryFile. */
  closed(handle: MemoryFile): void {
    this.#handles.delete(handle);
  }

  /** For MemoryFile: writes what fits, and refuses the rest. */
  write(file: FileNode, buffers: readonly Uint8Array[], position: number, path: string): void {
    let bytes = 0;
    for (const buffer of buffers) bytes += buffer.length;
    const free = this.disk.capacityBytes - this.disk.usedBytes;
    let fits = bytes;
    if (free < bytes) {
      while (fits > 0 && file.content.growth(position, fits) > free)
        fits = Math.max(fits - Math.max(file.content.growth(position, fits) - free, 1), 0);
    }
    this.disk.state.write(file, fits === bytes ? buffers : firstBytes(buffers, fits), position, path);
    file.modifiedMs = this.#now();
    if (fits < bytes) throw posixError('ENOSPC', 'write', path);
  }

  #now(): number {
    return this.disk.clock?.wallMs() ?? 0;
  }

  #find(path: string, syscall: string): DiskNode {
    const node = walk(this.disk.state.root, partsOf(path));
    if (node === undefined) throw posixError(this.#absence(path), syscall, path);
    return node;
  }

  /** ENOTDIR where the path leads through a file. */
  #absence(path: string): PosixCode {
    const parts = partsOf(path);
    for (let depth = 1; depth < parts.length; depth += 1) {
      const node = walk(this.disk.state.root, parts.slice(0, depth));
      if (node === undefined) return 'ENOENT';
      if (node instanceof FileNode) return 'ENOTDIR';
    }
    return 'ENOENT';
  }

  #folder(path: string, syscall: string): FolderNode {
    const node = this.#find(path, syscall);
    if (node instanceof FileNode) throw posixError('ENOTDIR', syscall, path);
    return node;
  }

  /** The folder a path's last name is in. `moved` may not lie on the way: a folder cannot be moved into itself. */
  #parent(path: string, syscall: string, moved?: DiskNode): { folder: FolderNode; name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw posixError('EISDIR', syscall, path);
    let folder: FolderNode = this.disk.state.root;
    for (const part of parts) {
      const next = folder.entries.get(part);
      if (next === undefined) throw posixError('ENOENT', syscall, path);
      if (next instanceof FileNode) throw posixError('ENOTDIR', syscall, path);
      if (next === moved) throw posixError('EINVAL', syscall, path);
      folder = next;
    }
    return { folder, name };
  }
}

function partsOf(path: string): string[] {
  invariant(isAbsolute(path), 'paths are absolute');
  const parts: string[] = [];
  for (const part of path.split(sep === '/' ? '/' : /[\\/]/)) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

function walk(root: FolderNode, parts: readonly string[]): DiskNode | undefined {
  let node: DiskNode = root;
  for (const part of parts) {
    if (node instanceof FileNode) return undefined;
    const next = node.entries.get(part);
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // What fails in a program that was killed at that moment, nobody hears.
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
