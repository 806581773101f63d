// FindCoordinator (API 10): which broker keeps a group. One key up to version 3, a list from version 4 on (KIP-699).
// Transactional ids and share groups have no coordinator here yet, and are refused plainly.
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { findCoordinatorResponse, FindCoordinatorRequest } from '../protocol/messages/find-coordinator.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { findLiveNode } from './nodes.ts';
import { mapInTurns } from './turns.ts';

type FindCoordinatorResponseData = Encodable<typeof findCoordinatorResponse>;
type CoordinatorAnswer = Omit<FindCoordinatorResponseData['coordinators'][number], 'key'>;

const keyTypes = { group: 0, transaction: 1, share: 2 } as const;
/** In steps of a turn. */
const STEPS_PER_KEY = 4;
const FIRST_VERSION_WITH_LIST = 4;
const FIRST_VERSION_WITH_SHARE = 6;

export async function handleFindCoordinator(
  request: FindCoordinatorRequest,
  context: RequestContext,
): Promise<FindCoordinatorResponseData> {
  if (context.apiVersion < FIRST_VERSION_WITH_LIST)
    return { throttleTimeMs: 0, ...(await findOne(request.key, request.keyType, context)), coordinators: [] };
  const find = async (key: string): Promise<CoordinatorAnswer & { key: string }> => ({
    key,
    ...(await findOne(key, request.keyType, context)),
  });
  const coordinators = await mapInTurns(context.broker.env, request.coordinatorKeys, find, STEPS_PER_KEY);
  return { throttleTimeMs: 0, errorCode: NONE, errorMessage: null, nodeId: 0, host: '', port: 0, coordinators }; // the list alone is sent
}

const nobody = { errorCode: NONE, errorMessage: null, nodeId: -1, host: '', port: -1 };

async function findOne(key: string, keyType: number, context: RequestContext): Promise<CoordinatorAnswer> {
  try {
    const nodeId = await findNode(key, keyType, context);
    const node = nodeId === undefined ? undefined : findLiveNode(nodeId, context);
    if (node === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    return { errorCode: NONE, errorMessage: 'NONE', nodeId: node.nodeId, host: node.host, port: node.port };
  } catch (thrown) {
    return { ...nobody, errorCode: errorCodeOf(thrown, context.log), errorMessage: thrown instanceof KafkaError ? thrown.message : null };
  }
}

async function findNode(key: string, keyType: number, context: RequestContext): Promise<number | undefined> {
  switch (keyType) {
    case keyTypes.group:
      context.authorize('DESCRIBE', 'GROUP', key);
      return context.broker.groups.findOwner(key);
    case keyTypes.transaction:
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'this broker keeps no transactions yet');
    case keyTypes.share:
      if (context.apiVersion < FIRST_VERSION_WITH_SHARE) throw new KafkaError('INVALID_REQUEST');
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'this broker keeps no share groups yet');
    default:
      throw new KafkaError('INVALID_REQUEST', `there is no coordinator of type ${keyType}`);
  }
}
