// What changes of settings come to: the settings that a resource has now, and the changes asked for, give those that it would
// have, or the reason why not, in the order and words of Kafka 4.2 (ConfigAdminManager, ConfigurationControlManager).
// Pure; configs.ts makes the outcome durable.
import { brokerConfigs, checkDynamicBrokerConfigs, type ConfigTexts } from '../config/broker-configs.ts';
import { rowOf, type Table } from '../config/config-table.ts';
import { checkClientMetricsConfigs, checkGroupConfigs } from '../config/group-configs.ts';
import { checkTopicConfigs, topicConfigs } from '../config/topic-configs.ts';
import { check, KafkaError } from '../protocol/errors.ts';
import { checkTopicName } from '../storage/log/log-names.ts';
import { ALL_BROKERS, type BrokerSettings } from './broker-settings.ts';
import { resourceTypes, type MetadataImage } from './image/metadata-image.ts';
import { checkConfigLength, inKafkaWords } from './topic-plans.ts';

export interface ConfigResource {
  /** One of `resourceTypes`. */
  readonly type: number;
  readonly name: string;
}

export type ConfigOperation = 'set' | 'delete' | 'append' | 'subtract';

export interface ConfigChange {
  readonly name: string;
  readonly operation: ConfigOperation;
  /** Null only for `delete`. */
  readonly value: string | null;
}

/** Only these have lists that can be added to. */
const listTables: Readonly<Record<number, Table>> = {
  [resourceTypes.topic]: topicConfigs,
  [resourceTypes.broker]: brokerConfigs,
};

/** The settings after the changes. @throws KafkaError INVALID_CONFIG */
export function changedConfigs(resource: ConfigResource, current: ConfigTexts, changes: readonly ConfigChange[]): Map<string, string> {
  const next = new Map(current);
  for (const { name, operation, value } of changes) {
    if (operation === 'delete' || value === null) next.delete(name);
    else if (operation === 'set') next.set(name, value);
    else next.set(name, changedList(resource, { name, operation, value }, current.get(name)));
  }
  return next;
}

/** KIP-339: a list that is not set is added to, or taken from, as its default has it. */
function changedList(
  { type }: ConfigResource,
  { name, operation, value }: { name: string; operation: 'append' | 'subtract'; value: string },
  current: string | undefined,
): string {
  const table = listTables[type];
  const row = table === undefined ? undefined : rowOf(table, name);
  const why =
    type === resourceTypes.broker
      ? `Config value ${operation} is not allowed for config key: ${name}`
      : `Can't ${operation.toUpperCase()} to key ${name} because its type is not LIST.`;
  check(row?.type === 'list', 'INVALID_CONFIG', why);
  const entries = new Set((current ?? row.defaultText ?? '').split(',').filter((entry) => entry !== ''));
  for (const entry of value.split(',')) {
    if (operation === 'append') entries.add(entry);
    else entries.delete(entry);
  }
  return [...entries].join(',');
}

/**
 * Whether the resource may have these settings, `next` being all of its own and `changed` the names that are new or different.
 * @throws KafkaError with Kafka's code and sentence
 */
export function checkConfigs(
  resource: ConfigResource,
  next: ConfigTexts,
  around: { image: MetadataImage; settings: BrokerSettings; nodeId: number },
): void {
  const { image, settings, nodeId } = around;
  for (const value of next.values()) checkConfigLength(value);
  switch (resource.type) {
    case resourceTypes.topic:
      check(resource.name !== '', 'INVALID_REQUEST', 'Default topic resources are not allowed.');
      checkTopicName(resource.name);
      inKafkaWords(() => checkTopicConfigs(next, settings.config));
      check(image.findTopic(resource.name) !== undefined, 'UNKNOWN_TOPIC_OR_PARTITION', `The topic '${resource.name}' does not exist.`);
      return;
    case resourceTypes.broker:
      checkBrokerConfigs(resource.name, next, settings, nodeId);
      return;
    case resourceTypes.group:
      check(resource.name !== '', 'INVALID_REQUEST', 'Default group resources are not allowed.');
      inKafkaWords(() => checkGroupConfigs(next, settings.config));
      return;
    case resourceTypes.clientMetrics:
      check(resource.name !== '', 'INVALID_REQUEST', "Subscription name can't be empty");
      inKafkaWords(() => checkClientMetricsConfigs(next));
      return;
    default:
      throw new KafkaError('INVALID_REQUEST', `Unknown resource type ${resource.type}`);
  }
}

function checkBrokerConfigs(name: string, next: ConfigTexts, settings: BrokerSettings, nodeId: number): void {
  if (name !== ALL_BROKERS) checkBrokerName(name, nodeId);
  const target = name === ALL_BROKERS ? 'all-brokers' : 'one-broker';
  // All of the level is checked anew: what it had is replaced by what it would have.
  const levels = { ...settings.levels, [target === 'all-brokers' ? 'dynamicDefault' : 'dynamicBroker']: new Map<string, string>() };
  try {
    inKafkaWords(() => checkDynamicBrokerConfigs(next, levels, target));
  } catch (thrown) {
    // KAFKA-13609: a broker's setting that is refused is told as INVALID_REQUEST, and clients have come to know it so.
    if (thrown instanceof KafkaError && thrown.errorName === 'INVALID_CONFIG') throw new KafkaError('INVALID_REQUEST', thrown.message);
    throw thrown;
  }
}

/** @throws KafkaError INVALID_REQUEST when the name is not that of this broker */
function checkBrokerName(name: string, nodeId: number): void {
  check(/^[+-]?\d+$/.test(name), 'INVALID_REQUEST', `Node id must be an integer, but it is: ${name}`);
  // Other ways to write the same number would be kept under a name that nobody looks under.
  check(name === String(nodeId), 'INVALID_REQUEST', `Unexpected broker id, expected ${nodeId}, but received ${name}`);
}
