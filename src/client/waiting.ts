// Waiting and trying again, on the clock of the environment.
import { KafkaError, kafkaErrors } from '../protocol/errors.ts';
import type { ClientEnv } from './broker-link.ts';
import { UnreachableError } from './client-errors.ts';
import { ConnectionClosedError } from './connection.ts';

export function pause(env: Pick<ClientEnv, 'timer'>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    env.timer(ms, resolve);
  });
}

/** True when the same request may succeed a little later, perhaps at another broker. */
export function isRetriable(thrown: unknown): boolean {
  if (thrown instanceof KafkaError) return kafkaErrors[thrown.errorName][1];
  return thrown instanceof ConnectionClosedError || (thrown instanceof UnreachableError && thrown.onceReached);
}

const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 1000;

/** How long to wait before attempt number `failed` + 1; grows, and differs between clients that failed together. */
export function backoffMs(env: Pick<ClientEnv, 'random'>, failed: number): number {
  return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failed - 1)) * (0.8 + 0.4 * env.random());
}

export interface RetryOptions {
  /** No attempt begins after so long. */
  readonly withinMs: number;
  readonly mayRetry?: (thrown: unknown) => boolean;
  /** Before each attempt but the first: look at the metadata again, say. */
  readonly beforeRetry?: (thrown: unknown) => Promise<void>;
}

/** Repeats what fails for a passing reason, until it succeeds or time is up; then throws what the last attempt threw. */
export async function retrying<T>(env: ClientEnv, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { withinMs, mayRetry = isRetriable, beforeRetry } = options;
  const endMs = env.monotonicMs() + withinMs;
  for (let failed = 1; ; failed += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      const waitMs = backoffMs(env, failed);
      if (!mayRetry(thrown) || env.monotonicMs() + waitMs >= endMs) throw thrown;
      await pause(env, waitMs);
      await beforeRetry?.(thrown);
    }
  }
}
