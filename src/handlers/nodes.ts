// The brokers as a client is told of them, through the listener by which it came. Metadata, DescribeCluster and
// FindCoordinator read the image through here, also where the answer is always this broker.
import type { BrokerImage } from '../broker/image/metadata-image.ts';
import type { RequestContext } from './handler.ts';

export interface NodeAnswer {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly fenced: boolean;
}

/** What has no listener of that name cannot be reached by this client, and is left out. */
export function nodesOf(context: RequestContext): NodeAnswer[] {
  return [...context.broker.image.brokers.values()].flatMap((broker) => nodeOf(broker, context) ?? []);
}

/** Undefined when there is no such broker, when it is fenced, or when it does not listen where this client could reach it. */
export function findLiveNode(nodeId: number, context: RequestContext): NodeAnswer | undefined {
  const broker = context.broker.image.brokers.get(nodeId);
  return broker === undefined || broker.fenced ? undefined : nodeOf(broker, context);
}

/** Changes of the metadata are taken here: every answer names a controller, and one that lives. */
export const controllerOf = (context: RequestContext): number => context.broker.nodeId;

function nodeOf({ nodeId, rack, fenced, endPoints }: BrokerImage, context: RequestContext): NodeAnswer | undefined {
  const { advertised, listenerName } = context.connection;
  // For itself the broker knows better than its registration: the address by which this very client came, unless one is set.
  if (nodeId === context.broker.nodeId) return { nodeId, host: advertised.host, port: advertised.port, rack, fenced };
  const endPoint = endPoints.get(listenerName);
  return endPoint === undefined ? undefined : { nodeId, ...endPoint, rack, fenced };
}
