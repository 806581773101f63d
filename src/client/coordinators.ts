// Which broker keeps a group, and requests that have to go there: one for all groups of a broker, asked again where the
// coordinator has moved, or is still reading its log. Every group has its own outcome.
import { KafkaError, NONE } from '../protocol/errors.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { kafkaErrorOf, type BrokerLink } from './broker-link.ts';
import type { Cluster, LinkUse } from './cluster.ts';
import { isRetriable, retrying } from './waiting.ts';

const findCoordinator = { request: findCoordinatorRequest, response: findCoordinatorResponse };
const GROUP = 0;
/** From here on one request asks for many (KIP-699). */
const FIRST_VERSION_WITH_LIST = 4;

/** Outcomes by group id. */
export type ByGroup<Reply> = Map<string, Reply | KafkaError>;

/** Node ids of coordinators. @throws what a link throws */
export async function findCoordinators(cluster: Cluster, groupIds: readonly string[]): Promise<ByGroup<number>> {
  const link = await cluster.any();
  const found: ByGroup<number> = new Map();
  const note = (groupId: string, told: { errorCode: number; errorMessage: string | null; nodeId: number }): void => {
    found.set(groupId, told.errorCode === NONE ? told.nodeId : kafkaErrorOf(told.errorCode, told.errorMessage));
  };
  if (link.versionOf(findCoordinator) >= FIRST_VERSION_WITH_LIST) {
    const { coordinators } = await link.request(findCoordinator, { key: '', keyType: GROUP, coordinatorKeys: groupIds });
    for (const told of coordinators) note(told.key, told);
    return found;
  }
  for (const groupId of groupIds) note(groupId, await link.request(findCoordinator, { key: groupId, keyType: GROUP, coordinatorKeys: [] }));
  return found;
}

/** A link to the broker that keeps the group. @throws KafkaError COORDINATOR_NOT_AVAILABLE and what a link throws */
export async function linkToCoordinator(cluster: Cluster, groupId: string, use?: LinkUse): Promise<BrokerLink> {
  const found = (await findCoordinators(cluster, [groupId])).get(groupId);
  if (found instanceof KafkaError) throw found;
  if (found === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
  return linkTo(cluster, found, use);
}

/** A coordinator may be a broker that came after the metadata was asked for. */
async function linkTo(cluster: Cluster, nodeId: number, use?: LinkUse): Promise<BrokerLink> {
  if (!cluster.knows(nodeId)) await cluster.metadata([]);
  return cluster.link(nodeId, use);
}

/**
 * Lets `ask` ask every coordinator for its groups until each group has an outcome that is not a passing one, or time is up.
 * @throws UnsupportedApiError, and what a link throws once repeating does not help
 */
export async function askCoordinators<Reply>(
  cluster: Cluster,
  groupIds: readonly string[],
  ask: (link: BrokerLink, groupIds: readonly string[], nodeId: number) => Promise<ByGroup<Reply>>,
): Promise<ByGroup<Reply>> {
  const outcomes: ByGroup<Reply> = new Map();
  let left = [...new Set(groupIds)];
  const attempt = async (): Promise<void> => {
    const coordinators = left.length === 0 ? new Map<string, number | KafkaError>() : await findCoordinators(cluster, left);
    const byNode = Map.groupBy(left, (groupId) => coordinators.get(groupId));
    await Promise.all(
      [...byNode].map(async ([nodeId, asked]) => {
        const told = typeof nodeId === 'number' ? await ask(await linkTo(cluster, nodeId), asked, nodeId) : new Map<string, KafkaError>();
        const missing = nodeId instanceof KafkaError ? nodeId : new KafkaError('COORDINATOR_NOT_AVAILABLE');
        for (const groupId of asked) outcomes.set(groupId, told.get(groupId) ?? missing);
      }),
    );
    left = left.filter((groupId) => isRetriable(outcomes.get(groupId)));
    const [passing] = left;
    if (passing !== undefined) throw outcomes.get(passing) as KafkaError;
  };
  try {
    await retrying(cluster.env, { withinMs: cluster.timeoutMs }, attempt);
  } catch (thrown) {
    // Each of those that are left knows for itself why.
    if (!(thrown instanceof KafkaError) || left.some((groupId) => !outcomes.has(groupId))) throw thrown;
  }
  return new Map(groupIds.map((groupId) => [groupId, outcomes.get(groupId) ?? new KafkaError('COORDINATOR_NOT_AVAILABLE')]));
}
