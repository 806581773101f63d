// The moment at which staged appends become a promise kept: one object per group, shared by every ticket in it.

/** One of the parties of a group; a commit can fail for one and hold for another. */
export type CommitParty = object;

export class Commit {
  /** Of what was durable before anybody asked. */
  static readonly kept: Commit = Commit.#ofThePast();
  #settled = false;
  #failures: Map<CommitParty, Error> | undefined;
  #listeners: (() => void)[] = [];

  static #ofThePast(): Commit {
    const commit = new Commit();
    commit.settle();
    return commit;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Why the commit does not hold for that party; undefined when it holds. Meaningful once settled. */
  failureOf(party: CommitParty): Error | undefined {
    return this.#failures?.get(party);
  }

  /** Calls the listener when the outcome is known: in that turn, or at once when it is known already. */
  onSettled(listener: () => void): void {
    if (this.#settled) listener();
    else this.#listeners.push(listener);
  }

  wait(): Promise<void> | undefined {
    return this.#settled ? undefined : new Promise((resolve) => this.#listeners.push(resolve));
  }

  fail(party: CommitParty, error: Error): void {
    this.#failures ??= new Map();
    if (!this.#failures.has(party)) this.#failures.set(party, error);
  }

  settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
