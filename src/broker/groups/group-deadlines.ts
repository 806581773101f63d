// Wakes groups when something of theirs is due. One timer for each group, set for the earliest deadline it may have: a
// heartbeat moves a deadline back and touches no timer, which finds out when it fires that it was early.
import type { AwakeClock } from '../coordinator/awake-clock.ts';

interface Armed {
  readonly dueMs: number;
  readonly timer: Disposable;
}

export class GroupDeadlines {
  readonly #clock: AwakeClock;
  readonly #onDue: (groupId: string) => void;
  readonly #armed = new Map<string, Armed>();

  constructor(options: { clock: AwakeClock; onDue: (groupId: string) => void }) {
    this.#clock = options.clock;
    this.#onDue = options.onDue;
  }

  /** Makes sure that the group is woken at `dueMs` or before. */
  arm(groupId: string, dueMs: number): void {
    if (dueMs === Infinity) return;
    const armed = this.#armed.get(groupId);
    if (armed !== undefined && armed.dueMs <= dueMs) return;
    armed?.timer[Symbol.dispose]();
    const timer = this.#clock.at(dueMs, () => {
      this.#armed.delete(groupId);
      this.#onDue(groupId);
    });
    this.#armed.set(groupId, { dueMs, timer });
  }

  disarm(groupId: string): void {
    this.#armed.get(groupId)?.timer[Symbol.dispose]();
    this.#armed.delete(groupId);
  }

  close(): void {
    for (const { timer } of this.#armed.values()) timer[Symbol.dispose]();
    this.#armed.clear();
  }
}
