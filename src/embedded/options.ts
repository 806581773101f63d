// The options of startBroker, made into what the broker is assembled from: settings in Kafka's terms, topics to make, a
// place for the data. Everything that can be refused by looking at the options alone is refused here.
import { resolve } from 'node:path';
import { testProfile } from '../config/profiles.ts';
import { rowOf } from '../config/config-table.ts';
import { ConfigError } from '../config/config-value.ts';
import { readSettings, SettingsError, type Settings } from '../config/read-settings.ts';
import { suggest } from '../config/suggest.ts';
import { topicConfigs } from '../config/topic-configs.ts';
import { plainText } from '../config/written-values.ts';
import type { NewTopic } from '../broker/topic-plans.ts';
import type { BrokerOptions, TopicOptions } from './api.ts';
import { BrokerStartError, InvalidArgumentError } from './errors.ts';
import type { KafkaTopicConfig } from './kafka-config.ts';

const optionNames: Readonly<Record<keyof BrokerOptions, true>> = {
  storage: true,
  port: true,
  host: true,
  topics: true,
  profile: true,
  config: true,
  logger: true,
  signal: true,
  unref: true,
  onFailed: true,
};

/** Where a broker in memory believes its data to be. */
const MEMORY_DIRECTORY = '/memory';

/** Options that have been looked at. */
export interface PreparedOptions {
  readonly options: BrokerOptions;
  /** Of `storage: { dir }`, absolute; undefined for memory. */
  readonly directory: string | undefined;
  readonly topics: readonly NewTopic[];
  readonly settings: Settings;
}

/** @throws InvalidArgumentError, BrokerStartError INVALID_CONFIG, or the reason of a signal that has aborted already */
export async function prepareOptions(options: BrokerOptions): Promise<PreparedOptions> {
  options.signal?.throwIfAborted();
  checkOptionNames(options);
  const directory = directoryOf(options);
  return { options, directory, topics: topicsOf(options), settings: await settingsOf(options, directory) };
}

/** @throws InvalidArgumentError */
function checkOptionNames(options: BrokerOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(optionNames, name)) continue;
    const near = suggest(name, Object.keys(optionNames));
    throw new InvalidArgumentError(
      `startBroker has no option '${name}'`,
      near === undefined ? 'Settings by their Kafka names go into config: { config: { … } }.' : `Did you mean '${near}'?`,
    );
  }
}

/** The directory of `storage: { dir }`, absolute; undefined for memory. @throws InvalidArgumentError */
function directoryOf({ storage = 'memory' }: BrokerOptions): string | undefined {
  if (storage === 'memory') return undefined;
  if (typeof storage === 'object' && typeof storage.dir === 'string' && storage.dir !== '') return resolve(storage.dir);
  throw new InvalidArgumentError(`storage is 'memory' or { dir }, not ${JSON.stringify(storage)}`);
}

/** @throws InvalidArgumentError */
function profileOf({ profile }: BrokerOptions, directory: string | undefined): 'test' | 'production' {
  if (profile === undefined) return directory === undefined ? 'test' : 'production';
  if (profile === 'test' || profile === 'production') return profile;
  throw new InvalidArgumentError(`profile is 'test' or 'production', not ${JSON.stringify(profile)}`);
}

/** @throws BrokerStartError INVALID_CONFIG with everything that is wrong; InvalidArgumentError */
async function settingsOf(options: BrokerOptions, directory: string | undefined): Promise<Settings> {
  const { config = {}, port, host } = options;
  for (const name of ['log.dir', 'log.dirs'])
    if (Object.hasOwn(config, name))
      throw new InvalidArgumentError(`${name} cannot be set here`, 'Say where the data lives with storage: { dir }.');
  if (config.listeners !== undefined && (port !== undefined || host !== undefined))
    throw new InvalidArgumentError('port and host say what the setting listeners says too', 'Give one or the other.');
  try {
    return await readSettings({
      presets: {
        ...(profileOf(options, directory) === 'test' ? testProfile : {}),
        listeners: listenerOf(host ?? 'localhost', port ?? 0),
        'log.dirs': [directory ?? MEMORY_DIRECTORY],
      },
      options: config,
    });
  } catch (thrown) {
    if (thrown instanceof SettingsError) throw new BrokerStartError('INVALID_CONFIG', thrown.message, { cause: thrown });
    throw thrown;
  }
}

function listenerOf(host: string, port: number): string {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError(`${String(port)} is not a port`, '0 takes a free one; ports end at 65535.');
  return `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The topics to make, by name. @throws InvalidArgumentError, BrokerStartError INVALID_CONFIG */
function topicsOf({ topics = [] }: BrokerOptions): NewTopic[] {
  const entries = Array.isArray(topics)
    ? [...new Set(topics as readonly string[])].map((name): [string, TopicOptions] => [name, {}])
    : Object.entries(topics as Readonly<Record<string, number | TopicOptions>>);
  return entries.map(([name, options]) => newTopicOf(name, options));
}

/** @throws InvalidArgumentError, BrokerStartError INVALID_CONFIG */
export function newTopicOf(name: string, options: number | TopicOptions = {}): NewTopic {
  const { partitions = -1, config = {} } = typeof options === 'number' ? { partitions: options } : options;
  if (typeof name !== 'string') throw new InvalidArgumentError(`a topic's name is a string, not ${typeof name}`);
  if (!Number.isInteger(partitions)) throw new InvalidArgumentError(`'${name}' cannot have ${String(partitions)} partitions`);
  return { name, partitionCount: partitions, replicationFactor: -1, assignments: [], configs: topicTexts(config) };
}

/** Kafka's texts of what was written: `7d` becomes milliseconds. Names that are none are left for the broker to refuse. */
function topicTexts(config: KafkaTopicConfig): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined) continue;
    const written = Array.isArray(value) ? value.join(',') : String(value);
    const row = rowOf(topicConfigs, name);
    try {
      texts.set(name, row === undefined ? written : plainText(row, written));
    } catch (thrown) {
      if (thrown instanceof ConfigError) throw new InvalidArgumentError(thrown.message);
      throw thrown;
    }
  }
  return texts;
}
