// A disk in memory, with the page cache above it. Files are what running programs see; where power loss is modelled, each
// file and folder also has what is durable, and the changes since then that a crash may keep, lose or tear.
// State and its changes only: memory/disk.ts counts, delays and fails operations, memory/power-loss.ts decides what is kept.
import { Content } from './content.ts';

export class FileNode {
  content = new Content();
  modifiedMs = 0;
  /** Open handles; the content is given back when the last one closes and no name is left. */
  handles = 0;
  named = true;
  /** What a power loss leaves at least; the same object as `content` where power loss is not modelled. */
  durable = this.content;
  pending: PendingChange[] = [];
}

export class FolderNode {
  readonly entries = new Map<string, DiskNode>();
  modifiedMs = 0;
  named = true;
  readonly durable = new Map<string, DiskNode>();
  pending: PendingChange[] = [];
}

export type DiskNode = FileNode | FolderNode;

/** A change that is not durable yet. */
export type PendingChange = { readonly id: number; readonly path: string; lostToSync: boolean } & (
  | { readonly kind: 'write'; readonly file: FileNode; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: FileNode; readonly size: number }
  | { readonly kind: 'link'; readonly folder: FolderNode; readonly name: string; readonly node: DiskNode }
  | { readonly kind: 'unlink'; readonly folder: FolderNode; readonly name: string; readonly node: DiskNode }
  | {
      readonly kind: 'rename';
      readonly from: FolderNode;
      readonly fromName: string;
      readonly folder: FolderNode;
      readonly name: string;
      readonly node: DiskNode;
    }
);

type NewChange = PendingChange extends infer Change ? (Change extends PendingChange ? Omit<Change, 'id' | 'lostToSync'> : never) : never;

export class DiskState {
  readonly root = new FolderNode();
  readonly modelsPowerLoss: boolean;
  /** Unsynced changes of all files and folders, in the order they were made. */
  readonly pending = new Map<number, PendingChange>();
  storedBytes = 0;
  #nextId = 0;

  constructor(modelsPowerLoss: boolean) {
    this.modelsPowerLoss = modelsPowerLoss;
  }

  newFile(): FileNode {
    const file = new FileNode();
    if (this.modelsPowerLoss) file.durable = new Content();
    return file;
  }

  /** All buffers one after the other: one change, which a crash may tear anywhere. */
  write(file: FileNode, buffers: readonly Uint8Array[], position: number, path: string): void {
    const before = file.content.storedBytes;
    let at = position;
    for (const bytes of buffers) {
      file.content.write(bytes, at);
      at += bytes.length;
    }
    this.storedBytes += file.content.storedBytes - before;
    if (this.modelsPowerLoss && at > position) this.#note({ kind: 'write', path, file, position, bytes: Buffer.concat(buffers) });
  }

  truncate(file: FileNode, size: number, path: string): void {
    const before = file.content.storedBytes;
    file.content.truncate(size);
    this.storedBytes += file.content.storedBytes - before;
    if (this.modelsPowerLoss) this.#note({ kind: 'truncate', path, file, size });
  }

  link(folder: FolderNode, name: string, node: DiskNode, path: string): void {
    folder.entries.set(name, node);
    if (this.modelsPowerLoss) this.#note({ kind: 'link', path, folder, name, node });
  }

  unlink(folder: FolderNode, name: string, path: string): void {
    const node = folder.entries.get(name);
    if (node === undefined) return;
    folder.entries.delete(name);
    if (this.modelsPowerLoss) this.#note({ kind: 'unlink', path, folder, name, node });
    this.#unnamed(node);
  }

  /** One atomic change, also across folders: every journaling file system keeps or loses it whole. */
  rename(from: FolderNode, fromName: string, folder: FolderNode, name: string, path: string): void {
    const node = from.entries.get(fromName);
    if (node === undefined) return;
    const replaced = folder.entries.get(name);
    from.entries.delete(fromName);
    folder.entries.set(name, node);
    if (this.modelsPowerLoss) this.#note({ kind: 'rename', path, from, fromName, folder, name, node });
    if (replaced !== undefined) this.#unnamed(replaced);
  }

  #unnamed(node: DiskNode): void {
    node.named = false;
    if (node instanceof FileNode) this.releaseIfUnused(node);
  }

  /** Gives back the room of a file that has neither a name nor a handle. */
  releaseIfUnused(file: FileNode): void {
    if (file.named || file.handles > 0) return;
    this.storedBytes -= file.content.storedBytes;
    file.content = new Content();
    if (!this.modelsPowerLoss) file.durable = file.content;
  }

  /** The last change made so far; a sync that starts now covers those up to it. */
  get lastChange(): number {
    return this.#nextId - 1;
  }

  syncFile(file: FileNode, upTo: number): void {
    if (!this.modelsPowerLoss) return;
    file.pending = file.pending.filter((change) => {
      if (change.id > upTo || change.lostToSync) return true;
      if (change.kind === 'write') file.durable.write(change.bytes, change.position);
      else if (change.kind === 'truncate') file.durable.truncate(change.size);
      this.pending.delete(change.id);
      return false;
    });
  }

  /** A sync that failed: the kernel reports once and takes the pages for clean, so that no later sync writes them. */
  loseToSync(node: DiskNode, upTo: number): void {
    for (const change of node.pending) if (change.id <= upTo) change.lostToSync = true;
  }

  syncFolder(folder: FolderNode, upTo: number): void {
    if (!this.modelsPowerLoss) return;
    const synced = folder.pending.filter((change) => change.id <= upTo && !change.lostToSync);
    folder.pending = folder.pending.filter((change) => change.id > upTo || change.lostToSync);
    for (const change of synced) {
      this.pending.delete(change.id);
      if (change.kind === 'write' || change.kind === 'truncate') continue;
      const gone = change.folder.durable.get(change.name);
      if (change.kind === 'unlink') {
        change.folder.durable.delete(change.name);
      } else {
        change.folder.durable.set(change.name, change.node);
      }
      if (change.kind === 'rename') {
        if (change.from.durable.get(change.fromName) === change.node) change.from.durable.delete(change.fromName);
        // The other folder of a move has nothing left to sync of it.
        const other = change.from === folder ? change.folder : change.from;
        if (other !== folder) other.pending = other.pending.filter((one) => one !== change);
      }
      if (gone !== undefined && gone !== change.node) this.#forgetUnder(gone);
      if (change.kind === 'unlink') this.#forgetUnder(change.node);
    }
  }

  #note(change: NewChange): void {
    const noted = { ...change, id: this.#nextId, lostToSync: false } as PendingChange;
    this.#nextId += 1;
    this.pending.set(noted.id, noted);
    if (noted.kind === 'write' || noted.kind === 'truncate') {
      noted.file.pending.push(noted);
      return;
    }
    noted.folder.pending.push(noted);
    if (noted.kind === 'rename' && noted.from !== noted.folder) noted.from.pending.push(noted);
  }

  /** The loss of a name is durable: nothing can bring the node back, and its unsynced changes are nobody's any more. */
  #forgetUnder(node: DiskNode): void {
    if (node.named) return; // it has another name by now
    for (const change of node.pending) {
      if (change.kind === 'rename') continue; // moves out of it concern what still has a name
      this.pending.delete(change.id);
      if (change.kind === 'link' || change.kind === 'unlink') this.#forgetUnder(change.node);
    }
    node.pending = node.pending.filter((change) => change.kind === 'rename');
    if (node instanceof FolderNode) for (const child of node.durable.values()) this.#forgetUnder(child);
  }
}
