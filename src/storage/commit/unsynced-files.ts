// What has been written to the files of a log dir and not been synced there: the journal, or a weaker promise, stands
// for it until a checkpoint syncs it. Bookkeeping only; who syncs, and when, is decided by the commit loop and the
// checkpoints of the log dir.

/** Files and folders whose bytes or names must become durable. */
export interface Unsynced {
  readonly files: Set<string>;
  readonly directories: Set<string>;
  /** Log end (exclusive) when the last of them was written. */
  endOffset: number;
}

export class UnsyncedFiles<Member> {
  #byMember = new Map<Member, Unsynced>();

  has(member: Member): boolean {
    return this.#byMember.has(member);
  }

  get size(): number {
    return this.#byMember.size;
  }

  add(member: Member, written: { files: Iterable<string>; directories: Iterable<string>; endOffset: number }): void {
    let unsynced = this.#byMember.get(member);
    if (unsynced === undefined)
      this.#byMember.set(member, (unsynced = { files: new Set(), directories: new Set(), endOffset: written.endOffset }));
    for (const file of written.files) unsynced.files.add(file);
    for (const directory of written.directories) unsynced.directories.add(directory);
    unsynced.endOffset = Math.max(unsynced.endOffset, written.endOffset);
  }

  /** Hands over all there is, or what is chosen, and forgets it: what is written from now on counts anew. */
  take(chosen: (member: Member) => boolean = () => true): Map<Member, Unsynced> {
    const taken = new Map<Member, Unsynced>();
    for (const [member, unsynced] of this.#byMember) {
      if (!chosen(member)) continue;
      taken.set(member, unsynced);
      this.#byMember.delete(member);
    }
    return taken;
  }

  forget(member: Member): void {
    this.#byMember.delete(member);
  }
}
