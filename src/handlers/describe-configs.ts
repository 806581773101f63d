// DescribeConfigs (API 32): the settings of topics, brokers, groups and client metrics, with where each value comes from.
// Asks permission and shapes the answer; which settings there are, and what they follow, stands in src/config.
import type { DescribedConfig } from '../config/describe-configs.ts';
import { errorCodeOf, KafkaError, kafkaErrors, NONE } from '../protocol/errors.ts';
import type { describeConfigsResponse, DescribeConfigsRequest } from '../protocol/messages/describe-configs.ts';
import type { Encodable } from '../protocol/schema.ts';
import { authorizeConfigs, checkResourceTypes } from './config-resources.ts';
import type { RequestContext } from './handler.ts';
import { Turns } from './turns.ts';

type DescribeConfigsResponseData = Encodable<typeof describeConfigsResponse>;
type AskedResource = DescribeConfigsRequest['resources'][number];
type ResourceAnswer = DescribeConfigsResponseData['results'][number];
type ConfigAnswer = ResourceAnswer['configs'][number];

/** Five bytes may ask for 50 KB. All settings of 10,000 topics fit, with documentation those of some 2,500. */
const MOST_ANSWERED_BYTES = 24 * 1024 * 1024;
/** In steps of a turn: a resource has some dozens of settings. */
const STEPS_PER_RESOURCE = 50;

export async function handleDescribeConfigs(
  request: DescribeConfigsRequest,
  context: RequestContext,
): Promise<DescribeConfigsResponseData> {
  checkResourceTypes(request.resources);
  const turns = new Turns(context.broker.env);
  const results: ResourceAnswer[] = [];
  let bytes = 0;
  for (const resource of request.resources) {
    if (turns.isOver(bytes < MOST_ANSWERED_BYTES ? STEPS_PER_RESOURCE : 1)) await turns.next();
    const result = bytes < MOST_ANSWERED_BYTES ? describeResource(resource, request, context) : tooMuch(resource);
    for (const config of result.configs) bytes += roughBytesOf(config);
    results.push(result);
  }
  await turns.last();
  return { throttleTimeMs: 0, results };
}

const roughBytesOf = ({ name, value, documentation, synonyms }: ConfigAnswer): number =>
  20 + name.length + (value?.length ?? 0) + (documentation?.length ?? 0) + synonyms.length * 40;

const tooMuch = ({ resourceType, resourceName }: AskedResource): ResourceAnswer => ({
  errorCode: kafkaErrors.POLICY_VIOLATION[0],
  errorMessage: 'This is too much for one answer: ask for fewer resources at a time.',
  resourceType,
  resourceName,
  configs: [],
});

function describeResource(resource: AskedResource, request: DescribeConfigsRequest, context: RequestContext): ResourceAnswer {
  const { resourceType, resourceName, configurationKeys } = resource;
  const answer = { resourceType, resourceName, errorCode: NONE as number, errorMessage: null, configs: [] };
  try {
    authorizeConfigs('DESCRIBE_CONFIGS', resource, context);
    const configs = context.broker.configs.describe({ type: resourceType, name: resourceName }, configurationKeys);
    if (configs === undefined) return { ...answer, errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION[0] };
    return { ...answer, configs: configs.map((config) => shapeConfig(config, request)) };
  } catch (thrown) {
    const errorCode = errorCodeOf(thrown, context.log);
    return { ...answer, errorCode, errorMessage: thrown instanceof KafkaError ? thrown.message : null };
  }
}

function shapeConfig(config: DescribedConfig, request: DescribeConfigsRequest): ResourceAnswer['configs'][number] {
  return {
    name: config.name,
    value: config.value,
    readOnly: config.readOnly,
    configSource: config.source,
    isSensitive: config.isSensitive,
    synonyms: request.includeSynonyms ? config.synonyms : [],
    configType: config.type,
    documentation: request.includeDocumentation ? config.documentation : null,
  };
}

export const describeConfigsFailure = (
  errorCode: number,
  { resources }: DescribeConfigsRequest,
  errorMessage: string | null,
): DescribeConfigsResponseData => ({
  throttleTimeMs: 0,
  results: resources.map(({ resourceType, resourceName }) => ({ errorCode, errorMessage, resourceType, resourceName, configs: [] })),
});
