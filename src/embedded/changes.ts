// Wakes those who wait for something to change in the metadata: a topic that is made, partitions that are added.

export class Changes {
  readonly #listeners = new Set<() => void>();

  /** Calls the listener after each change. Returns what ends it. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
