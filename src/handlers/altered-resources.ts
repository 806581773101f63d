// What IncrementalAlterConfigs and AlterConfigs share: each resource once, checked, permitted, changed, and answered in the
// order asked. They differ in how the changes are written down.
import type { ResourceChange } from '../broker/configs.ts';
import { resourceTypes } from '../broker/image/metadata-image.ts';
import { checkChangesSize } from '../broker/topic-plans.ts';
import { check, errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import { authorizeConfigs, isResourceType, keyOf, resourcesNamedTwice, type NamedResource } from './config-resources.ts';
import type { RequestContext } from './handler.ts';

export interface AskedChange {
  readonly name: string;
  readonly value: string | null;
  /** True where null is no value but says that there is none. */
  readonly removes: boolean;
}

export interface AskedResource extends NamedResource {
  readonly changes: readonly AskedChange[];
  /** @throws KafkaError when the changes cannot be understood */
  readonly to: () => ResourceChange['to'];
}

export interface ResourceOutcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

export async function alterResources(
  resources: readonly AskedResource[],
  options: { validateOnly: boolean; loggersHaveConfigs: boolean },
  context: RequestContext,
): Promise<ResourceOutcome[]> {
  checkChangesSize(resources.reduce((sum, { changes }) => sum + 1 + changes.length, 0));
  const twice = resourcesNamedTwice(resources);
  const refusals = new Map<AskedResource, unknown>();
  const wanted: { resource: AskedResource; change: ResourceChange }[] = [];
  for (const resource of resources) {
    try {
      check(!twice.has(keyOf(resource)), 'INVALID_REQUEST', 'Each resource must appear at most once.');
      checkChanges(resource);
      check(
        isResourceType(resource.resourceType) && (options.loggersHaveConfigs || resource.resourceType !== resourceTypes.brokerLogger),
        'INVALID_REQUEST',
        `Unknown resource type ${resource.resourceType}`,
      );
      authorizeConfigs('ALTER_CONFIGS', resource, context);
      if (resource.resourceType === resourceTypes.brokerLogger) refuseLoggers(resource, context);
      else wanted.push({ resource, change: { type: resource.resourceType, name: resource.resourceName, to: resource.to() } });
    } catch (thrown) {
      refusals.set(resource, thrown);
    }
  }
  const outcomes = await context.broker.configs.alter(
    wanted.map(({ change }) => change),
    { validateOnly: options.validateOnly },
  );
  for (const [at, { resource }] of wanted.entries()) refusals.set(resource, outcomes[at]);
  return resources.map((resource) => shapeOutcome(resource, refusals.get(resource), context));
}

function checkChanges({ changes }: AskedResource): void {
  const names = new Set(changes.map(({ name }) => name));
  check(names.size === changes.length, 'INVALID_REQUEST', 'Error due to duplicate config keys');
  const nulls = changes.filter(({ value, removes }) => value === null && !removes).map(({ name }) => name);
  check(nulls.length === 0, 'INVALID_REQUEST', `Null value not supported for : ${nulls.join(', ')}`);
}

/** There are no loggers with levels of their own here: log.level is one setting for all that is said. */
function refuseLoggers({ resourceName, changes }: AskedResource, { broker }: RequestContext): void {
  check(/^[+-]?\d+$/.test(resourceName), 'INVALID_REQUEST', `Node id must be an integer, but it is: ${resourceName}`);
  check(
    Number(resourceName) === broker.nodeId,
    'INVALID_REQUEST',
    `Unexpected node id. Expected ${broker.nodeId}, but received ${resourceName}`,
  );
  for (const { name } of changes) throw new KafkaError('INVALID_CONFIG', `Logger ${name} does not exist!`);
}

function shapeOutcome({ resourceType, resourceName }: AskedResource, refusal: unknown, context: RequestContext): ResourceOutcome {
  return {
    errorCode: refusal === undefined ? NONE : errorCodeOf(refusal, context.log),
    errorMessage: refusal instanceof KafkaError ? refusal.message : null,
    resourceType,
    resourceName,
  };
}

/** All resources of a request that failed as a whole. */
export const failedResources = (errorCode: number, resources: readonly NamedResource[], errorMessage: string | null): ResourceOutcome[] =>
  resources.map(({ resourceType, resourceName }) => ({ errorCode, errorMessage, resourceType, resourceName }));
