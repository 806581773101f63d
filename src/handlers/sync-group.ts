// SyncGroup (API 14): the leader of a classic group hands out the work, every other member waits for its share. Nobody hears
// of an assignment before it is durable.
import { check } from '../protocol/errors.ts';
import type { syncGroupResponse, SyncGroupRequest } from '../protocol/messages/sync-group.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type SyncGroupResponseData = Encodable<typeof syncGroupResponse>;

const FIRST_VERSION_WITH_PROTOCOL = 5; // KIP-559

export async function handleSyncGroup(request: SyncGroupRequest, context: RequestContext): Promise<SyncGroupResponseData> {
  const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
  const tells = protocolType !== null && protocolName !== null;
  check(context.apiVersion < FIRST_VERSION_WITH_PROTOCOL || tells, 'INCONSISTENT_GROUP_PROTOCOL');
  context.authorize('READ', 'GROUP', groupId);
  // Copied: an assignment outlives the frame it came in.
  const assignments = new Map(request.assignments.map((one) => [one.memberId, Buffer.from(one.assignment)]));
  const response = await context.broker.groups.sync({
    groupId,
    memberId,
    groupInstanceId,
    generationId,
    protocolType,
    protocolName,
    assignments,
  });
  return { throttleTimeMs: 0, ...response };
}

const NO_ASSIGNMENT = Buffer.alloc(0);

export const syncGroupFailure = (errorCode: number): SyncGroupResponseData => ({
  throttleTimeMs: 0,
  errorCode,
  protocolType: null,
  protocolName: null,
  assignment: NO_ASSIGNMENT,
});
