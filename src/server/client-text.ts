// Text that a client chose, made fit for a log line: it may not end the line, move the cursor, or fill the disk.

const MOST_CHARACTERS = 120;

/** Printable ASCII stays, quotes and backslashes and all else are escaped; what is too long is cut. */
export function escapeClientText(text: string): string {
  const cut = text.length > MOST_CHARACTERS ? text.slice(0, MOST_CHARACTERS) : text;
  const escaped = cut.replaceAll(/[^ -~]|["\\]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return cut.length < text.length ? `${escaped}... (${text.length} characters)` : escaped;
}
