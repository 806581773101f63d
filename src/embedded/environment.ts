// What an embedded broker lives in: this machine's clock and sockets, and either its disk or one in memory. Loaded with the
// package, so that everything is taken from the platform before a test runner, or what intercepts a network for tests, can
// put its own in its place.
import type { Compute, Env } from '../base/env.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { memoryProcessFacts } from '../base/memory/process-facts.ts';
import { makeRealClock } from '../base/real/clock.ts';
import { memoryLimitBytes } from '../base/real/memory-limit.ts';
import { makeRealNetwork } from '../base/real/network.ts';
import { makeThreads } from '../base/real/threads.ts';
import { threadFile } from '../assemble/thread-file.ts';

export interface EnvNeeds {
  /** Undefined for memory. */
  readonly directory: string | undefined;
  /** Its sockets do not keep the process alive. */
  readonly unref: boolean;
  /** Receives what timers, deferred work and sockets' callbacks throw. */
  readonly onThrown: (thrown: unknown) => void;
  /** Computes, and asks nothing of the platform that a test runner could have put its own in place of. */
  readonly compute: Compute;
}

export async function makeEmbeddedEnv({ directory, unref, onThrown, compute }: EnvNeeds): Promise<Env> {
  const clock = makeRealClock(onThrown);
  return {
    ...clock,
    memoryLimitBytes: memoryLimitBytes(),
    ...(directory === undefined ? memoryStorage(clock) : await diskStorage()),
    network: makeRealNetwork(onThrown, { unref }),
    compute,
    threads: makeThreads(threadFile),
  };
}

type Storage = Pick<Env, 'files' | 'processes'>;

function memoryStorage(clock: Pick<Env, 'timer' | 'wallMs'>): Storage {
  const disk = new MemoryDisk({ clock });
  const files = disk.mount();
  return { files, processes: memoryProcessFacts(disk, files) };
}

/** Only those who keep data on the disk pay for loading node:fs in full: 5 ms. */
async function diskStorage(): Promise<Storage> {
  const { makeRealFiles, makeRealProcessFacts } = await import('./disk-storage.ts');
  return { files: makeRealFiles(), processes: makeRealProcessFacts() };
}
