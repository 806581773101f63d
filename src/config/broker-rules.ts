// What the broker's settings must mean together, and what they may not ask for because it is not built: a setting that
// promises protection is refused, never ignored. Most rules and sentences are Kafka's (KafkaConfig.validateValues,
// GroupCoordinatorConfig, ShareGroupConfig); bounds of a single setting stand in its row.

import { consumerAssignors } from './coordinator-configs.ts';
import type { BrokerConfig, BrokerConfigName } from './broker-configs.ts';
import { ConfigError } from './config-value.ts';
import { networkConfigs } from './network-configs.ts';

type Rule = (config: BrokerConfig) => string | undefined;
type NumberName = { [Name in BrokerConfigName]: BrokerConfig[Name] extends number ? Name : never }[BrokerConfigName];
type GroupKind = 'consumer' | 'share' | 'streams';

const atLeast = (larger: NumberName, smaller: NumberName): Rule => {
  return (config) => (config[larger] < config[smaller] ? `${larger} must be greater than or equal to ${smaller}` : undefined);
};
const atMost = (smaller: NumberName, larger: NumberName): Rule => {
  return (config) => (config[smaller] > config[larger] ? `${smaller} must be less than or equal to ${larger}` : undefined);
};
const lessThan = (smaller: NumberName, larger: NumberName): Rule => {
  return (config) => (config[smaller] >= config[larger] ? `${smaller} must be less than ${larger}` : undefined);
};

const groupRules = (kind: GroupKind): Rule[] => [
  atLeast(`group.${kind}.max.heartbeat.interval.ms`, `group.${kind}.min.heartbeat.interval.ms`),
  atLeast(`group.${kind}.heartbeat.interval.ms`, `group.${kind}.min.heartbeat.interval.ms`),
  atMost(`group.${kind}.heartbeat.interval.ms`, `group.${kind}.max.heartbeat.interval.ms`),
  atLeast(`group.${kind}.max.session.timeout.ms`, `group.${kind}.min.session.timeout.ms`),
  atLeast(`group.${kind}.session.timeout.ms`, `group.${kind}.min.session.timeout.ms`),
  atMost(`group.${kind}.session.timeout.ms`, `group.${kind}.max.session.timeout.ms`),
  lessThan(`group.${kind}.heartbeat.interval.ms`, `group.${kind}.session.timeout.ms`),
];

/** Each gives its sentence when it is broken. The first broken one is the one that is told. */
const rules: readonly Rule[] = [
  (config) => (config['node.id'] === config['broker.id'] ? undefined : 'You must set `node.id` to the same value as `broker.id`.'),
  (config) =>
    config['node.id'] >= 0 ? undefined : `Invalid value ${config['node.id']} for configuration node.id: Value must be at least 0`,

  // A reader of these settings believes that somebody is kept out; a broker that ignored them would be open.
  (config) =>
    config['authorizer.class.name'] === ''
      ? undefined
      : 'authorizer.class.name asks for access control, which is not built yet: every client may do everything. Remove the setting to run without it.',
  (config) =>
    config['principal.builder.class'] === networkConfigs['principal.builder.class'].default
      ? undefined
      : 'principal.builder.class names a Java class, which cannot be loaded here. Remove the setting.',
  (config) =>
    config['remote.log.storage.system.enable']
      ? 'remote.log.storage.system.enable asks for tiered storage, which is not built yet. Set it to false.'
      : undefined,

  (config) => ((config['log.roll.ms'] ?? 1) < 1 ? 'log.roll.ms must be greater than or equal to 1' : undefined),
  (config) => ((config['log.roll.jitter.ms'] ?? 0) < 0 ? 'log.roll.jitter.ms must be greater than or equal to 0' : undefined),
  (config) =>
    (config['log.retention.ms'] ?? config['log.retention.minutes'] ?? config['log.retention.hours']) === 0
      ? 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'
      : undefined,
  (config) => {
    const [least, most] = [config['log.cleaner.min.compaction.lag.ms'], config['log.cleaner.max.compaction.lag.ms']];
    return least > most ? `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})` : undefined;
  },
  (config) =>
    config['log.cleaner.dedupe.buffer.size'] / config['log.cleaner.threads'] > 1024 * 1024
      ? undefined
      : 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',

  (config) => {
    const queued = config['queued.max.request.bytes'];
    return queued > 0 && queued < config['socket.request.max.bytes']
      ? 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes'
      : undefined;
  },
  (config) =>
    config['max.connections.per.ip'] === 0 && parseConnectionOverrides(config['max.connections.per.ip.overrides']).size === 0
      ? 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'
      : undefined,
  (config) => {
    const invalid = [...parseConnectionOverrides(config['max.connections.per.ip.overrides']).keys()].filter(
      (address) => !/^[0-9a-zA-Z\-%._:]*$/.test(address),
    );
    return invalid.length > 0 ? `max.connections.per.ip.overrides contains invalid addresses : ${invalid.join(',')}` : undefined;
  },
  (config) => {
    const [delay, idle] = [config['connection.failed.authentication.delay.ms'], config['connections.max.idle.ms']];
    return idle >= 0 && delay >= idle
      ? `connection.failed.authentication.delay.ms=${delay} should always be less than connections.max.idle.ms=${idle} to prevent failed authentication responses from timing out`
      : undefined;
  },

  (config) =>
    config['group.coordinator.rebalance.protocols'].includes('classic') ? undefined : "Disabling the 'classic' protocol is not supported.",
  atLeast('group.max.session.timeout.ms', 'group.min.session.timeout.ms'),
  ...groupRules('consumer'),
  (config) => {
    const unknown = config['group.consumer.assignors'].filter((name) => !consumerAssignors.has(name));
    return unknown.length === 0 ? undefined : `group.consumer.assignors offers uniform and range, and no ${unknown.join(', ')}`;
  },
  ...groupRules('share'),
  (config) => {
    const count = config['group.share.assignors'].length;
    return count === 1 ? undefined : `group.share.assignors must contain exactly one assignor, but found ${count}`;
  },
  atLeast('group.share.max.record.lock.duration.ms', 'group.share.min.record.lock.duration.ms'),
  atLeast('group.share.record.lock.duration.ms', 'group.share.min.record.lock.duration.ms'),
  atMost('group.share.record.lock.duration.ms', 'group.share.max.record.lock.duration.ms'),
  ...groupRules('streams'),
  atMost('group.streams.num.standby.replicas', 'group.streams.max.standby.replicas'),
];

/** @throws ConfigError with the sentence of the first broken rule */
export function checkBrokerRules(config: BrokerConfig): void {
  for (const rule of rules) {
    const broken = rule(config);
    if (broken !== undefined) throw new ConfigError(broken);
  }
}

/**
 * The limits of single addresses from `max.connections.per.ip.overrides`: `address:count`, the count after the last colon
 * so that IPv6 addresses need no brackets.
 * @throws ConfigError when an entry is not of that form
 */
export function parseConnectionOverrides(text: string): ReadonlyMap<string, number> {
  const overrides = new Map<string, number>();
  for (const entry of text === '' ? [] : text.split(/\s*,\s*/)) {
    const colon = entry.lastIndexOf(':');
    const count = entry.slice(colon + 1).trim();
    if (colon < 0 || !/^\d{1,9}$/.test(count))
      throw new ConfigError(
        `Error parsing configuration property 'max.connections.per.ip.overrides': '${entry}' is not of the form address:count`,
      );
    overrides.set(entry.slice(0, colon).trim(), Number(count));
  }
  return overrides;
}
