// DescribeGroups (API 15): the state and the members of classic groups. One that is not there is in state Dead, and from
// version 6 on also an error (KIP-1043).
import { OPERATIONS_NOT_ASKED } from '../broker/security/operations.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { describeGroupsResponse, DescribeGroupsRequest } from '../protocol/messages/describe-groups.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { authorizedOperations } from './permission.ts';
import { mapInTurns } from './turns.ts';

type DescribeGroupsResponseData = Encodable<typeof describeGroupsResponse>;
type GroupAnswer = DescribeGroupsResponseData['groups'][number];

const FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND = 6;
const DEAD = 'Dead';
/** In steps of a turn: each asks its coordinator. */
const STEPS_PER_GROUP = 8;

export async function handleDescribeGroups(request: DescribeGroupsRequest, context: RequestContext): Promise<DescribeGroupsResponseData> {
  const { groups, includeAuthorizedOperations } = request;
  return {
    throttleTimeMs: 0,
    groups: await mapInTurns(
      context.broker.env,
      groups,
      (groupId) => describeOne(groupId, includeAuthorizedOperations, context),
      STEPS_PER_GROUP,
    ),
  };
}

async function describeOne(groupId: string, withOperations: boolean, context: RequestContext): Promise<GroupAnswer> {
  try {
    context.authorize('DESCRIBE', 'GROUP', groupId);
    return { ...shaped(groupId, withOperations, context), ...(await context.broker.groups.describe(groupId)) };
  } catch (thrown) {
    if (!(thrown instanceof KafkaError) || thrown.errorName !== 'GROUP_ID_NOT_FOUND') return failed(groupId, thrown, context);
    if (context.apiVersion >= FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND) return { ...failed(groupId, thrown, context), groupState: DEAD };
    return { ...shaped(groupId, withOperations, context), groupState: DEAD };
  }
}

const failed = (groupId: string, thrown: unknown, context: RequestContext): GroupAnswer => ({
  ...shaped(groupId, false, context),
  errorCode: errorCodeOf(thrown, context.log),
  errorMessage: thrown instanceof KafkaError && context.apiVersion >= FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND ? thrown.message : null,
});

const shaped = (groupId: string, withOperations: boolean, context: RequestContext): GroupAnswer => ({
  errorCode: NONE,
  groupId,
  groupState: '',
  protocolType: '',
  protocolData: '',
  members: [],
  authorizedOperations: withOperations ? authorizedOperations(context, 'GROUP', groupId) : OPERATIONS_NOT_ASKED,
});

export const describeGroupsFailure = (errorCode: number, { groups }: DescribeGroupsRequest): DescribeGroupsResponseData => ({
  throttleTimeMs: 0,
  groups: groups.map((groupId) => ({ errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] })),
});
