// The ids of log directories (KIP-858), and which of them mean something else than a directory (DirectoryId of Kafka).
import type { Env } from '../base/env.ts';

/** What stands for a replica's directory where none is named. */
export const unnamedDirectories = {
  /** The replica lies somewhere; the record is older than the ids. */
  migrating: 'AAAAAAAAAAAAAAAAAAAAAA',
  /** The broker has yet to choose. */
  unassigned: 'AAAAAAAAAAAAAAAAAAAAAQ',
  /** It lay in a directory that is gone. */
  lost: 'AAAAAAAAAAAAAAAAAAAAAg',
} as const;

const RESERVED_BELOW = 100;

/** The first hundred ids are never given to a directory. */
export function isReservedDirectoryId(id: string): boolean {
  const bytes = Buffer.from(id, 'base64url');
  return bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) < RESERVED_BELOW;
}

/** A new id in Kafka's text form. None begins with a dash: a nuisance on command lines that Kafka avoids too. */
export function newUuid(env: Pick<Env, 'randomBytes'>): string {
  for (;;) {
    const id = Buffer.from(env.randomBytes(16)).toString('base64url');
    if (!id.startsWith('-') && !isReservedDirectoryId(id)) return id;
  }
}
