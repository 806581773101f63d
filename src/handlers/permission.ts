// Whether a client may do something, as a question: for answers that leave out what it may not see, or list what it may do.
import { operationBits, supportedOperations, type OperatedResource } from '../broker/security/operations.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { RequestContext } from './handler.ts';

/** As `context.authorize`, which throws. */
export function allows(context: RequestContext, operation: string, resourceType: string, resourceName: string): boolean {
  try {
    context.authorize(operation, resourceType, resourceName);
    return true;
  } catch (thrown) {
    if (thrown instanceof KafkaError) return false;
    throw thrown;
  }
}

/** The one resource of the type CLUSTER (Resource.CLUSTER_NAME). */
export const CLUSTER_NAME = 'kafka-cluster';

/** What the client may do with the resource, as bits (KIP-430). */
export function authorizedOperations(context: RequestContext, resourceType: OperatedResource, resourceName: string): number {
  return operationBits(supportedOperations[resourceType].filter((operation) => allows(context, operation, resourceType, resourceName)));
}
