// What a log dir does when its file system is full. A few megabytes are kept in reserve as a file of their own; when a write
// meets a full disk that file is given up, and from then on clients' records are refused while the broker's own few bytes go
// on: committed offsets, metadata, checkpoints, a stop, and whatever frees room. When there is room again the reserve is taken
// back first. Files and levels only: what a refusal means to a log or a client is decided there.
import { join } from 'node:path';
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import { codeOf } from '../base/posix-error.ts';

/** Not named like anything of Kafka's, which looks at folders alone. */
export const RESERVE_FILE = 'bucketrider.reserve';

/** Can more room on the disk mend it? */
export const isFullDisk = (code: string | undefined): boolean => code === 'ENOSPC' || code === 'EDQUOT';

export type AppendKind = 'client' | 'coordinator';

/** How long a full disk is left alone before it is looked at again. */
const LOOK_AGAIN_MS = 1000;
/**
 * A quota is not seen in what the file system says is free: the reserve may find room and the next record none. Each time that
 * happens the disk is left alone for twice as long, up to this.
 */
const LOOK_AGAIN_AT_MOST_MS = 60_000;
/** Room that has lasted for so long is believed. */
const BELIEVED_AFTER_MS = 60_000;
/** Written to see whether there is room for the broker's own records when even the reserve is used up. */
const PROBE_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** `none`: nothing is taken. `reserve`: the broker's own records alone. */
type Level = 'enough' | 'reserve' | 'none';

export interface DiskRoomOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly directory: string;
  /** 0 keeps none: a full disk then stops the broker's own records too. */
  readonly reserveBytes: number;
}

