// A request that names very many things is worked through in several turns of the event loop, so that nobody else waits for
// the end of it. Counts, and gives up the turn; what is done with each thing is the handler's.
import type { Env } from '../base/env.ts';

/** `work` for each item, at most so many in a turn; what it does later, all of them do together. */
export async function mapInTurns<Item, Result>(
  env: Pick<Env, 'defer'>,
  items: readonly Item[],
  work: (item: Item) => Result | Promise<Result>,
  steps = 1,
): Promise<Result[]> {
  const turns = new Turns(env);
  const begun: (Result | Promise<Result>)[] = [];
  for (const item of items) {
    if (turns.isOver(steps)) await turns.next();
    begun.push(work(item));
  }
  const results = await Promise.all(begun);
  await turns.last();
  return results;
}

/** Steps in a turn: one is worth a few microseconds, a look-up and an answer. */
const STEPS_PER_TURN = 1000;

/**
 * For a loop that may be long: `if (turns.isOver()) await turns.next();` at the head of each round. A short one never waits.
 */
export class Turns {
  readonly #env: Pick<Env, 'defer'>;
  #left = STEPS_PER_TURN;
  #waited = false;

  constructor(env: Pick<Env, 'defer'>) {
    this.#env = env;
  }

  /** Counts the round that begins; `steps` when it is worth several. */
  isOver(steps = 1): boolean {
    this.#left -= steps;
    return this.#left < 0;
  }

  next(): Promise<void> {
    this.#left = STEPS_PER_TURN;
    this.#waited = true;
    return new Promise((resolve) => this.#env.defer(resolve));
  }

  /** After the loop: a long answer is encoded in a turn of its own. */
  async last(): Promise<void> {
    if (this.#waited) await this.next();
  }
}
