// ListPartitionReassignments (API 46): the partitions that are on their way to other brokers (KIP-455). Nothing moves here, so
// there are none; Kafka's own tools ask before they describe a topic.
import { NONE } from '../protocol/errors.ts';
import type {
  listPartitionReassignmentsResponse,
  ListPartitionReassignmentsRequest,
} from '../protocol/messages/list-partition-reassignments.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { CLUSTER_NAME } from './permission.ts';

type ListPartitionReassignmentsResponseData = Encodable<typeof listPartitionReassignmentsResponse>;

export function handleListPartitionReassignments(
  _request: ListPartitionReassignmentsRequest,
  context: RequestContext,
): ListPartitionReassignmentsResponseData {
  context.authorize('DESCRIBE', 'CLUSTER', CLUSTER_NAME);
  return { throttleTimeMs: 0, errorCode: NONE, errorMessage: null, topics: [] };
}

export const listPartitionReassignmentsFailure = (
  errorCode: number,
  _request: ListPartitionReassignmentsRequest,
  errorMessage: string | null,
): ListPartitionReassignmentsResponseData => ({ throttleTimeMs: 0, errorCode, errorMessage, topics: [] });