export class DiskRoom {
  readonly #env: Env;
  readonly #log: Logger;
  readonly #directory: string;
  readonly #path: string;
  readonly #reserveBytes: number;
  #level: Level = 'enough';
  /** The file is there, and whole. */
  #held = false;
  #releasing: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #lookAgainMs = LOOK_AGAIN_MS;
  /** When (monotonic) there was last found to be more room than before. */
  #foundRoomMs = -Infinity;
  /** Room was found, and refused, again and again: that has been said. */
  #belied = false;
  #believing: Disposable | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: DiskRoomOptions, held: boolean) {
    this.#env = options.env;
    this.#log = options.log;
    this.#directory = options.directory;
    this.#path = join(options.directory, RESERVE_FILE);
    this.#reserveBytes = options.reserveBytes;
    this.#held = held;
  }

  /** Finds the reserve of an earlier start; writes nothing. A part of one (a crash, another size) is as good as none. */
  static async open(options: DiskRoomOptions): Promise<DiskRoom> {
    const found = await options.env.files.stat(join(options.directory, RESERVE_FILE));
    return new DiskRoom(options, found?.bytes === options.reserveBytes);
  }

  /** Why records of that kind are not taken; undefined when they are. */
  refusalOf(kind: AppendKind): string | undefined {
    if (this.#level === 'enough' || (this.#level === 'reserve' && kind === 'coordinator')) return undefined;
    return `the disk of ${this.#directory} is full`;
  }

  get isFull(): boolean {
    return this.#level !== 'enough';
  }

  /** Makes the reserve where there is none; in the background, when there is nothing better to do. */
  prepare(): void {
    if (this.#held || this.isFull || this.#reserveBytes === 0) return;
    this.#inTurn(async () => {
      if (this.#held || this.isFull || (await this.#write(this.#reserveBytes))) return;
      this.#log.warn(
        'there is no room for a reserve: once the disk is full, committed offsets and a clean stop will not be written either',
        {
          directory: this.#directory,
          bytes: this.#reserveBytes,
        },
      );
    });
  }

  /**
   * A write met a full disk. From now on clients' records are refused; resolves when the reserve is given up and what needs
   * little room can be tried again. `settled` is waited for first: what clients have under way is not to have the reserve.
   */
  ranOut(settled?: () => Promise<void>): Promise<void> {
    if (this.#releasing !== undefined) return this.#releasing;
    const wasFound = this.#env.monotonicMs() - this.#foundRoomMs < BELIEVED_AFTER_MS;
    if (this.#level !== 'none') this.#inTurn(() => this.#planLook(wasFound));
    if (this.#level === 'enough') {
      this.#level = 'reserve';
      if (!this.#belied)
        this.#log.error('the disk is full: clients’ records are refused until there is room again', { directory: this.#directory });
      this.#releasing = this.#release(settled).finally(() => (this.#releasing = undefined));
    } else if (this.#level === 'reserve') {
      this.#usedUp();
    }
    return this.#releasing ?? Promise.resolve();
  }

  /** Does what may be repeated and needs little room; with the reserve when there is no other. */
  async within<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (thrown) {
      if (!isFullDisk(codeOf(thrown))) throw thrown;
      await this.ranOut();
      return work();
    }
  }

  /** Idempotent. The reserve stays: the next start may find the disk as it is now. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#believing?.[Symbol.dispose]();
    await this.#working;
  }

  async #release(settled: (() => Promise<void>) | undefined): Promise<void> {
    await settled?.();
    await this.#working; // it may be about to be made
    if (!this.#held) this.#usedUp();
    this.#held = false;
    await this.#remove();
  }

  #usedUp(): void {
    if (this.#level === 'none') return;
    this.#level = 'none';
    if (this.#belied) return;
    this.#log.error('the disk is full, and what was kept in reserve is used up: nothing is written any more', {
      directory: this.#directory,
    });
  }

  /** What was lately found and refused, though the file system says that it is there, is not looked for again so soon. */
  async #planLook(wasFound: boolean): Promise<void> {
    try {
      const isThere = wasFound && (await this.#env.files.freeBytes(this.#directory)) >= Math.max(2 * this.#reserveBytes, CHUNK_BYTES);
      this.#lookAgainMs = isThere ? Math.min(2 * this.#lookAgainMs, LOOK_AGAIN_AT_MOST_MS) : LOOK_AGAIN_MS;
      if (isThere && !this.#belied)
        this.#log.warn('the disk refuses room that it says it has, as under a quota: it is left alone for longer and longer', {
          directory: this.#directory,
          atMostMs: LOOK_AGAIN_AT_MOST_MS,
        });
      this.#belied = isThere;
    } finally {
      this.#lookAgain();
    }
  }

  #foundRoom(message: string): void {
    this.#foundRoomMs = this.#env.monotonicMs();
    this.#believing?.[Symbol.dispose]();
    this.#believing = undefined;
    if (!this.#belied) {
      this.#log.info(message, { directory: this.#directory });
      return;
    }
    // It may be refused again at once: said when it has lasted.
    this.#believing = this.#env.timer(
      BELIEVED_AFTER_MS,
      () => {
        this.#believing = undefined;
        if (this.isFull) return;
        this.#belied = false;
        this.#lookAgainMs = LOOK_AGAIN_MS;
        this.#log.info(message, { directory: this.#directory });
      },
      { unref: true },
    );
  }

  #lookAgain(): void {
    if (this.#closed) return;
    this.#timer ??= this.#env.timer(
      this.#lookAgainMs,
      () => {
        this.#timer = undefined;
        this.#inTurn(async () => {
          if (this.#releasing === undefined) await this.#look(); // it waits for its turn
          if (this.isFull) this.#lookAgain();
        });
      },
      { unref: true },
    );
  }

  async #look(): Promise<void> {
    if (this.#level === 'none' && (await this.#write(PROBE_BYTES))) {
      await this.#remove();
      this.#level = 'reserve';
      this.#foundRoom('there is a little room on the disk again, for the broker’s own records');
    }
    if (this.#level !== 'reserve') return;
    // As much again must be left for clients, or they would meet the end of it at once. A quota shows in the attempt alone.
    if ((await this.#env.files.freeBytes(this.#directory)) < 2 * this.#reserveBytes) return;
    if (this.#reserveBytes > 0 && !(await this.#write(this.#reserveBytes))) return;
    if (this.#level !== 'reserve') return; // it ran out meanwhile
    this.#level = 'enough';
    this.#foundRoom('there is room on the disk again: clients’ records are taken');
  }

  /** Writes so much of the file; false when there is no room, and the file is gone then. */
  async #write(bytes: number): Promise<boolean> {
    // A file system that compresses would keep no room for zeros.
    const chunk = this.#env.randomBytes(Math.min(bytes, CHUNK_BYTES));
    try {
      const file = await this.#env.files.open(this.#path, 'create');
      try {
        await file.truncate(0);
        for (let position = 0; position < bytes; position += chunk.length)
          await file.write([chunk.subarray(0, Math.min(chunk.length, bytes - position))], position);
      } finally {
        await file.close();
      }
      this.#held = bytes === this.#reserveBytes;
      return true;
    } catch (thrown) {
      if (!isFullDisk(codeOf(thrown)))
        this.#log.warn('the reserve for a full disk could not be written', { path: this.#path, error: thrown });
      await this.#remove();
      return false;
    }
  }

  async #remove(): Promise<void> {
    await this.#env.files
      .remove(this.#path)
      .catch((error: unknown) => this.#log.warn('the reserve for a full disk could not be given up', { path: this.#path, error }));
  }

  /** One after the other; never rejects. */
  #inTurn(work: () => Promise<void>): void {
    this.#working = this.#working
      .then(() => (this.#closed ? undefined : work()))
      .catch((error: unknown) => this.#log.warn('the room on the disk could not be looked at', { directory: this.#directory, error }));
  }
}
