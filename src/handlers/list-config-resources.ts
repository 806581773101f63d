// ListConfigResources (API 74): the resources that have settings, by their types (KIP-1142). Version 0 knows one type only,
// the client metrics, and was called ListClientMetricsResources.
import { resourceTypes } from '../broker/image/metadata-image.ts';
import { KafkaError, NONE } from '../protocol/errors.ts';
import type { listConfigResourcesResponse, ListConfigResourcesRequest } from '../protocol/messages/list-config-resources.ts';
import type { Encodable } from '../protocol/schema.ts';
import { isResourceType } from './config-resources.ts';
import type { RequestContext } from './handler.ts';
import { nodesOf } from './nodes.ts';
import { CLUSTER_NAME } from './permission.ts';

type ListConfigResourcesResponseData = Encodable<typeof listConfigResourcesResponse>;

export function handleListConfigResources(request: ListConfigResourcesRequest, context: RequestContext): ListConfigResourcesResponseData {
  context.authorize('DESCRIBE_CONFIGS', 'CLUSTER', CLUSTER_NAME);
  const all: readonly number[] = context.apiVersion === 0 ? [resourceTypes.clientMetrics] : Object.values(resourceTypes);
  const asked = request.resourceTypes.length === 0 ? all : [...new Set(request.resourceTypes)];
  const unknown = asked.find((type) => !isResourceType(type));
  if (unknown !== undefined) throw new KafkaError('UNSUPPORTED_VERSION', `there is no resource type ${unknown}`);
  const configResources = asked.flatMap((resourceType) =>
    namesOf(resourceType, context).map((resourceName) => ({ resourceName, resourceType })),
  );
  return { throttleTimeMs: 0, errorCode: NONE, configResources };
}

function namesOf(resourceType: number, context: RequestContext): readonly string[] {
  const { image } = context.broker;
  switch (resourceType) {
    case resourceTypes.topic:
      return image.topicNames;
    case resourceTypes.broker:
    case resourceTypes.brokerLogger:
      return nodesOf(context).map(({ nodeId }) => String(nodeId));
    default:
      return image.configuredNames(resourceType);
  }
}

export const listConfigResourcesFailure = (errorCode: number): ListConfigResourcesResponseData => ({
  throttleTimeMs: 0,
  errorCode,
  configResources: [],
});
