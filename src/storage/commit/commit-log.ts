// The group commit of one log dir: what is staged in a turn, or while the disk is busy, is written and synced
// together. Decides when a group starts and what must be synced before it counts; the logs themselves know which
// bytes go where, and what durable means for them.
//
// Group k+1 is not written to any file before group k is synced there: recovery can then trust that a valid batch
// behind a damaged one was never the normal end of a crash.
import type { Env } from '../../base/env.ts';
import type { OpenFiles } from '../open-files.ts';
import { Commit, type CommitParty } from './commit.ts';

/** Bytes that go to one file in one piece. */
export interface StagedWrite {
  readonly path: string;
  readonly position: number;
  readonly buffers: Buffer[];
  bytes: number;
  /** The file is new: its name must become durable too. */
  readonly creates: boolean;
}

/** A log that takes part in group commits. All of its methods are called by the commit loop, one group at a time. */
export interface CommitMember extends CommitParty {
  /** Shown in log lines. */
  readonly name: string;
  /** The folder of its files. */
  readonly directory: string;
  /** True when an ack waits for the sync (flush.messages=1); false when it waits for the write alone. */
  readonly syncBeforeAck: boolean;
  /** Makes the folder and what must lie in it before the first record. True when it was made: its name needs a sync of the parent. */
  makeDirectory(): Promise<boolean>;
  /** Everything staged since the last call, in order. */
  takeStaged(): StagedWrite[];
  /** What the last `takeStaged` returned is in the files (and synced, when `durable`). */
  committed(durable: boolean): void;
  /** It is not; nothing staged later will be written either, until the log has reopened. */
  commitFailed(error: Error): void;
}

export class CommitFailedError extends Error {
  override readonly name = 'CommitFailedError';
  readonly phase: 'write' | 'sync';
  constructor(phase: 'write' | 'sync', path: string, cause: Error) {
    super(`${phase} of ${path} failed: ${cause.message}`, { cause });
    this.phase = phase;
  }
}

class Group {
  readonly members = new Set<CommitMember>();
  readonly written = new Commit();
  readonly durable = new Commit();
}

/** How many files of a group are written, and how many synced, at the same time: libuv's four threads serve readers too. */
const WRITES_AT_ONCE = 2;
const SYNCS_AT_ONCE = 2;

export interface CommitLogOptions {
  readonly env: Env;
  readonly openFiles: OpenFiles;
  /** The log dir all members live in. */
  readonly directory: string;
  /** A broken invariant met by the loop; nothing more is committed. */
  readonly onFatal: (error: unknown) => void;
  readonly onGroup?: (members: number, milliseconds: number) => void;
}

export class CommitLog {
  readonly #env: Env;
  readonly #openFiles: OpenFiles;
  readonly #directory: string;
  readonly #onFatal: (error: unknown) => void;
  readonly #onGroup: (members: number, milliseconds: number) => void;
  #next = new Group();
  #running: Promise<void> | undefined;
  #scheduled = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: CommitLogOptions) {
    this.#env = options.env;
    this.#openFiles = options.openFiles;
    this.#directory = options.directory;
    this.#onFatal = options.onFatal;
    this.#onGroup = options.onGroup ?? (() => undefined);
  }

  /** Enters the member, which holds what it has staged, into the coming group; returns the commit its tickets wait for. */
  stage(member: CommitMember): Commit {
    this.#next.members.add(member);
    if (this.#running === undefined && !this.#scheduled) {
      this.#scheduled = true;
      // Deferred, so that all requests that one turn of the event loop brings share the first group too.
      this.#env.defer(() => {
        this.#scheduled = false;
        this.#start();
      });
    }
    return member.syncBeforeAck ? this.#next.durable : this.#next.written;
  }

  /** Resolves when nothing is staged and no group is being written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || this.#next.members.size > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  #start(): void {
    if (this.#running !== undefined || this.#next.members.size === 0) return;
    this.#running = this.#run().catch(this.#onFatal);
  }

  async #run(): Promise<void> {
    while (this.#next.members.size > 0) {
      const group = this.#next;
      this.#next = new Group();
      await this.#commit(group);
    }
    this.#running = undefined;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  async #commit(group: Group): Promise<void> {
    const startedMs = this.#env.monotonicMs();
    const toSync: { member: CommitMember; writes: StagedWrite[] }[] = [];
    const relaxed: CommitMember[] = [];
    const failed = new Set<CommitMember>();
    let madeDirectories = false;
    const fail = (member: CommitMember, error: Error): void => {
      if (failed.has(member)) return;
      failed.add(member);
      group.written.fail(member, error);
      group.durable.fail(member, error);
      member.commitFailed(error);
    };

    await inParallel(WRITES_AT_ONCE, [...group.members], async (member) => {
      const writes = member.takeStaged();
      try {
        if (await member.makeDirectory()) madeDirectories = true;
        for (const write of writes) await this.#openFiles.use(write.path, (handle) => handle.write(write.buffers, write.position));
        if (member.syncBeforeAck) toSync.push({ member, writes });
        else relaxed.push(member);
      } catch (thrown) {
        fail(member, new CommitFailedError('write', writes[0]?.path ?? member.directory, asError(thrown)));
      }
    });
    for (const member of relaxed) member.committed(false);
    group.written.settle();

    if (madeDirectories) {
      try {
        await this.#env.files.syncDirectory(this.#directory);
      } catch (thrown) {
        for (const { member } of toSync) fail(member, new CommitFailedError('sync', this.#directory, asError(thrown)));
      }
    }
    await inParallel(SYNCS_AT_ONCE, toSync, async ({ member, writes }) => {
      if (failed.has(member)) return;
      let path = member.directory;
      try {
        for (const write of writes) {
          path = write.path;
          await this.#openFiles.use(path, (handle) => handle.dataSync());
        }
        path = member.directory;
        // A crash before this leaves a file that no name reaches: its batches were not acknowledged.
        if (writes.some((write) => write.creates)) await this.#env.files.syncDirectory(path);
      } catch (thrown) {
        fail(member, new CommitFailedError('sync', path, asError(thrown)));
      }
    });
    for (const { member } of toSync) if (!failed.has(member)) member.committed(true);
    group.durable.settle();
    this.#onGroup(group.members.size, this.#env.monotonicMs() - startedMs);
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Runs `work` over the items, so many at a time; every item is tried. `work` does not throw. */
async function inParallel<Item>(atOnce: number, items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  if (items.length === 1) return work(items[0] as Item);
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as Item;
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runner));
}
