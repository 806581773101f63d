// Paths as text. The broker runs on POSIX and Windows; what is joined here is a directory it owns and a name it made.

/** Joins with '/', which every platform's file functions take. */
export function join(...parts: string[]): string {
  return parts.join('/').replaceAll(/\/{2,}/g, '/');
}

export function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}
