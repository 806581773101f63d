// Descriptors kept for files. A flood of connections takes all that the process may have, and sockets can be refused; a log that
// cannot be written or synced cannot. Each spare one stands open on nothing, and its place is taken in one go.
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

export class SpareDescriptors {
  readonly #most: number;
  readonly #spare: number[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#spare.length;
  }

  /** Takes what is missing, as far as the process may have more; called whenever a file was closed. */
  refill(): void {
    try {
      while (this.#spare.length < this.#most) this.#spare.push(openSync(devNull, 'r'));
    } catch {
      // there are none to be had at the moment
    }
  }

  /** Opens a file in the place of a spare one: nothing else can take it in between, since nothing else runs. Undefined when none is left. */
  open(path: string, flags: number): number | undefined {
    const spare = this.#spare.pop();
    if (spare === undefined) return undefined;
    closeSync(spare);
    return openSync(path, flags);
  }
}
