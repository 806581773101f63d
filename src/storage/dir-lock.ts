// The lock of a log dir: one broker at a time. Node cannot take a lock of the operating system, so the lock is a folder that
// holds one file, named after one holder, and what makes it exclusive is rename: a folder can be renamed onto another only
// where that one is empty or absent. Who may write into the log dir is all that is decided here.
//
//   .bucketrider-lock/<token>.json    {"pid":4711,"startedAt":"811604","bootId":"…","pidNamespace":"pid:[4026531836]","host":"anna"}
//
// Taking it: the folder is made under another name, with its file in it, and renamed. Of all who try, the kernel lets one
// through; whoever finds the lock finds its holder too. A stale one is emptied by removing the file of the holder that was
// judged, by its name, which no other holder has: so a lock that was taken meanwhile cannot be hurt, two that find the same
// stale lock both empty it, and the next rename again lets one through.
//
// Apache Kafka locks its file `.lock`, as the system can tell us while it runs; we look before and after taking our own lock.
// The other way round Kafka refuses a log dir with a folder that is no partition, and so ends beside a broker of ours that
// runs. After a crash the folder stays: Kafka cannot start then, and must not, since how to recover from our crash only we
// know. After a clean stop nothing of it is left.
import { join } from 'node:path';
import type { Env, ProcessIdentity } from '../base/env.ts';
import { makeDurableDirectory } from '../base/files.ts';
import { codeOf } from '../base/posix-error.ts';
import { quoted } from './damaged-file.ts';

const LOCK_NAME = '.bucketrider-lock';
/** Folders of this prefix belong to somebody about to take or release the lock. */
const ASIDE_PREFIX = '.bucketrider-lock-';
const KAFKAS_LOCK_NAME = '.lock';
const HOLDER_SUFFIX = '.json';
const HEARTBEAT_MS = 3_000;
/** A holder that nobody can look for is taken for gone when it has said nothing for so long. */
const STALE_MS = 10_000;
const LOOK_AGAIN_MS = 500;
/** Each attempt that fails without a verdict means that somebody else has moved at the same time. */
const MOST_ATTEMPTS = 100;

/** Somebody else has the log dir; the message says who, how we know, and what to do. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
}

export interface DirLock {
  readonly directory: string;
  /** Nothing is left of the lock when it returns. Idempotent. */
  release(): Promise<void>;
}

export interface DirLockOptions {
  /** Called once when the lock turns out to be somebody else's: this program slept for long, or its file was removed. It must write no more. */
  onLost?: (error: Error) => void;
  /** Called when the verdict takes up to ten seconds, with what is waited for. */
  onWait?: (why: string) => void;
}

/**
 * Takes the lock of a log dir, which is made if it is absent.
 * @throws DirectoryLockedError when somebody has it; what the file system throws
 */
