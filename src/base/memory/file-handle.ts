// An open file on a disk in memory. Rules of a handle only: what it may do, that a close waits for what is under way, and what
// each operation does to the file; memory/files.ts runs it as the disk's faults and delays want it.
import type { FileHandle } from '../env.ts';
import { posixError, type PosixCode } from '../posix-error.ts';
import type { DiskOperationKind } from './disk-faults.ts';
import type { FileNode } from './disk-state.ts';
import type { MemoryFiles } from './files.ts';

/** What an operation does to the disk; `partially` where it fails or is cut short after so many bytes. */
export interface Deed<T> {
  kind: DiskOperationKind;
  path: string;
  position?: number;
  bytes?: number;
  apply: () => T;
  partially?: (bytes: number) => T;
  failed?: (code: PosixCode) => void;
}

export class MemoryFile implements FileHandle {
  readonly #files: MemoryFiles;
  readonly #node: FileNode;
  readonly #path: string;
  readonly #writable: boolean;
  #closing: Promise<void> | undefined;
  #inUse = 0;
  #onIdle: (() => void) | undefined;
  #released = false;

  constructor(files: MemoryFiles, node: FileNode, path: string, writable: boolean) {
    this.#files = files;
    this.#node = node;
    this.#path = path;
    this.#writable = writable;
    node.handles += 1;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#use({
      kind: 'read',
      path: this.#path,
      position,
      bytes: into.length,
      apply: () => this.#node.content.read(into, position),
      partially: (bytes) => this.#node.content.read(into.subarray(0, bytes), position),
    });
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let bytes = 0;
    for (const buffer of buffers) bytes += buffer.length;
    return this.#use({
      kind: 'write',
      path: this.#path,
      position,
      bytes,
      apply: () => {
        this.#checkWritable('write');
        this.#files.write(this.#node, buffers, position, this.#path);
      },
      partially: (part) => this.#files.write(this.#node, firstBytes(buffers, part), position, this.#path),
    });
  }

  dataSync(): Promise<void> {
    const upTo = this.#files.disk.state.lastChange;
    return this.#use({
      kind: 'dataSync',
      path: this.#path,
      apply: () => this.#files.disk.state.syncFile(this.#node, upTo),
      failed: () => this.#files.disk.state.loseToSync(this.#node, upTo),
    });
  }

  truncate(bytes: number): Promise<void> {
    return this.#use({
      kind: 'truncate',
      path: this.#path,
      bytes,
      apply: () => {
        this.#checkWritable('ftruncate');
        this.#files.disk.state.truncate(this.#node, bytes, this.#path);
      },
    });
  }

  size(): Promise<number> {
    return this.#use({ kind: 'size', path: this.#path, apply: () => this.#node.content.size });
  }

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
    const released = { kind: 'close', path: this.#path, apply: () => this.release(), failed: () => this.release() } as const;
    await this.#files.perform(released);
  }

  /** The program no longer holds the file; idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#node.handles -= 1;
    this.#files.disk.state.releaseIfUnused(this.#node);
    this.#files.closed(this);
  }

  #checkWritable(syscall: string): void {
    if (!this.#writable) throw posixError('EBADF', syscall, this.#path);
  }

  async #use<T>(deed: Deed<T>): Promise<T> {
    if (this.#closing !== undefined) throw posixError('EBADF', deed.kind, this.#path);
    this.#inUse += 1;
    try {
      return await this.#files.perform(deed);
    } finally {
      this.#inUse -= 1;
      if (this.#inUse === 0) this.#onIdle?.();
    }
  }
}

/** The first `bytes` of the buffers. */
export function firstBytes(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const first: Uint8Array[] = [];
  let left = bytes;
  for (const buffer of buffers) {
    if (left <= 0) break;
    first.push(buffer.length <= left ? buffer : buffer.subarray(0, left));
    left -= buffer.length;
  }
  return first;
}
