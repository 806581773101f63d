// One checkpoint file of a log dir, for as long as the dir is open: what it says of each partition, kept durably whenever
// that changes. Changes of one moment go into one writing of the file.
import { join } from 'node:path';
import type { Env } from '../base/env.ts';
import { readFileIfThere, replaceFile } from '../base/files.ts';
import type { Logger } from '../base/log.ts';
import { DamagedFileError } from './damaged-file.ts';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from './log/checkpoints.ts';

/** Offsets by partition folder; undefined takes the partition out. */
export type OffsetChanges = ReadonlyMap<string, number | undefined>;

interface Writing {
  readonly changes: Map<string, number | undefined>;
  readonly done: Promise<void>;
}

export class OffsetCheckpoint {
  readonly #env: Env;
  readonly #path: string;
  #offsets: Map<string, number>;
  #last: Promise<void> = Promise.resolve();
  /** A writing that has not begun: changes can still join it. */
  #next: Writing | undefined;

  private constructor(env: Env, path: string, offsets: Map<string, number>) {
    this.#env = env;
    this.#path = path;
    this.#offsets = offsets;
  }

  static async open(options: { env: Env; log: Logger; directory: string; file: string }): Promise<OffsetCheckpoint> {
    const { env, log, directory, file } = options;
    const path = join(directory, file);
    const bytes = await readFileIfThere(env.files, path);
    let offsets = new Map<string, number>();
    try {
      if (bytes !== undefined) offsets = decodeOffsetCheckpoint(bytes, file);
    } catch (thrown) {
      if (!(thrown instanceof DamagedFileError)) throw thrown;
      log.warn('a checkpoint is damaged: what it said is found again in the logs', { directory, why: thrown.message });
    }
    return new OffsetCheckpoint(env, path, offsets);
  }

  /** As it is on the disk. */
  get(partition: string): number | undefined {
    return this.#offsets.get(partition);
  }

  get entries(): ReadonlyMap<string, number> {
    return this.#offsets;
  }

  /** Resolves when the changes are durable. When the disk refuses, those of that writing are dropped, and what was kept before holds. */
  keep(changes: OffsetChanges): Promise<void> {
    const next = (this.#next ??= this.#queue());
    for (const [partition, offset] of changes) next.changes.set(partition, offset);
    return next.done;
  }

  #queue(): Writing {
    const changes = new Map<string, number | undefined>();
    const done = this.#last.then(async () => {
      this.#next = undefined;
      const offsets = new Map(this.#offsets);
      for (const [partition, offset] of changes) {
        if (offset === undefined) offsets.delete(partition);
        else offsets.set(partition, offset);
      }
      await replaceFile(this.#env.files, this.#path, encodeOffsetCheckpoint(offsets));
      this.#offsets = offsets;
    });
    this.#last = done.catch(() => undefined);
    return { changes, done };
  }
}
