// "Did you mean": the known name that an unknown one was probably meant to be.

const LONGEST = 120; // no setting is longer; keeps the comparison of a pasted novel cheap

/** The nearest of the names, or undefined when none is near enough to be helpful. */
export function suggest(wrong: string, names: Iterable<string>): string | undefined {
  const asked = wrong.toLowerCase().replaceAll(/[_-]/g, '.');
  if (asked.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(asked.length / 5)) + 1;
  for (const name of names) {
    const away = distance(asked, name.toLowerCase().replaceAll(/[_-]/g, '.'), least);
    if (away < least) [best, least] = [name, away];
  }
  return best;
}

/** How many letters must be inserted, left out, changed or swapped with a neighbour; `limit` when that many or more. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return Math.min(last[b.length] ?? limit, limit);
}
