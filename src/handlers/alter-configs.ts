// AlterConfigs (API 33): gives topics, brokers, groups and client metrics exactly these settings; what is not named loses its
// own value. IncrementalAlterConfigs has taken its place, older clients still send it.
import type { alterConfigsResponse, AlterConfigsRequest } from '../protocol/messages/alter-configs.ts';
import type { Encodable } from '../protocol/schema.ts';
import { alterResources, failedResources } from './altered-resources.ts';
import type { RequestContext } from './handler.ts';

type AlterConfigsResponseData = Encodable<typeof alterConfigsResponse>;

export async function handleAlterConfigs(request: AlterConfigsRequest, context: RequestContext): Promise<AlterConfigsResponseData> {
  const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    changes: configs.map(({ name, value }) => ({ name, value, removes: false })),
    to: () => new Map(configs.map(({ name, value }) => [name, value ?? ''])),
  }));
  const { validateOnly } = request;
  return { throttleTimeMs: 0, responses: await alterResources(resources, { validateOnly, loggersHaveConfigs: false }, context) };
}

export const alterConfigsFailure = (
  errorCode: number,
  { resources }: AlterConfigsRequest,
  errorMessage: string | null,
): AlterConfigsResponseData => ({ throttleTimeMs: 0, responses: failedResources(errorCode, resources, errorMessage) });
