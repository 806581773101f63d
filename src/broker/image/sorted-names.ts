// Names in ascending order of their UTF-16 units, as Java compares strings, for answers that come page by page. Changes are
// noted and merged in when somebody asks next: ten thousand creations cost one merge, and paging costs no sort.

export class SortedNames {
  #sorted: string[] = [];
  /** Not in `#sorted` yet. */
  readonly #added = new Set<string>();
  /** Still in `#sorted`. */
  readonly #removed = new Set<string>();

  /** The name must not be there. */
  add(name: string): void {
    if (!this.#removed.delete(name)) this.#added.add(name);
  }

  /** The name must be there. */
  delete(name: string): void {
    if (!this.#added.delete(name)) this.#removed.add(name);
  }

  /** All names; valid until the next change. */
  all(): readonly string[] {
    if (this.#added.size > 0 || this.#removed.size > 0) this.#merge();
    return this.#sorted;
  }

  /** Where in `all()` the first name stands that is not below the given one. */
  indexFrom(name: string): number {
    const sorted = this.all();
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as string) < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #merge(): void {
    const kept = this.#removed.size === 0 ? this.#sorted : this.#sorted.filter((name) => !this.#removed.has(name));
    const added = [...this.#added].sort();
    const merged: string[] = [];
    let next = 0;
    for (const name of kept) {
      for (let other = added[next]; other !== undefined && other < name; other = added[next]) {
        merged.push(other);
        next += 1;
      }
      merged.push(name);
    }
    for (; next < added.length; next += 1) merged.push(added[next] as string);
    this.#sorted = merged;
    this.#added.clear();
    this.#removed.clear();
  }
}
