// How many files of logs may be open at a time, where the setting leaves it to us: half of what the process may open,
// less a reserve, so that connections and everything else have the other half.
import type { Env } from '../base/env.ts';
import { readFileIfThere } from '../base/files.ts';

const LIMITS = '/proc/self/limits';
const RESERVE = 64;
/** Where the system does not say: small enough for every default. */
const UNKNOWN = 512;
/** More brings nothing: every partition of the largest broker in mind has its active segment open. */
const MOST = 20_000;

export async function openFileLimit(env: Env, setting: number): Promise<number> {
  if (setting > 0) return setting;
  const limits = await readFileIfThere(env.files, LIMITS).catch(() => undefined);
  const soft = /^Max open files\s+(\d+)/m.exec(limits?.toString('latin1') ?? '')?.[1];
  if (soft === undefined) return UNKNOWN;
  return Math.max(RESERVE, Math.min(MOST, Math.floor(Number(soft) / 2) - RESERVE));
}
