// Who leads a partition now, told beside the error that turns a client away (KIP-951): it goes there at once, and need not
// ask for metadata before.
import { kafkaErrors } from '../protocol/errors.ts';
import type { TopicImage } from '../broker/image/metadata-image.ts';
import type { RequestContext } from './handler.ts';
import { findLiveNode, type NodeAnswer } from './nodes.ts';

interface CurrentLeader {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

const UNKNOWN: CurrentLeader = { leaderId: -1, leaderEpoch: -1 };

/** The errors that mean: another broker leads, or this one in another epoch. */
export const isOfLeadership = (errorCode: number): boolean =>
  errorCode === kafkaErrors.NOT_LEADER_OR_FOLLOWER[0] || errorCode === kafkaErrors.FENCED_LEADER_EPOCH[0];

/** Collects, over one answer, the leaders it names and where they are found through the listener by which the client came. */
export class CurrentLeaders {
  readonly #context: RequestContext;
  readonly #nodes = new Map<number, NodeAnswer>();

  constructor(context: RequestContext) {
    this.#context = context;
  }

  of(topic: TopicImage | undefined, index: number): CurrentLeader {
    const partition = topic?.partitions[index];
    if (partition === undefined) return UNKNOWN;
    const node = findLiveNode(partition.leader, this.#context);
    if (node !== undefined) this.#nodes.set(node.nodeId, node);
    return { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch };
  }

  get nodeEndpoints(): { nodeId: number; host: string; port: number; rack: string | null }[] {
    return Array.from(this.#nodes.values(), ({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }));
  }
}
