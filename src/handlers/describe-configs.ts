// DescribeConfigs (API 32): the settings of topics, brokers, groups and client metrics, with where each value comes from.
// Asks permission and shapes the answer; which settings there are, and what they follow, stands in src/config.
import type { DescribedConfig } from '../config/describe-configs.ts';
import { errorCodeOf, KafkaError, kafkaErrors, NONE } from '../protocol/errors.ts';
import type { describeConfigsResponse, DescribeConfigsRequest } from '../protocol/messages/describe-configs.ts';
import type { Encodable } from '../protocol/schema.ts';
import { authorizeConfigs, checkResourceTypes } from './config-resources.ts';
import type { RequestContext } from './handler.ts';

type DescribeConfigsResponseData = Encodable<typeof describeConfigsResponse>;
type AskedResource = DescribeConfigsRequest['resources'][number];
type ResourceAnswer = DescribeConfigsResponseData['results'][number];

export function handleDescribeConfigs(request: DescribeConfigsRequest, context: RequestContext): DescribeConfigsResponseData {
  checkResourceTypes(request.resources);
  return { throttleTimeMs: 0, results: request.resources.map((resource) => describeResource(resource, request, context)) };
}

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
