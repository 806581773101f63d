// What a log dir does when the process, or the machine, is out of file descriptors: it waits. Nothing was lost, and nothing was asked
// of the disk: connections come and go, and what could not be opened now can be opened then. Only opening a file can end in
// this, never a sync, so whatever comes to it may be done again.
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import { codeOf } from '../base/posix-error.ts';

export const isOutOfDescriptors = (code: string | undefined): boolean => code === 'EMFILE' || code === 'ENFILE';

const TRY_AGAIN_MS = 100;
/** A broker that stops has closed its connections; whoever has the descriptors then may keep them for good. */
const TRIES_WHILE_CLOSING = 50;

export interface DescriptorsOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly directory: string;
  /** Closes a file of the dir that nobody uses at the moment, if there is one. */
  readonly giveUpOne: () => void;
  readonly isClosing: () => boolean;
}

export class Descriptors {
  readonly #options: DescriptorsOptions;
  #waiting = 0;

  constructor(options: DescriptorsOptions) {
    this.#options = options;
  }

  /** Does what may be repeated until it is not for want of a descriptor that it fails. While the dir closes it gives up in the end. */
  async within<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (thrown) {
      if (!isOutOfDescriptors(codeOf(thrown))) throw thrown;
      return this.#afterWaiting(work, thrown);
    }
  }

  async #afterWaiting<Result>(work: () => Promise<Result>, first: unknown): Promise<Result> {
    const { log, directory, isClosing } = this.#options;
    this.#waiting += 1;
    if (this.#waiting === 1)
      log.warn('out of file descriptors: what has to open a file waits until there is one', { directory, error: first });
    try {
      for (let triesWhileClosing = 0; ;) {
        await this.#wait();
        try {
          return await work();
        } catch (thrown) {
          if (isClosing()) triesWhileClosing += 1;
          if (!isOutOfDescriptors(codeOf(thrown)) || triesWhileClosing === TRIES_WHILE_CLOSING) throw thrown;
        }
      }
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) log.info('there are file descriptors again', { directory });
    }
  }

  #wait(): Promise<void> {
    const { env, giveUpOne } = this.#options;
    giveUpOne();
    return new Promise((resolve) => env.timer(TRY_AGAIN_MS, resolve));
  }
}
