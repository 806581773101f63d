// The settings in force: what the broker was started with, and above it what clients have set while it ran. The second part
// comes from the metadata image, so it is there again after a restart. Reads and puts together; who acts on a change asks again.
import type { Logger } from '../base/log.ts';
import { brokerConfigs, resolveBrokerConfig, type BrokerConfig, type BrokerLevels, type ConfigTexts } from '../config/broker-configs.ts';
import { parseChecked, rowOf } from '../config/config-table.ts';
import { ConfigError } from '../config/config-value.ts';
import { resourceTypes, type MetadataImage } from './image/metadata-image.ts';

/** The name of the resource whose settings count for all brokers. */
export const ALL_BROKERS = '';

export class BrokerSettings {
  readonly #log: Logger;
  readonly #static: ConfigTexts;
  #levels: BrokerLevels;
  #config: BrokerConfig;

  /** @throws ConfigError when what the broker is started with is wrong */
  constructor(levels: BrokerLevels, log: Logger) {
    this.#log = log;
    this.#static = levels.static;
    this.#levels = levels;
    this.#config = resolveBrokerConfig(levels);
  }

  get config(): BrokerConfig {
    return this.#config;
  }

  get levels(): BrokerLevels {
    return this.#levels;
  }

  /** Takes over what the image has for this broker and for all brokers. */
  follow(image: MetadataImage, nodeId: number): void {
    const levels: BrokerLevels = {
      static: this.#static,
      dynamicDefault: new Map(image.configOf(resourceTypes.broker, ALL_BROKERS)),
      dynamicBroker: new Map(image.configOf(resourceTypes.broker, String(nodeId))),
    };
    // Checked when they were set, perhaps by a Kafka with other bounds, or beside other settings of the file.
    const usable: BrokerLevels = {
      static: levels.static,
      dynamicDefault: this.#usable(levels.dynamicDefault ?? new Map()),
      dynamicBroker: this.#usable(levels.dynamicBroker ?? new Map()),
    };
    try {
      this.#config = resolveBrokerConfig(usable);
      this.#levels = usable;
    } catch (thrown) {
      if (!(thrown instanceof ConfigError)) throw thrown;
      this.#log.warn('settings that clients have made do not fit those of the start any more and are passed over', { why: thrown.message });
      this.#levels = { static: this.#static };
      this.#config = resolveBrokerConfig(this.#levels);
    }
  }

  #usable(texts: ConfigTexts): ConfigTexts {
    const usable = new Map<string, string>();
    for (const [name, text] of texts) {
      const row = rowOf(brokerConfigs, name);
      if (row !== undefined && row.update === 'read-only') continue; // Kafka stores such for others: they need a restart
      try {
        if (row !== undefined) parseChecked(row, text);
        usable.set(name, text);
      } catch (thrown) {
        if (!(thrown instanceof ConfigError)) throw thrown;
        this.#log.warn('a setting that was stored is not taken by this broker and is passed over', { setting: name, why: thrown.message });
      }
    }
    return usable;
  }
}
