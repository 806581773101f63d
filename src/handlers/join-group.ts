// JoinGroup (API 11): a member enters a classic group, or takes part in its next round. The answer is held back until the
// round is over; the group coordinator decides when that is.
import type { joinGroupResponse, JoinGroupRequest } from '../protocol/messages/join-group.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';

type JoinGroupResponseData = Encodable<typeof joinGroupResponse>;

const FIRST_VERSION_WITH_REBALANCE_TIMEOUT = 1; // KIP-62
const FIRST_VERSION_WITH_KNOWN_MEMBER_ID = 4; // KIP-394
const FIRST_VERSION_WITH_NULL_PROTOCOL = 7; // KIP-559
const FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT = 9; // KIP-814

export async function handleJoinGroup(request: JoinGroupRequest, context: RequestContext): Promise<JoinGroupResponseData> {
  const { apiVersion, broker, connection } = context;
  context.authorize('READ', 'GROUP', request.groupId);
  const { memberId, groupId, groupInstanceId, protocolType, sessionTimeoutMs } = request;
  const response = await broker.groups.join({
    groupId,
    memberId,
    groupInstanceId,
    clientId: context.clientId ?? '',
    clientHost: `/${connection.remoteAddress}`,
    sessionTimeoutMs,
    rebalanceTimeoutMs: apiVersion >= FIRST_VERSION_WITH_REBALANCE_TIMEOUT ? request.rebalanceTimeoutMs : sessionTimeoutMs,
    protocolType,
    protocols: protocolsOf(request),
    requiresKnownMemberId: apiVersion >= FIRST_VERSION_WITH_KNOWN_MEMBER_ID,
    supportsSkippingAssignment: apiVersion >= FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT,
  });
  return { throttleTimeMs: 0, ...response, protocolName: nameFor(response.protocolName, apiVersion) };
}

/** Copied: a member's metadata outlives the frame it came in. */
function protocolsOf({ protocols }: JoinGroupRequest): { name: string; metadata: Buffer }[] {
  const byName = new Map<string, Buffer>();
  for (const { name, metadata } of protocols) if (!byName.has(name)) byName.set(name, Buffer.from(metadata));
  return [...byName].map(([name, metadata]) => ({ name, metadata }));
}

const nameFor = (protocolName: string | null, apiVersion: number): string | null =>
  protocolName === null && apiVersion < FIRST_VERSION_WITH_NULL_PROTOCOL ? '' : protocolName;

export const joinGroupFailure = (errorCode: number, { memberId }: JoinGroupRequest): JoinGroupResponseData => ({
  throttleTimeMs: 0,
  errorCode,
  generationId: -1,
  protocolType: null,
  protocolName: '',
  leader: '',
  memberId,
  members: [],
});
