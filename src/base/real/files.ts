// Files and folders of the machine, over callbacks of node:fs: the promise interface costs three times as much per call.
// Its functions are taken when this module loads, so that nothing that patches node:fs later can reach a broker's disk.
// Bounds what waits in libuv's pool of four threads; what is written where, and when it is durable, others decide.
import fs from 'node:fs';
import { dirname } from 'node:path';
import type { DirectoryEntry, FileHandle, FileStat, FileSystem } from '../env.ts';
import { Fifo } from '../fifo.ts';
import { codeOf, posixError, type PosixError } from '../posix-error.ts';
import { SpareDescriptors } from './spare-descriptors.ts';

const { open, close, read, writev, fdatasync, fsync, ftruncate, fstat, stat, statfs, readdir, mkdir, rename, unlink, rm } = fs;
const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants;
const openFlags = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT } as const;
const isWindows = process.platform === 'win32';

/** The most buffers one writev takes (IOV_MAX on Linux, macOS and the BSDs). */
const MOST_BUFFERS = 1024;
/** Files of /proc say that they are empty, and are not. */
const UNKNOWN_SIZE_BYTES = 64 * 1024;
/** The most bytes asked for in one call; the platform takes up to 2^31 - 1. */
const MOST_BYTES = 2 ** 30;

/** At most this many operations of a kind are in libuv's pool at once; the others wait here, first come first served. */
export class Gate {
  readonly limit: number;
  #free: number;
  readonly #waiting = new Fifo<() => void>();

  constructor(limit: number) {
    this.limit = limit;
    this.#free = limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `start` now or when its turn comes; what it starts must call `leave` once when it is over. */
  enter(start: () => void): void {
    if (this.#free > 0) {
      this.#free -= 1;
      start();
    } else {
      this.#waiting.push(start);
    }
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/**
 * The pool's threads belong to the process, and so do its gates. Of four threads two for syncs and two for reads: a disk that
 * takes seconds for a sync leaves threads for reading, and the other way round. Of more, half are for syncs: the file system
 * then makes many files durable in one go (a thousand files of 16 KiB on ext4: 950 ms with 2 at once, 60 to 130 with 8). Writes mostly end in the page cache, 64 of them keep all
 * threads busy (measured over 1,000 files of 1 KB: 41,000 a second with 2 at once, 150,000 with 8, 300,000 with 64 or without bound) and a
 * read that comes behind them waits for those only, not for the thousands of a large commit.
 */
export interface DiskGates {
  readonly sync: Gate;
  readonly read: Gate;
  readonly other: Gate;
}

export const makeDiskGates = (limits: { sync: number; read: number; other: number }): DiskGates => ({
  sync: new Gate(limits.sync),
  read: new Gate(limits.read),
  other: new Gate(limits.other),
});

/** More are not needed at once: files of logs are closed to make room for each other, and what remains are checkpoints and folders. */
const spareDescriptors = new SpareDescriptors(8);

let processGates: DiskGates | undefined;

function gatesOfProcess(): DiskGates {
  if (processGates !== undefined) return processGates;
  // As libuv reads it when the first work comes.
  const threads = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
  const share = (of: number): number => Math.max(2, Math.floor(threads / of));
  processGates = makeDiskGates({ sync: share(2), read: share(4), other: 64 });
  return processGates;
}

/** `gates` is for tests; brokers of one process share theirs, as they share the pool. */
export function makeRealFiles(gates: DiskGates = gatesOfProcess()): FileSystem {
  return new RealFiles(gates);
}

type Callback<T> = (error: Error | null, value: T) => void;

/** A callback of node:fs as a promise, behind a gate. */
function through<T>(gate: Gate, start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    gate.enter(() => {
      const done: Callback<T> = (error, value) => {
        gate.leave();
        if (error === null || error === undefined) resolve(value);
        else reject(error);
      };
      try {
        start(done);
      } catch (thrown) {
        // node:fs refuses bad arguments by throwing; the gate must not stay shut for it.
        gate.leave();
        reject(asError(thrown));
      }
    });
  });
}

async function openDescriptor(gate: Gate, path: string, flags: number): Promise<number> {
  try {
    return await through<number>(gate, (done) => open(path, flags, done));
  } catch (thrown) {
    const fd = ['EMFILE', 'ENFILE'].includes(codeOf(thrown) ?? '') ? spareDescriptors.open(path, flags) : undefined;
    if (fd === undefined) throw thrown;
    return fd;
  }
}

async function closeDescriptor(gate: Gate, fd: number): Promise<void> {
  await through<void>(gate, (done) => close(fd, done));
  spareDescriptors.refill();
}

class RealFiles implements FileSystem {
  readonly syncsAtOnce: number;
  readonly #gates: DiskGates;

