// What it is to be in a group, whichever the protocol: to come in and be given partitions, to say that one is alive and hear
// when that share is over, to commit, and to leave. Kept by classic-membership.ts and consumer-membership.ts.
import { KafkaError } from '../protocol/errors.ts';
import { UnsupportedApiError } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import type { Committer } from './committed-offsets.ts';
import type { TopicPartition } from './list-offsets.ts';
import { backoffMs, isRetriable, pause } from './waiting.ts';

export interface MembershipOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** A static member (KIP-345): what it had is kept for it while it is away for a while. */
  readonly instanceId?: string;
  readonly sessionTimeoutMs: number;
  /** How long the others wait for it when the group rebalances. */
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

export interface Membership {
  readonly heartbeatIntervalMs: number;
  /** As whom offsets are committed; undefined before it has joined, and once it is out. */
  readonly committer: Committer | undefined;
  /** Comes in, or in again; resolves with its share. @throws KafkaError that will not pass, and what a link throws */
  join(): Promise<readonly TopicPartition[]>;
  /** False: there may be more to come for it, which others have not let go of yet. @throws as `join` does */
  isSettled(): Promise<boolean>;
  /** True: the share is as it was. False: it is over, and `join` gives the next one. @throws as `join` does */
  heartbeat(): Promise<boolean>;
  /** Tells the group, so that nobody waits for the session to time out. Never rejects. */
  leave(): Promise<void>;
}

/** Repeats what fails for a passing reason; a member has no deadline as long as somebody answers now and then. */
export async function persisting<T>({ env, timeoutMs }: Cluster, attempt: () => Promise<T>): Promise<T> {
  const startMs = env.monotonicMs();
  for (let failed = 1; ; failed += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      const passes = isRetriable(thrown) || (thrown instanceof KafkaError && thrown.errorName === 'BROKER_NOT_AVAILABLE');
      if (!passes || thrown instanceof UnsupportedApiError || env.monotonicMs() - startMs > timeoutMs) throw thrown;
      await pause(env, backoffMs(env, failed));
    }
  }
}
