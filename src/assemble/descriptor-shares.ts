// Who may have how many of the descriptors of the process: half of them, less a reserve, are for files of logs where the setting
// leaves it to us; what is left beside both is for connections. So a crowd of clients is turned away at the door, and no log
// goes without its file.
import type { Env } from '../base/env.ts';
import { readFileIfThere } from '../base/files.ts';

export interface DescriptorShares {
  /** Files that each log dir may have open. */
  readonly filesOfLogDir: number;
  /** Infinity where the system does not say how many there are. */
  readonly connections: number;
}

const LIMITS = '/proc/self/limits';
/** For everything else: folders, checkpoints, listeners, what the runtime needs, a connection that is turned away. */
const RESERVE = 64;
/** Where the system does not say: small enough for every default. */
const UNKNOWN = 512;
/** More brings nothing: every partition of the largest broker in mind has its active segment open. */
const MOST = 20_000;
const FEWEST_FILES = 8;
const FEWEST_CONNECTIONS = 16;

/** `setting`: files that all log dirs together may have open; 0 leaves it to us. */
export async function shareDescriptors(env: Env, { setting, logDirs }: { setting: number; logDirs: number }): Promise<DescriptorShares> {
  const limits = await readFileIfThere(env.files, LIMITS).catch(() => undefined);
  const text = /^Max open files\s+(\d+)/m.exec(limits?.toString('latin1') ?? '')?.[1];
  const all = text === undefined ? undefined : Number(text);
  const ours = all === undefined ? UNKNOWN : Math.max(RESERVE, Math.min(MOST, Math.floor(all / 2) - RESERVE));
  const files = setting > 0 ? setting : ours;
  return {
    filesOfLogDir: Math.max(FEWEST_FILES, Math.floor(files / Math.max(1, logDirs))),
    connections: all === undefined ? Infinity : Math.max(FEWEST_CONNECTIONS, all - files - RESERVE),
  };
}
