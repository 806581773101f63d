// Errors of files and sockets as Node throws them, for the places that have to make one themselves.

const meanings = {
  EACCES: 'permission denied',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available',
  EBADF: 'bad file descriptor',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file already exists',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  EMFILE: 'too many open files',
  ENFILE: 'file table overflow',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
  ETIMEDOUT: 'connection timed out',
} as const;

export type PosixCode = keyof typeof meanings;

export interface PosixError extends Error {
  code: string;
  syscall?: string;
  path?: string;
}

/** `where` is the path or address concerned. */
export function posixError(code: PosixCode, syscall: string, where: string): PosixError {
  return Object.assign(new Error(`${code}: ${meanings[code]}, ${syscall} '${where}'`), { code, syscall, path: where });
}

/** The POSIX `code` of a thrown value, undefined when it carries none. */
export function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code } = thrown as Partial<PosixError>;
  return typeof code === 'string' ? code : undefined;
}