export async function acquireDirLock(env: Env, directory: string, options: DirLockOptions = {}): Promise<DirLock> {
  await makeDurableDirectory(env.files, directory);
  const claim = new Claim(env, directory, await env.processes.self());
  try {
    await checkKafka(env, directory);
    const wait = new WaitForHeartbeat(env, claim, options);
    for (let attempt = 0; !(await claim.take()); attempt += 1) {
      if (attempt === MOST_ATTEMPTS) throw new DirectoryLockedError(`${directory}: several brokers try to take it at once; start one`);
      await makeWay(env, claim, wait);
    }
  } catch (thrown) {
    await env.files.remove(claim.path).catch(() => {});
    throw thrown;
  }
  const lock = new HeldLock(env, claim, options);
  try {
    // One that started meanwhile has its lock by now, or will find ours.
    await checkKafka(env, directory);
    await sweep(env, directory);
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
  return lock;
}

/** @throws DirectoryLockedError when a Kafka is running on the log dir */
async function checkKafka(env: Env, directory: string): Promise<void> {
  const holder = await env.processes.fileLockHolder(join(directory, KAFKAS_LOCK_NAME));
  if (holder === undefined) return;
  const command = holder.command === undefined ? '' : ` (${quoted(holder.command)})`;
  const who = holder.pid === undefined ? 'a process outside of this container' : `process ${holder.pid}${command}`;
  throw new DirectoryLockedError(
    `${directory} is in use: ${who} holds a lock on its file ${KAFKAS_LOCK_NAME}, as Apache Kafka does while it runs; stop it first, or give another directory`,
  );
}

/** A lock in the making: the folder that is to become `.lock`. */
class Claim {
  readonly directory: string;
  readonly lockPath: string;
  readonly token: string;
  readonly path: string;
  readonly #env: Env;
  readonly #identity: ProcessIdentity;
  #prepared = false;

  constructor(env: Env, directory: string, identity: ProcessIdentity) {
    this.#env = env;
    this.#identity = identity;
    this.directory = directory;
    this.lockPath = join(directory, LOCK_NAME);
    this.token = `${identity.pid}-${identity.startedAt.replaceAll(/\W/g, '')}-${randomText(env)}`;
    this.path = join(directory, `${ASIDE_PREFIX}${this.token}`);
  }

  get holderName(): string {
    return `${this.token}${HOLDER_SUFFIX}`;
  }

  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    await this.#env.files.makeDirectory(this.path);
    await this.writeHolder(this.path, 'create');
    this.#prepared = true;
  }

  /** The same bytes each time: what a crash tears is whole all the same. The time of modification is the heartbeat. */
  async writeHolder(folder: string, mode: 'create' | 'write'): Promise<void> {
    const file = await this.#env.files.open(join(folder, this.holderName), mode);
    try {
      await file.write([encodeHolder(this.#identity)], 0);
      if (mode === 'create') await file.dataSync();
    } finally {
      await file.close();
    }
  }

  /** True when the lock is ours. */
  async take(): Promise<boolean> {
    try {
      await this.#prepare();
      await this.#env.files.rename(this.path, this.lockPath);
      return true;
    } catch (thrown) {
      const code = codeOf(thrown) ?? '';
      // Swept by one that has just taken the lock.
      if (code === 'ENOENT') this.#prepared = false;
      else if (code === 'EPERM' || code === 'EACCES') await this.#moveEmptyFolderAside(thrown);
      else if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw thrown;
      return false;
    }
  }

  /**
   * Windows renames onto no folder at all, not even an empty one. Two that do this at once may move each other's lock; both find it gone
   * at their next heartbeat, and stop.
   */
  async #moveEmptyFolderAside(refusal: unknown): Promise<void> {
    const found = await this.#env.files.stat(this.lockPath);
    if (found?.isDirectory !== true) throw refusal;
    if ((await namesIn(this.#env, this.lockPath)).length === 0) await this.#env.files.rename(this.lockPath, `${this.path}-empty`);
  }

  /** What time it is for the file system that holds the lock; the clocks of several machines need not agree. */
  async fileSystemNowMs(): Promise<number> {
    try {
      await this.writeHolder(this.path, 'write');
    } catch (thrown) {
      if (codeOf(thrown) !== 'ENOENT') throw thrown;
    }
    return (await this.#env.files.stat(join(this.path, this.holderName)))?.modifiedMs ?? this.#env.wallMs();
  }

  isSelf(identity: ProcessIdentity): boolean {
    const own = this.#identity;
    return identity.pid === own.pid && identity.startedAt === own.startedAt && identity.host === own.host;
  }
}

/** Removes the holder that stands in the way if it is stale. @throws DirectoryLockedError when it is not */
async function makeWay(env: Env, claim: Claim, wait: WaitForHeartbeat): Promise<void> {
  for (const name of await namesIn(env, claim.lockPath)) {
    const path = join(claim.lockPath, name);
    const holder = await readHolder(env, path);
    const state = holder === undefined ? 'unknown' : await env.processes.state(holder);
    if (state === 'running') throw new DirectoryLockedError(heldMessage(claim, holder as ProcessIdentity));
    if (state === 'unknown' && !(await wait.isStale(path, holder))) return;
    await env.files.remove(path);
  }
}

async function namesIn(env: Env, folder: string): Promise<string[]> {
  try {
    return (await env.files.readDirectory(folder)).map(({ name }) => name);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

/** A holder that cannot be looked for is judged by its heartbeat: by how long ago it was, and by watching whether another comes. */
class WaitForHeartbeat {
  readonly #env: Env;
  readonly #claim: Claim;
  readonly #onWait: ((why: string) => void) | undefined;
  #watched: { path: string; modifiedMs: number; sinceMs: number } | undefined;

  constructor(env: Env, claim: Claim, options: DirLockOptions) {
    this.#env = env;
    this.#claim = claim;
    this.#onWait = options.onWait;
  }

  /** False when it is too early to say; some time has passed then. @throws DirectoryLockedError when the holder is alive */
  async isStale(path: string, holder: ProcessIdentity | undefined): Promise<boolean> {
    const file = await this.#env.files.stat(path);
    if (file === undefined) return false;
    const ageMs = (await this.#claim.fileSystemNowMs()) - file.modifiedMs;
    if (ageMs > STALE_MS) return true;
    if (this.#watched?.path !== path) {
      this.#watched = { path, modifiedMs: file.modifiedMs, sinceMs: this.#env.monotonicMs() };
      this.#onWait?.(
        `${this.#claim.directory} was in use ${seconds(ageMs)} ago by ${describe(holder)}; waiting to see whether it still is`,
      );
    }
    if (file.modifiedMs !== this.#watched.modifiedMs) {
      throw new DirectoryLockedError(
        `${this.#claim.directory} is in use by ${describe(holder)}: it gave a sign of life just now; stop that broker, or give this one another directory`,
      );
    }
    if (this.#env.monotonicMs() - this.#watched.sinceMs > STALE_MS) return true;
    await new Promise<void>((resolve) => this.#env.timer(LOOK_AGAIN_MS, resolve));
    return false;
  }
}

class HeldLock implements DirLock {
  readonly directory: string;
  readonly #env: Env;
  readonly #claim: Claim;
  readonly #onLost: ((error: Error) => void) | undefined;
  #timer: Disposable | undefined;
  #beating: Promise<void> = Promise.resolve();
  #lost = false;
  #releasing: Promise<void> | undefined;

  constructor(env: Env, claim: Claim, options: DirLockOptions) {
    this.#env = env;
    this.#claim = claim;
    this.directory = claim.directory;
    this.#onLost = options.onLost;
    this.#schedule();
  }

  release(): Promise<void> {
    return (this.#releasing ??= this.#release());
  }

  async #release(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#beating;
    if (this.#lost || !(await this.#isOurs())) return;
    // While our file is in it, nobody else moves the folder.
    await this.#env.files.rename(this.#claim.lockPath, this.#claim.path);
    await this.#env.files.remove(this.#claim.path);
  }

  #schedule(): void {
    this.#timer = this.#env.timer(
      HEARTBEAT_MS,
      () => {
        this.#beating = this.#beat().then(() => {
          if (!this.#lost && this.#releasing === undefined) this.#schedule();
        });
      },
      { unref: true },
    );
  }

  async #beat(): Promise<void> {
    try {
      await this.#claim.writeHolder(this.#claim.lockPath, 'write');
    } catch (thrown) {
      // A disk that refuses is others' affair: they write more than this. Only an absent file says that the lock is gone.
      if (codeOf(thrown) === 'ENOENT' && !(await this.#isOurs().catch(() => true))) this.#lose();
    }
  }

  async #isOurs(): Promise<boolean> {
    return (await this.#env.files.stat(join(this.#claim.lockPath, this.#claim.holderName))) !== undefined;
  }

  #lose(): void {
    this.#lost = true;
    this.#onLost?.(
      new DirectoryLockedError(
        `${this.directory}: the lock of this broker was taken away; it stood still for more than ${STALE_MS / 1000} seconds, or its folder ${LOCK_NAME} was removed`,
      ),
    );
  }
}

/** Removes what attempts that did not end have left. One that is still trying makes its folder again, and fails on the lock. */
async function sweep(env: Env, directory: string): Promise<void> {
  for (const name of await namesIn(env, directory))
    if (name.startsWith(ASIDE_PREFIX)) await env.files.remove(join(directory, name)).catch(() => {});
}

function heldMessage(claim: Claim, holder: ProcessIdentity): string {
  return claim.isSelf(holder)
    ? `${claim.directory} is in use by another broker in this process (${holder.pid}); stop that one, or give this one another directory`
    : `${claim.directory} is in use by ${describe(holder)}, which is running; stop that broker, or give this one another directory`;
}

const describe = (holder: ProcessIdentity | undefined): string =>
  holder === undefined ? 'a broker that did not say who it is' : `the broker with process id ${holder.pid} on host ${quoted(holder.host)}`;

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`;

const encodeHolder = ({ pid, startedAt, bootId, pidNamespace, host }: ProcessIdentity): Buffer =>
  Buffer.from(`${JSON.stringify({ pid, startedAt, bootId, pidNamespace, host })}\n`);

/** Undefined when it is not there any more, or does not say what it should. */
async function readHolder(env: Env, path: string): Promise<ProcessIdentity | undefined> {
  try {
    const content: unknown = JSON.parse((await env.files.readFile(path)).toString('utf8'));
    if (content === null || typeof content !== 'object') return undefined;
    const fields = content as Record<string, unknown>;
    const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
    const pid = fields['pid'];
    // 0 and below mean groups of processes where signals are concerned.
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return undefined;
    return { pid, startedAt: text('startedAt'), bootId: text('bootId'), pidNamespace: text('pidNamespace'), host: text('host') };
  } catch {
    return undefined;
  }
}

/** Enough to tell apart all who ever try on one log dir; not a secret. */
function randomText(env: Env): string {
  let text = '';
  for (let part = 0; part < 4; part += 1)
    text += Math.floor(env.random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0');
  return text;
}
