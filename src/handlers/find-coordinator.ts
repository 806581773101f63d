// FindCoordinator (API 10): which broker keeps a group or a transactional id. None does until coordinators are built:
// the answer is the retriable error that a cluster gives whose coordinators are not up.
import { KafkaError, errorCodeOf } from '../protocol/errors.ts';
import type { findCoordinatorResponse, FindCoordinatorRequest } from '../protocol/messages/find-coordinator.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type FindCoordinatorResponseData = Encodable<typeof findCoordinatorResponse>;

export function handleFindCoordinator(request: FindCoordinatorRequest, context: RequestContext): FindCoordinatorResponseData {
  const refusal = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'this broker keeps no groups and no transactions yet');
  const answer = { errorCode: errorCodeOf(refusal, context.log), errorMessage: refusal.message, nodeId: -1, host: '', port: -1 };
  return { throttleTimeMs: 0, ...answer, coordinators: request.coordinatorKeys.map((key) => ({ key, ...answer })) };
}
