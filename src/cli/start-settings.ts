// The flags of `start` as settings of the broker: which setting each stands for, what is preferred where nobody says
// otherwise, and the topics to make. Everything else that may hold settings is read by config/read-settings.
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { testProfile } from '../config/profiles.ts';
import { readSettings, type Settings } from '../config/read-settings.ts';
import { usageError } from './exit-codes.ts';

export interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly memory?: boolean;
  readonly config?: readonly string[];
  readonly set?: readonly string[];
  readonly topic?: readonly string[];
  readonly lenient?: boolean;
}

export interface WantedTopic {
  readonly name: string;
  /** -1 takes the setting's number. */
  readonly partitionCount: number;
  readonly configs: ReadonlyMap<string, string>;
}

const DEFAULT_PORT = 9092;
/** Where the one log dir lies on a disk in memory. */
const MEMORY_DIRECTORY = '/memory';

interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<Uint8Array>;
}

/**
 * @throws CommandError for a flag that cannot be understood
 * @throws SettingsError for what the settings cannot mean
 */
export async function readStartSettings(flags: StartFlags, { environment, readFile }: Surroundings): Promise<Settings> {
  if (flags.memory === true && flags.data !== undefined) throw usageError('--memory keeps nothing on a disk, so --data cannot go with it');
  return readSettings({
    presets: {
      // What is gone when the process ends is there for a test.
      ...(flags.memory === true ? testProfile : {}),
      listeners: `PLAINTEXT://localhost:${DEFAULT_PORT}`,
      'log.dirs': defaultDataDirectory(environment),
    },
    files: flags.config ?? [],
    environment,
    flags: [
      ...(flags.port === undefined && flags.host === undefined ? [] : [`listeners=${listenerOf(flags)}`]),
      ...(flags.data === undefined ? [] : [`log.dirs=${resolve(flags.data)}`]),
      ...(flags.set ?? []), // last, so that it wins over the short flags
    ],
    ...(flags.memory === true && { options: { 'log.dirs': MEMORY_DIRECTORY } }),
    readFile,
    lenient: flags.lenient ?? false,
  });
}

/** The settings as texts, with folders that do not depend on where the program was started. */
export function absoluteDirectories(settings: Settings): ReadonlyMap<string, string> {
  const texts = new Map(settings.texts);
  for (const name of ['log.dirs', 'log.dir']) {
    const text = texts.get(name);
    if (text === undefined) continue;
    const directories = text.split(',').map((directory) => directory.trim());
    if (!directories.every((directory) => isAbsolute(directory)))
      texts.set(name, directories.map((directory) => resolve(directory)).join(','));
  }
  return texts;
}

function listenerOf({ port = String(DEFAULT_PORT), host = 'localhost' }: StartFlags): string {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw usageError(`--port takes a number from 0 to 65535, not '${port}'`, '0 takes a free port');
  if (host === '' || /[\s/]/.test(host)) throw usageError(`--host takes a name or an address, not '${host}'`);
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const bound = bare === '*' ? '' : bare;
  return `PLAINTEXT://${bound.includes(':') ? `[${bound}]` : bound}:${port}`;
}

/** Below the user's own data, where the platform keeps it. */
export function defaultDataDirectory(environment: Surroundings['environment'], platform: string = process.platform): string {
  const xdg = environment['XDG_DATA_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'bucketrider');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'bucketrider');
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'bucketrider', 'data');
  return join(homedir(), '.local', 'share', 'bucketrider');
}

/**
 * `name`, `name:partitions`, `name:partitions:key=value:key=value`; a value may hold colons.
 * @throws CommandError when it is none of these
 */
export function parseTopicFlag(flag: string): WantedTopic {
  const [name = '', ...rest] = flag.split(':');
  const count = rest[0] !== undefined && !rest[0].includes('=') ? rest.shift() : undefined;
  if (name === '' || name.includes('=') || (count !== undefined && !/^[1-9]\d{0,4}$/.test(count)))
    throw usageError(`--topic takes name:partitions[:key=value], not '${flag}'`, 'for instance --topic orders:3:retention.ms=86400000');
  const configs = new Map<string, string>();
  let last: string | undefined;
  for (const piece of rest) {
    const equals = piece.indexOf('=');
    if (equals > 0) {
      last = piece.slice(0, equals);
      configs.set(last, piece.slice(equals + 1));
    } else if (last === undefined) throw usageError(`--topic takes name:partitions[:key=value], and '${piece}' is no setting`);
    else configs.set(last, `${configs.get(last) ?? ''}:${piece}`);
  }
  return { name, partitionCount: count === undefined ? -1 : Number(count), configs };
}
