// The one shape of "this file on the disk is not what it should be". Decoders of small files and indexes throw it; what
// follows (rebuild, refuse to start) is decided by recovery and by whoever opens the log directory.

/** Says what is damaged, why we think so, and what to do about it; the message holds all three. */
export class DamagedFileError extends Error {
  override readonly name: string = 'DamagedFileError';
  /** Which file, as its reader named it. */
  readonly file: string;

  constructor(file: string, why: string, whatToDo: string) {
    super(`${file}: ${why}; ${whatToDo}`);
    this.file = file;
  }
}

const SHOWN_CHARACTERS = 120;

/** Text from a file, made safe for a message: quoted, escaped, bounded. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}
