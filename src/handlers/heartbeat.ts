// Heartbeat (API 12): a member of a classic group says that it is alive, and hears whether it has to join again. Answered
// without a promise, and without the disk, as long as nothing has changed.
import type { heartbeatResponse, HeartbeatRequest } from '../protocol/messages/heartbeat.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type HeartbeatResponseData = Encodable<typeof heartbeatResponse>;

export function handleHeartbeat(
  request: HeartbeatRequest,
  context: RequestContext,
): HeartbeatResponseData | Promise<HeartbeatResponseData> {
  context.authorize('READ', 'GROUP', request.groupId);
  const errorCode = context.broker.groups.heartbeat(request);
  return errorCode instanceof Promise ? errorCode.then(heartbeatFailure) : heartbeatFailure(errorCode);
}

export const heartbeatFailure = (errorCode: number): HeartbeatResponseData => ({ throttleTimeMs: 0, errorCode });
