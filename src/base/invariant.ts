// Promises the code makes to itself. They stay on in production: a broken one means that what the broker believes
// is false, and going on could destroy data, so nothing on the way catches it and the broker fails.

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws InvariantError when `condition` is false; `promise` says in words what should have held */
export function invariant(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new InvariantError(promise);
}

/** The value, which our own logic says is there. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new InvariantError(`${what} is missing`);
  return value;
}
