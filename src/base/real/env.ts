// The environment a broker runs in outside of tests: this machine's clocks, disk and sockets.
// Puts the pieces together; each can also be made alone and mixed with one from memory/.
import type { Compute, Env, Threads } from '../env.ts';
import { makeRealClock, type OnThrown } from './clock.ts';
import { makeRealFiles } from './files.ts';
import { memoryLimitBytes } from './memory-limit.ts';
import { makeRealNetwork } from './network.ts';
import { makeRealProcessFacts } from './process-facts.ts';

export interface RealEnvOptions {
  compute: Compute;
  /**
   * Receives what a timer, deferred work or a socket's callback throws, an InvariantError above all: an embedded broker
   * fails then, and its host lives on. Left out, it becomes an uncaught exception.
   */
  onThrown?: OnThrown;
  /** Left out: everything runs in turns of this thread. */
  threads?: Threads;
}

export function makeRealEnv({ compute, onThrown, threads }: RealEnvOptions): Env {
  return {
    ...makeRealClock(onThrown),
    memoryLimitBytes: memoryLimitBytes(),
    files: makeRealFiles(),
    network: makeRealNetwork(onThrown),
    compute,
    processes: makeRealProcessFacts(),
    ...(threads !== undefined && { threads }),
  };
}
