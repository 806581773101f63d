// DescribeCluster (API 60): the cluster's id, its brokers, its controller, and what the client may do to it (KIP-700).
import { OPERATIONS_NOT_ASKED } from '../broker/security/operations.ts';
import { KafkaError, NONE } from '../protocol/errors.ts';
import type { describeClusterResponse, DescribeClusterRequest } from '../protocol/messages/describe-cluster.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { controllerOf, nodesOf } from './nodes.ts';
import { allows, authorizedOperations, CLUSTER_NAME } from './permission.ts';

type DescribeClusterResponseData = Encodable<typeof describeClusterResponse>;

/** KIP-919: whom the client means to ask. */
const endpointTypes: Readonly<Record<number, string>> = { 1: 'BROKER', 2: 'CONTROLLER' };
const BROKER_ENDPOINT = 1;

export function handleDescribeCluster(request: DescribeClusterRequest, context: RequestContext): DescribeClusterResponseData {
  checkEndpointType(request.endpointType);
  return {
    throttleTimeMs: 0,
    errorCode: NONE,
    endpointType: BROKER_ENDPOINT,
    clusterId: context.broker.clusterId,
    controllerId: controllerOf(context),
    brokers: nodesOf(context)
      .filter(({ fenced }) => request.includeFencedBrokers || !fenced)
      .map(({ nodeId, host, port, rack, fenced }) => ({ brokerId: nodeId, host, port, rack, isFenced: fenced })),
    clusterAuthorizedOperations: clusterOperations(request, context),
  };
}

/** Version 0 has no such field and means brokers. */
function checkEndpointType(endpointType: number): void {
  const asked = endpointTypes[endpointType];
  if (asked === undefined) throw new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `Unsupported endpoint type ${endpointType}`);
  if (endpointType !== BROKER_ENDPOINT)
    throw new KafkaError(
      'MISMATCHED_ENDPOINT_TYPE',
      `The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type ${asked}`,
    );
}

function clusterOperations({ includeClusterAuthorizedOperations }: DescribeClusterRequest, context: RequestContext): number {
  if (!includeClusterAuthorizedOperations) return OPERATIONS_NOT_ASKED;
  return allows(context, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME) ? authorizedOperations(context, 'CLUSTER', CLUSTER_NAME) : 0;
}

export const describeClusterFailure = (
  errorCode: number,
  _request: DescribeClusterRequest,
  errorMessage: string | null,
): DescribeClusterResponseData => ({ throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', brokers: [] });