  constructor(gates: DiskGates) {
    this.#gates = gates;
    this.syncsAtOnce = gates.sync.limit;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    const fd = await openDescriptor(this.#gates.other, path, openFlags[mode]);
    return new RealFile(fd, path, this.#gates);
  }

  async readDirectory(path: string): Promise<DirectoryEntry[]> {
    const entries = await through<fs.Dirent[]>(this.#gates.other, (done) => readdir(path, { withFileTypes: true }, done));
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  }

  /** Not the recursive mkdir of the platform: a disk that is read-only, over its quota or broken is ENOENT to that. */
  async makeDirectory(path: string): Promise<void> {
    try {
      await through<void>(this.#gates.other, (done) => mkdir(path, done));
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code === 'EEXIST' && (await this.stat(path))?.isDirectory === true) return;
      if (code !== 'ENOENT' || dirname(path) === path) throw thrown;
      await this.makeDirectory(dirname(path));
      await this.makeDirectory(path);
    }
  }

  rename(from: string, to: string): Promise<void> {
    return through<void>(this.#gates.other, (done) => rename(from, to, done));
  }

  /** Most of what is removed are files: one call, where `rm` looks first and asks four times. */
  async remove(path: string): Promise<void> {
    try {
      await through<void>(this.#gates.other, (done) => unlink(path, done));
    } catch (thrown) {
      if ((thrown as PosixError).code === 'ENOENT') return;
      // A folder; or whatever it is that stands against it, `rm` will say.
      await through<void>(this.#gates.other, (done) => rm(path, { recursive: true, force: true }, done));
    }
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const found = await through<fs.Stats | undefined>(this.#gates.other, (done) => stat(path, { throwIfNoEntry: false }, done));
    if (found === undefined) return undefined;
    return { bytes: found.size, isDirectory: found.isDirectory(), modifiedMs: found.mtimeMs };
  }

  async syncDirectory(path: string): Promise<void> {
    if (isWindows) return; // a folder cannot be opened there; NTFS logs its names itself
    const fd = await openDescriptor(this.#gates.other, path, O_RDONLY);
    try {
      await through<void>(this.#gates.sync, (done) => fsync(fd, done));
    } finally {
      await closeDescriptor(this.#gates.other, fd);
    }
  }

  async freeBytes(path: string): Promise<number> {
    const { bavail, bsize } = await through<fs.StatsFs>(this.#gates.other, (done) => statfs(path, done));
    return bavail * bsize;
  }

  async readFile(path: string): Promise<Buffer> {
    const file = await this.open(path, 'read');
    try {
      const bytes = Buffer.allocUnsafeSlow((await file.size()) || UNKNOWN_SIZE_BYTES);
      const got = await file.read(bytes, 0);
      return got === bytes.length ? bytes : bytes.subarray(0, got);
    } finally {
      await file.close();
    }
  }
}

class RealFile implements FileHandle {
  readonly #fd: number;
  readonly #path: string;
  readonly #gates: DiskGates;
  #inUse = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(fd: number, path: string, gates: DiskGates) {
    this.#fd = fd;
    this.#path = path;
    this.#gates = gates;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    if (this.#closing !== undefined) return this.#refuse('read');
    return into.length === 0 ? Promise.resolve(0) : this.#readFrom(into, 0, position);
  }

  /** Reads on until `into` is full or the file ends; `done` bytes are there. */
  #readFrom(into: Uint8Array, done: number, position: number): Promise<number> {
    const length = Math.min(into.length - done, MOST_BYTES);
    const start = (finish: Callback<number>): void => read(this.#fd, into, done, length, position + done, finish);
    return this.#once(this.#gates.read, start, (got) => {
      const all = done + got;
      return got === 0 || all === into.length ? all : this.#readFrom(into, all, position);
    });
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    if (this.#closing !== undefined) return this.#refuse('write');
    let bytes = 0;
    for (const buffer of buffers) bytes += buffer.length;
    return bytes === 0 ? Promise.resolve() : this.#writeAll(buffers, bytes, position);
  }

  #writeAll(buffers: readonly Uint8Array[], bytes: number, position: number): Promise<void> {
    const part = firstPart(buffers);
    const start = (finish: Callback<number>): void => writev(this.#fd, part, position, finish);
    return this.#once(this.#gates.other, start, (wrote) => {
      if (wrote === bytes) return undefined;
      if (wrote === 0 && !part.every(({ length }) => length === 0)) throw posixError('EIO', 'write', this.#path);
      return this.#writeAll(withoutFirst(buffers, wrote, part.length), bytes - wrote, position + wrote);
    });
  }

  dataSync(): Promise<void> {
    if (this.#closing !== undefined) return this.#refuse('fdatasync');
    return this.#once<void, void>(this.#gates.sync, (finish) => fdatasync(this.#fd, finish), nothing);
  }

  truncate(bytes: number): Promise<void> {
    if (this.#closing !== undefined) return this.#refuse('ftruncate');
    return this.#once<void, void>(this.#gates.other, (finish) => ftruncate(this.#fd, bytes, finish), nothing);
  }

  size(): Promise<number> {
    if (this.#closing !== undefined) return this.#refuse('fstat');
    return this.#once<fs.Stats, number>(
      this.#gates.other,
      (finish) => fstat(this.#fd, finish),
      ({ size }) => size,
    );
  }

  /** Idempotent. Waits for the operations under way: the number of a closed descriptor goes to the next file, and a late write would hit that. */
  close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#inUse > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await closeDescriptor(this.#gates.other, this.#fd);
  }

  #refuse<T>(syscall: string): Promise<T> {
    return Promise.reject(posixError('EBADF', syscall, this.#path));
  }

  /** One system call behind its gate, as one promise: half the cost of an operation is what is built around it. */
  #once<Value, Result>(
    gate: Gate,
    start: (finish: Callback<Value>) => void,
    result: (value: Value) => Result | Promise<Result>,
  ): Promise<Result> {
    this.#inUse += 1;
    return new Promise<Result>((resolve, reject) => {
      const finish: Callback<Value> = (error, value) => {
        gate.leave();
        try {
          // libuv repeats every interrupted call but a read.
          if (error === null || error === undefined) resolve(result(value));
          else if ((error as PosixError).code === 'EINTR') resolve(this.#once(gate, start, result));
          else reject(this.#named(error));
        } catch (thrown) {
          reject(asError(thrown));
        }
        this.#inUse -= 1; // after what goes on from here has counted itself
        if (this.#inUse === 0) this.#onIdle?.();
      };
      gate.enter(() => {
        try {
          start(finish);
        } catch (thrown) {
          finish(asError(thrown), undefined as Value); // node:fs refuses bad arguments by throwing
        }
      });
    });
  }

  /** An error of a descriptor does not say which file it was. */
  #named(error: Error): Error {
    const named = error as PosixError;
    if (named.path === undefined) {
      named.path = this.#path;
      named.message += ` '${this.#path}'`;
    }
    return named;
  }
}

const nothing = (): void => {};
const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** As many of the first buffers as one call takes; a longer one is cut. */
function firstPart(buffers: readonly Uint8Array[]): readonly Uint8Array[] {
  let bytes = 0;
  let count = 0;
  for (const buffer of buffers) {
    if (count === MOST_BUFFERS || bytes + buffer.length > MOST_BYTES) break;
    bytes += buffer.length;
    count += 1;
  }
  const first = buffers[0];
  if (count === 0 && first !== undefined) return [first.subarray(0, MOST_BYTES)];
  return count === buffers.length ? buffers : buffers.slice(0, count);
}

/** The buffers that remain when the first `bytes` of them have been written, and with them all of the first `count` if these are empty. */
function withoutFirst(buffers: readonly Uint8Array[], bytes: number, count: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, buffer] of buffers.entries()) {
    if (left === 0 && (buffer.length > 0 || index >= count)) return buffers.slice(index);
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)];
    left -= buffer.length;
  }
  return [];
}
