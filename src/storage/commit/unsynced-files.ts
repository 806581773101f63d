// What has been written to the files of a log dir and not been synced there: the journal, or a weaker promise, stands
// for it until a checkpoint syncs it. Bookkeeping only; who syncs, and when, is decided by the commit loop and the
// checkpoints of the log dir.

/** Bytes and names of one log that must become durable. */
export interface Unsynced {
  /** Files whose bytes were written. */
  readonly files: ReadonlySet<string>;
  /** Folders in which names were made, with the mark that tells later names apart. */
  readonly names: ReadonlyMap<string, number>;
  /** Log end (exclusive) when the last of the bytes were written. */
  readonly endOffset: number;
}

interface Pending {
  readonly files: Set<string>;
  endOffset: number;
}

export class UnsyncedFiles<Member> {
  readonly #files = new Map<Member, Pending>();
  /**
   * Folders stay here until a sync that began after the name was made has ended, in whoever's hands it is: a write that
   * is to be durable at once must not trust a name that somebody else is still about to sync.
   */
  readonly #names = new Map<Member, Map<string, number>>();
  #mark = 0;

  has(member: Member): boolean {
    return this.#files.has(member);
  }

  get members(): Member[] {
    return [...this.#files.keys()];
  }

  addFile(member: Member, file: string, endOffset: number): void {
    const pending = this.#files.get(member);
    if (pending === undefined) {
      this.#files.set(member, { files: new Set([file]), endOffset });
      return;
    }
    pending.files.add(file);
    pending.endOffset = Math.max(pending.endOffset, endOffset);
  }

  /** A file or folder has got its name in the directory. */
  addName(member: Member, directory: string): void {
    let names = this.#names.get(member);
    if (names === undefined) this.#names.set(member, (names = new Map()));
    this.#mark += 1;
    names.set(directory, this.#mark);
  }

  namesOf(member: Member): ReadonlyMap<string, number> {
    return new Map(this.#names.get(member));
  }

  /** A sync of the directory has ended that began when its mark was this. */
  nameSynced(member: Member, directory: string, mark: number): void {
    const names = this.#names.get(member);
    if (names?.get(directory) !== mark) return;
    names.delete(directory);
    if (names.size === 0) this.#names.delete(member);
  }

  /** Hands over what is to be synced of the chosen logs; bytes written from now on count anew. */
  take(chosen: (member: Member) => boolean): [Member, Unsynced][] {
    const taken: [Member, Unsynced][] = [];
    for (const [member, { files, endOffset }] of this.#files) {
      if (!chosen(member)) continue;
      taken.push([member, { files, names: this.namesOf(member), endOffset }]);
      this.#files.delete(member);
    }
    return taken;
  }

  forget(member: Member): void {
    this.#files.delete(member);
    this.#names.delete(member);
  }
}
