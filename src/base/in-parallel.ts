// Many pieces of work, a few at a time.

/** Runs `work` over the items in their order, `atOnce` of them at a time; every item is tried. Rejects with the first failure, after all have ended. */
export async function inParallel<Item>(atOnce: number, items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  const rest = items[Symbol.iterator]();
  const run = async (first: IteratorResult<Item, unknown>): Promise<void> => {
    for (let next = first; next.done !== true; next = rest.next()) {
      try {
        await work(next.value);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
  };
  // One for each item, up to the bound: a commit of a single log makes one promise and not as many as may run at once.
  const running: Promise<void>[] = [];
  while (running.length < atOnce) {
    const first = rest.next();
    if (first.done === true) break;
    running.push(run(first));
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
