// What Metadata and DescribeTopicPartitions say of a partition: its leader, its replicas, and which of them are away.
import type { PartitionImage } from '../broker/image/metadata-image.ts';
import type { RequestContext } from './handler.ts';
import { findLiveNode } from './nodes.ts';

export interface PartitionState {
  /** -1 when the leader is not there, or cannot be reached by this client. */
  readonly leaderId: number;
  readonly leaderIsKnown: boolean;
  readonly offlineReplicas: readonly number[];
}

const NO_LEADER = -1;
const NONE_OFFLINE: readonly number[] = [];

/** Answers for many partitions of one request: which brokers live is looked up once for each. */
export class PartitionStates {
  readonly #context: RequestContext;
  readonly #live = new Map<number, boolean>();

  constructor(context: RequestContext) {
    this.#context = context;
  }

  isLive(nodeId: number): boolean {
    let live = this.#live.get(nodeId);
    if (live === undefined) this.#live.set(nodeId, (live = findLiveNode(nodeId, this.#context) !== undefined));
    return live;
  }

  of({ leader, replicas }: PartitionImage): PartitionState {
    const leaderId = leader >= 0 && this.isLive(leader) ? leader : NO_LEADER;
    const allLive = replicas.every((nodeId) => this.isLive(nodeId));
    return {
      leaderId,
      leaderIsKnown: this.#context.broker.image.brokers.has(leader),
      offlineReplicas: allLive ? NONE_OFFLINE : replicas.filter((nodeId) => !this.isLive(nodeId)),
    };
  }
}
