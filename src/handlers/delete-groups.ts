// DeleteGroups (API 42): empty groups go, with their committed offsets; each asked for once and with its own outcome.
import { errorCodeOf, NONE } from '../protocol/errors.ts';
import type { deleteGroupsResponse, DeleteGroupsRequest } from '../protocol/messages/delete-groups.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type DeleteGroupsResponseData = Encodable<typeof deleteGroupsResponse>;

export async function handleDeleteGroups(request: DeleteGroupsRequest, context: RequestContext): Promise<DeleteGroupsResponseData> {
  const groupIds = [...new Set(request.groupsNames)];
  return {
    throttleTimeMs: 0,
    results: await Promise.all(groupIds.map(async (groupId) => ({ groupId, errorCode: await deleteOne(groupId, context) }))),
  };
}

async function deleteOne(groupId: string, context: RequestContext): Promise<number> {
  try {
    context.authorize('DELETE', 'GROUP', groupId);
    await context.broker.groups.deleteGroup(groupId);
    return NONE;
  } catch (thrown) {
    return errorCodeOf(thrown, context.log);
  }
}

export const deleteGroupsFailure = (errorCode: number, { groupsNames }: DeleteGroupsRequest): DeleteGroupsResponseData => ({
  throttleTimeMs: 0,
  results: groupsNames.map((groupId) => ({ groupId, errorCode })),
});
