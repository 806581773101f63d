// LeaveGroup (API 13): members leave a classic group at once, without waiting for their session to end. One member up to
// version 2, a list from version 3 on, also by instance id (KIP-345).
import { NONE } from '../protocol/errors.ts';
import type { leaveGroupResponse, LeaveGroupRequest } from '../protocol/messages/leave-group.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type LeaveGroupResponseData = Encodable<typeof leaveGroupResponse>;

const FIRST_VERSION_WITH_LIST = 3;

export async function handleLeaveGroup(request: LeaveGroupRequest, context: RequestContext): Promise<LeaveGroupResponseData> {
  const { groupId, memberId } = request;
  context.authorize('READ', 'GROUP', groupId);
  if (context.apiVersion >= FIRST_VERSION_WITH_LIST)
    return { throttleTimeMs: 0, errorCode: NONE, members: await context.broker.groups.leave(groupId, request.members) };
  const [left] = await context.broker.groups.leave(groupId, [{ memberId, groupInstanceId: null }]);
  return leaveGroupFailure(left?.errorCode ?? NONE);
}

export const leaveGroupFailure = (errorCode: number): LeaveGroupResponseData => ({ throttleTimeMs: 0, errorCode, members: [] });
