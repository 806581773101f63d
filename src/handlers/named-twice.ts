// Names that stand more than once in a request which may name each thing once.

export function namedTwice(asked: Iterable<{ readonly name: string }>): ReadonlySet<string> {
  const once = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of asked) (once.has(name) ? twice : once).add(name);
  return twice;
}
