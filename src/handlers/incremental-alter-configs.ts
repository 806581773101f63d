// IncrementalAlterConfigs (API 44): sets, deletes, adds to and takes from single settings of topics, brokers, groups and
// client metrics (KIP-339). What may be set is decided by src/config.
import type { ConfigChange, ConfigOperation } from '../broker/config-changes.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { incrementalAlterConfigsResponse, IncrementalAlterConfigsRequest } from '../protocol/messages/incremental-alter-configs.ts';
import type { Encodable } from '../protocol/schema.ts';
import { alterResources, failedResources } from './altered-resources.ts';
import type { RequestContext } from './handler.ts';

type IncrementalAlterConfigsResponseData = Encodable<typeof incrementalAlterConfigsResponse>;
type AskedConfig = IncrementalAlterConfigsRequest['resources'][number]['configs'][number];

/** AlterConfigOp.OpType of Kafka. */
const operations: readonly (ConfigOperation | undefined)[] = ['set', 'delete', 'append', 'subtract'];

export async function handleIncrementalAlterConfigs(
  request: IncrementalAlterConfigsRequest,
  context: RequestContext,
): Promise<IncrementalAlterConfigsResponseData> {
  const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    changes: configs.map(({ name, value, configOperation }) => ({ name, value, removes: operations[configOperation] === 'delete' })),
    to: () => configs.map(changeOf),
  }));
  const { validateOnly } = request;
  return { throttleTimeMs: 0, responses: await alterResources(resources, { validateOnly, loggersHaveConfigs: true }, context) };
}

function changeOf({ name, value, configOperation }: AskedConfig): ConfigChange {
  const operation = operations[configOperation];
  if (operation === undefined) throw new KafkaError('INVALID_REQUEST', `Unknown operations type ${configOperation}`);
  return { name, operation, value };
}

export const incrementalAlterConfigsFailure = (
  errorCode: number,
  { resources }: IncrementalAlterConfigsRequest,
  errorMessage: string | null,
): IncrementalAlterConfigsResponseData => ({ throttleTimeMs: 0, responses: failedResources(errorCode, resources, errorMessage) });
