// ListGroups (API 16): all groups this broker coordinates, of any type, perhaps of some states (KIP-518) and types (KIP-848)
// alone. What the client may not see is left out.
import { NONE } from '../protocol/errors.ts';
import type { listGroupsResponse, ListGroupsRequest } from '../protocol/messages/list-groups.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { allows, CLUSTER_NAME } from './permission.ts';

type ListGroupsResponseData = Encodable<typeof listGroupsResponse>;

export async function handleListGroups(request: ListGroupsRequest, context: RequestContext): Promise<ListGroupsResponseData> {
  const seesAll = allows(context, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME);
  const groups = await context.broker.groups.list({ states: named(request.statesFilter), types: named(request.typesFilter) });
  return {
    throttleTimeMs: 0,
    errorCode: NONE,
    groups: seesAll ? groups : groups.filter(({ groupId }) => allows(context, 'DESCRIBE', 'GROUP', groupId)),
  };
}

/** In any case, as Kafka takes them. */
const named = (filter: readonly string[]): ReadonlySet<string> => new Set(filter.map((name) => name.trim().toLowerCase()));

export const listGroupsFailure = (errorCode: number): ListGroupsResponseData => ({ throttleTimeMs: 0, errorCode, groups: [] });
