// What this machine tells about its processes: who we are, whether another still runs, who holds a lock on a file. Linux
// says it all in /proc; elsewhere only the process table can be asked. Reads, and changes nothing.
import { readFile, readlink, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { FileLockHolder, ProcessFacts, ProcessIdentity, ProcessState } from '../env.ts';
import { codeOf } from '../posix-error.ts';

const SHOWN_ARGUMENTS = 2;

/** `proc` is where the kernel's files about processes are; a folder of a test's own may stand in. */
export function makeRealProcessFacts({ proc = '/proc' }: { proc?: string } = {}): ProcessFacts {
  return new RealProcessFacts(proc);
}

class RealProcessFacts implements ProcessFacts {
  readonly #proc: string;
  #self: Promise<ProcessIdentity> | undefined;

  constructor(proc: string) {
    this.#proc = proc;
  }

  self(): Promise<ProcessIdentity> {
    return (this.#self ??= this.#findSelf());
  }

  async #findSelf(): Promise<ProcessIdentity> {
    const [status, bootId, pidNamespace] = await Promise.all([
      this.#read('self/stat'),
      this.#read('sys/kernel/random/boot_id'),
      readlink(`${this.#proc}/self/ns/pid`).catch(() => ''),
    ]);
    const startedAt = parseProcessStatus(status)?.startedAt ?? '';
    return { pid: process.pid, startedAt, bootId: bootId.trim(), pidNamespace, host: hostname() };
  }

  async state(of: ProcessIdentity): Promise<ProcessState> {
    const self = await this.self();
    if (of.host !== self.host && self.bootId === '') return 'unknown';
    if (of.bootId !== self.bootId || of.pidNamespace !== self.pidNamespace) return 'unknown';
    if (!exists(of.pid)) return 'gone';
    const status = parseProcessStatus(await this.#read(`${of.pid}/stat`));
    // A system may hide the processes of other users, and has none to show outside of Linux: there is one of that number, and no more is known.
    if (status === undefined || of.startedAt === '') return exists(of.pid) ? 'unknown' : 'gone';
    return status.startedAt === of.startedAt && !status.isDead ? 'running' : 'gone';
  }

  async fileLockHolder(path: string): Promise<FileLockHolder | undefined> {
    const locks = await this.#read('locks');
    if (locks === '') return undefined;
    const file = await stat(path, { bigint: true }).catch((thrown: unknown) => {
      if (codeOf(thrown) === 'ENOENT') return undefined;
      throw thrown;
    });
    if (file === undefined) return undefined;
    const pid = findLock(locks, { inode: file.ino, device: file.dev });
    if (pid === undefined) return undefined;
    // 0 and below: a process that this pid namespace does not contain.
    if (pid <= 0) return { pid: undefined, command: undefined };
    return { pid, command: shortCommand(await this.#read(`${pid}/cmdline`)) };
  }

  /** Empty where there is no such file, or it may not be read. */
  async #read(file: string): Promise<string> {
    try {
      return await readFile(`${this.#proc}/${file}`, 'utf8');
    } catch {
      return '';
    }
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) !== 'ESRCH'; // EPERM: it is there, and belongs to somebody else
  }
}

/** Of /proc/PID/stat: the start in clock ticks after boot, and whether nothing is left of it but its number. */
export function parseProcessStatus(text: string): { startedAt: string; isDead: boolean } | undefined {
  // The second field is the program's name in parentheses, and may hold blanks and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startedAt = fields[19];
  if (state === undefined || startedAt === undefined) return undefined;
  return { startedAt, isDead: state === 'Z' || state === 'X' };
}

/** Who holds a lock on the file, by the lines of /proc/locks: `1: POSIX  ADVISORY  WRITE 4711 fd:00:2531452 0 EOF`. */
export function findLock(locks: string, file: { inode: bigint; device: bigint }): number | undefined {
  for (const line of locks.split('\n')) {
    const [, kind, , , pid, place] = line.trim().split(/\s+/);
    if (kind === undefined || kind === '->' || pid === undefined || place === undefined) continue; // `->` only waits for one
    const [major, minor, inode] = place.split(':');
    if (inode === undefined || major === undefined || minor === undefined || inode !== String(file.inode)) continue;
    if (isDevice(file.device, Number.parseInt(major, 16), Number.parseInt(minor, 16))) return Number(pid);
  }
  return undefined;
}

/** Where a file system has no device of its own (overlay, btrfs), the two numbers for it differ: its inode has to do. */
function isDevice(device: bigint, major: number, minor: number): boolean {
  const ownMajor = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn));
  const ownMinor = Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n));
  return (ownMajor === major && ownMinor === minor) || (ownMajor === 0 && major === 0);
}

/** `java … kafka.Kafka server.properties`: what a person recognises of a command line, whose class path alone fills a screen. */
function shortCommand(commandLine: string): string | undefined {
  const [program, ...rest] = commandLine.split('\0').filter((part) => part !== '');
  if (program === undefined) return undefined;
  const shown = rest.slice(-SHOWN_ARGUMENTS);
  return [basename(program), ...(shown.length < rest.length ? ['…'] : []), ...shown].join(' ');
}
