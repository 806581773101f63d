// The settings of topics, brokers, groups and client metrics as clients see and change them. Each change is one step over
// the image and one durable append; when it resolves, the logs and everybody who asks have the new values.
import {
  describeBrokerConfig,
  describeClientMetricsConfig,
  describeDefaultBrokerConfig,
  describeGroupConfig,
  describeTopicConfig,
  type AskedNames,
  type DescribedConfig,
} from '../config/describe-configs.ts';
import type { ConfigTexts } from '../config/broker-configs.ts';
import { check, KafkaError } from '../protocol/errors.ts';
import { checkTopicName } from '../storage/log/log-names.ts';
import type { NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { ALL_BROKERS, type BrokerSettings } from './broker-settings.ts';
import { changedConfigs, checkConfigs, type ConfigChange, type ConfigResource } from './config-changes.ts';
import { resourceTypes, type MetadataImage } from './image/metadata-image.ts';
import type { MetadataController } from './metadata-controller.ts';
import type { Refusal } from './topics.ts';

export interface ResourceChange extends ConfigResource {
  /** A list: changed step by step. A map: what the resource is to have, and nothing else. */
  readonly to: readonly ConfigChange[] | ConfigTexts;
}

export class Configs {
  readonly #settings: BrokerSettings;
  readonly #image: MetadataImage;
  readonly #nodeId: number;
  readonly #controller: MetadataController;

  constructor(options: { settings: BrokerSettings; image: MetadataImage; nodeId: number; controller: MetadataController }) {
    this.#settings = options.settings;
    this.#image = options.image;
    this.#nodeId = options.nodeId;
    this.#controller = options.controller;
  }

  /** Changes resources, which must be different ones; each is changed as a whole or not at all, and has its own outcome. */
  alter(resources: readonly ResourceChange[], options: { validateOnly: boolean }): Promise<Refusal[]> {
    return this.#controller.execute((image) => {
      const records: NewMetadataRecord[] = [];
      const reply = resources.map((resource): Refusal => {
        try {
          records.push(...this.#recordsOf(resource, image));
          return undefined;
        } catch (thrown) {
          if (thrown instanceof KafkaError) return thrown;
          throw thrown;
        }
      });
      return { records: options.validateOnly ? [] : records, reply };
    });
  }

  #recordsOf(resource: ResourceChange, image: MetadataImage): NewMetadataRecord[] {
    const current = image.configOf(resource.type, resource.name);
    const next = isWhole(resource.to) ? resource.to : changedConfigs(resource, current, resource.to);
    checkConfigs(resource, next, { image, settings: this.#settings, nodeId: this.#nodeId });
    const record = (name: string, value: string | null): NewMetadataRecord => ({
      type: 'ConfigRecord',
      value: { resourceType: resource.type, resourceName: resource.name, name, value },
    });
    return [
      ...[...next].filter(([name, value]) => current.get(name) !== value).map(([name, value]) => record(name, value)),
      ...[...current.keys()].filter((name) => !next.has(name)).map((name) => record(name, null)),
    ];
  }

  /**
   * The settings of a resource with where each comes from; undefined when there is no such topic.
   * @throws KafkaError INVALID_REQUEST, INVALID_TOPIC_EXCEPTION
   */
  describe({ type, name }: ConfigResource, keys: AskedNames): DescribedConfig[] | undefined {
    const { levels } = this.#settings;
    const own = this.#image.configOf(type, name);
    switch (type) {
      case resourceTypes.topic:
        checkTopicName(name);
        return this.#image.findTopic(name) === undefined ? undefined : describeTopicConfig(own, levels, keys);
      case resourceTypes.broker:
        if (name === ALL_BROKERS) return describeDefaultBrokerConfig(levels, keys);
        this.#checkBroker(name, `expected ${this.#nodeId} or empty string, but received ${name}`);
        return describeBrokerConfig(levels, keys);
      case resourceTypes.brokerLogger:
        check(name !== '', 'INVALID_REQUEST', 'Broker id must not be empty');
        this.#checkBroker(name, `expected ${this.#nodeId} but received ${name}`);
        return []; // there are no loggers with levels of their own
      case resourceTypes.group:
        check(name !== '', 'INVALID_REQUEST', 'Group name must not be empty');
        return describeGroupConfig(own, levels, keys);
      case resourceTypes.clientMetrics:
        check(name !== '', 'INVALID_REQUEST', 'Client metrics subscription name must not be empty');
        return describeClientMetricsConfig(own, keys);
      default:
        throw new KafkaError('INVALID_REQUEST', `Unsupported resource type: ${type}`);
    }
  }

  #checkBroker(name: string, otherwise: string): void {
    check(/^[+-]?\d+$/.test(name), 'INVALID_REQUEST', `Broker id must be an integer, but it is: ${name}`);
    check(Number(name) === this.#nodeId, 'INVALID_REQUEST', `Unexpected broker id, ${otherwise}`);
  }
}

const isWhole = (to: ResourceChange['to']): to is ConfigTexts => to instanceof Map;
