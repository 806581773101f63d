// What a disk in memory holds after the power failed: everything durable, and of every unsynced change whatever a chooser
// lets survive, whole, torn at sectors, or not at all, in any combination. Choosers from a seed, and all combinations of few.
import { invariant } from '../invariant.ts';
import type { Content } from './content.ts';
import { DiskState, FileNode, FolderNode, type DiskNode, type PendingChange } from './disk-state.ts';
import type { SeededRandom } from './random.ts';

/** An unsynced change, as a chooser sees it. */
export interface UnsyncedChange {
  /** Grows in the order in which the changes were made. */
  readonly id: number;
  /** `link`: a file or folder got its name. `rename` is atomic. */
  readonly kind: PendingChange['kind'];
  readonly path: string;
  /** Of a write; 0 otherwise. */
  readonly position: number;
  /** Written bytes, or the length truncated to; 0 otherwise. */
  readonly bytes: number;
  /** A sync of it has failed: no later sync makes it durable. */
  readonly lostToSync: boolean;
}

/** Part of a write: the sectors that reached the disk, and whether the file has its new length even where they did not (zeros then). */
export interface TornWrite {
  /** `sector` counts from 0 within the write; the first and the last may be partial, since sectors are aligned in the file. */
  keepSector(sector: number): boolean;
  readonly keepLength: boolean;
  /** 512 when left out. */
  readonly sectorBytes?: number;
}

/** What survives of a change. Called once for each, in the order in which they were made. */
export type Survival = (change: UnsyncedChange) => boolean | TornWrite;

export function describeChange(change: PendingChange): UnsyncedChange {
  const { id, kind, path, lostToSync } = change;
  const position = change.kind === 'write' ? change.position : 0;
  const bytes = change.kind === 'write' ? change.bytes.length : change.kind === 'truncate' ? change.size : 0;
  return { id, kind, path, position, bytes, lostToSync };
}

/** The disk as it is found afterwards, a copy; `state` itself does not change. */
export function afterPowerLoss(state: DiskState, survives: Survival): DiskState {
  invariant(state.modelsPowerLoss, 'power loss is modelled');
  const found = new DiskState(true);
  const copies = new Map<DiskNode, DiskNode>([[state.root, found.root]]);
  const places = new Map<DiskNode, { folder: FolderNode; name: string }>();

  /** A node has one name: where it gets another, it leaves the old one. */
  const place = (node: DiskNode, folder: FolderNode, name: string): void => {
    unplace(node);
    const replaced = folder.entries.get(name);
    if (replaced !== undefined) places.delete(replaced);
    folder.entries.set(name, node);
    places.set(node, { folder, name });
  };
  const unplace = (node: DiskNode): void => {
    const old = places.get(node);
    if (old !== undefined) old.folder.entries.delete(old.name);
    places.delete(node);
  };
  const copyOf = (node: DiskNode): DiskNode => {
    const known = copies.get(node);
    if (known !== undefined) return known;
    if (node instanceof FileNode) {
      const copy = new FileNode();
      copy.content = node.durable.copy();
      copy.modifiedMs = node.modifiedMs;
      copies.set(node, copy);
      return copy;
    }
    const copy = new FolderNode();
    copy.modifiedMs = node.modifiedMs;
    copies.set(node, copy);
    fill(node, copy);
    return copy;
  };
  const fill = (folder: FolderNode, copy: FolderNode): void => {
    for (const [name, child] of folder.durable) place(copyOf(child), copy, name);
  };
  fill(state.root, found.root);

  for (const change of state.pending.values()) {
    const kept = survives(describeChange(change));
    if (kept === false) continue;
    switch (change.kind) {
      case 'write':
        applyWrite((copyOf(change.file) as FileNode).content, change.bytes, change.position, kept);
        break;
      case 'truncate':
        (copyOf(change.file) as FileNode).content.truncate(change.size);
        break;
      case 'link':
      case 'rename':
        place(copyOf(change.node), copyOf(change.folder) as FolderNode, change.name);
        break;
      case 'unlink': {
        const node = copyOf(change.node);
        const at = places.get(node);
        if (at !== undefined && at.folder === copyOf(change.folder) && at.name === change.name) unplace(node);
        break;
      }
    }
  }
  settle(found, found.root);
  return found;
}

function applyWrite(content: Content, bytes: Buffer, position: number, kept: true | TornWrite): void {
  if (kept === true) {
    content.write(bytes, position);
    return;
  }
  const sectorBytes = kept.sectorBytes ?? 512;
  const end = position + bytes.length;
  let sector = 0;
  for (let at = position; at < end; sector += 1) {
    const next = Math.min((Math.floor(at / sectorBytes) + 1) * sectorBytes, end);
    if (kept.keepSector(sector)) content.write(bytes.subarray(at - position, next - position), at);
    at = next;
  }
  if (kept.keepLength && content.size < end) content.truncate(end);
}

/** What is found is durable: it was read from the disk. */
function settle(state: DiskState, folder: FolderNode): void {
  for (const [name, node] of folder.entries) {
    folder.durable.set(name, node);
    if (node instanceof FolderNode) {
      settle(state, node);
    } else {
      node.durable = node.content.copy();
      state.storedBytes += node.content.storedBytes;
    }
  }
}

/** Everything unsynced is gone. */
export const keepNothing: Survival = () => false;

/** As lucky as it gets, and what `kill -9` leaves when the machine lives on. */
export const keepEverything: Survival = () => true;

/**
 * A chooser from a seed. Crashes of four temperaments: nothing survives; everything does; all up to a moment, the last
 * change torn; each change for itself, whole, torn or lost. Use it for one crash.
 */
export function randomSurvival(random: SeededRandom, { sectorBytes = 512 }: { sectorBytes?: number } = {}): Survival {
  const torn = (): TornWrite => {
    const share = random.next();
    const stream = random.fork();
    return { sectorBytes, keepLength: random.chance(0.5), keepSector: () => stream.chance(share) };
  };
  const temper = random.next();
  if (temper < 0.1) return keepNothing;
  if (temper < 0.2) return keepEverything;
  if (temper < 0.4) {
    const endsWith = random.next() * 0.3;
    let over = false;
    return (change) => {
      if (over) return false;
      if (!random.chance(endsWith)) return true;
      over = true;
      return change.kind === 'write' ? torn() : random.chance(0.5);
    };
  }
  const share = random.next();
  return (change) => {
    if (change.kind === 'write' && random.chance(0.3)) return torn();
    return random.chance(share);
  };
}

/**
 * Every combination of the given changes surviving or not; other unsynced changes are kept. Bounded: 2^n states are no
 * test any more beyond `atMost` changes (12).
 */
export function* everySurvival(changes: readonly UnsyncedChange[], { atMost = 12 }: { atMost?: number } = {}): Generator<Survival> {
  if (changes.length > atMost) throw new RangeError(`${changes.length} unsynced changes have more than 2^${atMost} outcomes`);
  const bits = new Map(changes.map((change, index) => [change.id, index]));
  for (let mask = 0; mask < 2 ** changes.length; mask += 1) {
    yield ({ id }) => {
      const bit = bits.get(id);
      return bit === undefined || (mask & (1 << bit)) !== 0;
    };
  }
}
