// What the APIs about settings share: which resources have settings, and who may see or change them.
import { resourceTypes } from '../broker/image/metadata-image.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { RequestContext } from './handler.ts';
import { CLUSTER_NAME } from './permission.ts';

export interface NamedResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

const known: ReadonlySet<number> = new Set(Object.values(resourceTypes));

export const isResourceType = (resourceType: number): boolean => known.has(resourceType);

/** @throws KafkaError INVALID_REQUEST for the request as a whole */
export function checkResourceTypes(resources: readonly NamedResource[]): void {
  for (const { resourceType, resourceName } of resources)
    if (!isResourceType(resourceType))
      throw new KafkaError('INVALID_REQUEST', `Unexpected resource type ${resourceType} for resource ${resourceName}`);
}

/** Settings of brokers and of client metrics are the cluster's. @throws KafkaError */
export function authorizeConfigs(
  operation: 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS',
  { resourceType, resourceName }: NamedResource,
  context: RequestContext,
): void {
  if (resourceType === resourceTypes.topic) context.authorize(operation, 'TOPIC', resourceName);
  else if (resourceType === resourceTypes.group) context.authorize(operation, 'GROUP', resourceName);
  else context.authorize(operation, 'CLUSTER', CLUSTER_NAME);
}

/** Resources that stand more than once, as `type name`; each may be changed once in a request. */
export function resourcesNamedTwice(resources: readonly NamedResource[]): ReadonlySet<string> {
  const once = new Set<string>();
  const twice = new Set<string>();
  for (const resource of resources) (once.has(keyOf(resource)) ? twice : once).add(keyOf(resource));
  return twice;
}

export const keyOf = ({ resourceType, resourceName }: NamedResource): string => `${resourceType} ${resourceName}`;
