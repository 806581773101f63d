// DeleteGroups (API 42): empty groups go, with their committed offsets; each asked for once and with its own outcome.
import { errorCodeOf, NONE } from '../protocol/errors.ts';
import type { deleteGroupsResponse, DeleteGroupsRequest } from '../protocol/messages/delete-groups.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { mapInTurns } from './turns.ts';

type DeleteGroupsResponseData = Encodable<typeof deleteGroupsResponse>;
type GroupAnswer = DeleteGroupsResponseData['results'][number];

/** In steps of a turn: each asks its coordinator. */
const STEPS_PER_GROUP = 8;

export async function handleDeleteGroups(request: DeleteGroupsRequest, context: RequestContext): Promise<DeleteGroupsResponseData> {
  const groupIds = [...new Set(request.groupsNames)];
  const remove = async (groupId: string): Promise<GroupAnswer> => ({ groupId, errorCode: await deleteOne(groupId, context) });
  return { throttleTimeMs: 0, results: await mapInTurns(context.broker.env, groupIds, remove, STEPS_PER_GROUP) };
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
