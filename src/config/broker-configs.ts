// All settings of the broker in one table, and the typed object that the code reads. Rules between settings are
// broker-rules.ts. Where values come from (file, environment, flags) is read-settings.ts; what clients are told is describe-configs.ts.

import { checkBrokerRules } from './broker-rules.ts';
import { rowOf, type ValuesOf } from './config-table.ts';
import { parseValue, type ConfigValue } from './config-value.ts';
import { coordinatorConfigs } from './coordinator-configs.ts';
import { logConfigs } from './log-configs.ts';
import { networkConfigs } from './network-configs.ts';
import { ownConfigs } from './own-configs.ts';

export const brokerConfigs = { ...networkConfigs, ...logConfigs, ...coordinatorConfigs, ...ownConfigs } as const;

export type BrokerConfigName = keyof typeof brokerConfigs;

/** The broker's settings as the code reads them: `config['message.max.bytes']`. Numbers in the unit that the name says. */
export type BrokerConfig = ValuesOf<typeof brokerConfigs>;

/** Settings by name, as texts; what is not set at a level is not in its map. Stronger levels first. */
export interface BrokerLevels {
  /** Set for this broker while it ran. */
  readonly dynamicBroker?: ReadonlyMap<string, string>;
  /** Set for all brokers while they ran. */
  readonly dynamicDefault?: ReadonlyMap<string, string>;
  /** File, environment, flags and options, already put together. */
  readonly static: ReadonlyMap<string, string>;
}

const nothing: BrokerLevels = { static: new Map() };

/**
 * The settings in force. Frozen; a change of a dynamic setting makes a new object, so whoever wants to see changes asks for
 * the current one again instead of keeping values.
 * @throws ConfigError when a text is not of its setting's type, outside its bounds, or at odds with another setting
 */
export function resolveBrokerConfig(levels: BrokerLevels = nothing): BrokerConfig {
  const values: Record<string, ConfigValue> = {};
  for (const row of Object.values(brokerConfigs)) values[row.name] = row.default;
  for (const level of [levels.static, levels.dynamicDefault, levels.dynamicBroker]) {
    for (const [name, text] of level ?? []) {
      const row = rowOf(brokerConfigs, name);
      if (row === undefined) continue;
      const value = parseValue(name, row.type, text);
      row.check(name, value, row.type);
      values[name] = value;
    }
  }
  joinNodeId(values, levels.static);
  const config = Object.freeze(values) as unknown as BrokerConfig;
  checkBrokerRules(config);
  return config;
}

/** `node.id` and `broker.id` are one setting with two names. */
function joinNodeId(values: Record<string, ConfigValue>, set: ReadonlyMap<string, string>): void {
  if (set.has('broker.id') && !set.has('node.id')) values['node.id'] = values['broker.id'] ?? null;
  else if (!set.has('broker.id')) values['broker.id'] = values['node.id'] ?? null;
}
