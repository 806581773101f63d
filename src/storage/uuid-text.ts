// Kafka's text form of a UUID, as its small files hold them: 16 bytes in base64url, without padding.

/** The id in its one spelling of 22 characters, or undefined when `text` is none. Kafka reads padded ones too. */
export function normalizeUuid(text: string): string | undefined {
  if (!/^[A-Za-z0-9_-]{22}(==)?$/.test(text)) return undefined;
  return Buffer.from(text, 'base64url').toString('base64url');
}
