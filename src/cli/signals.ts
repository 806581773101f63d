// How often somebody has asked for the end. One Ctrl-C may arrive twice: the terminal sends it to every process in the
// foreground, and `npm` and `npx` hand theirs on to the program as well. That is not the impatience that ends it at once.

/** Longer than npm takes, shorter than a person's second thought. */
const ECHO_MS = 300;

export type Asked = 'first' | 'echo' | 'again';

export class StopRequests {
  #firstMs: number | undefined;

  heard(nowMs: number): Asked {
    if (this.#firstMs === undefined) {
      this.#firstMs = nowMs;
      return 'first';
    }
    return nowMs - this.#firstMs < ECHO_MS ? 'echo' : 'again';
  }
}
