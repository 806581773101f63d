// The topics that coordinators keep their records in: how many partitions and replicas each gets, and its settings, whoever
// makes it first (Kafka's AutoTopicCreationManager). What lies in them is the coordinators' affair.
import type { BrokerConfig } from '../config/broker-configs.ts';
import { internalTopics } from '../storage/log/log-names.ts';

export const GROUP_METADATA_TOPIC = '__consumer_offsets';
export const TRANSACTION_STATE_TOPIC = '__transaction_state';
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state';

/** Clients may read them and not produce into them. */
export const isInternalTopic = (name: string): boolean => internalTopics.has(name);

export interface InternalTopic {
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

/** Undefined for a topic of nobody's in particular. */
export function internalTopicOf(name: string, config: BrokerConfig): InternalTopic | undefined {
  switch (name) {
    case GROUP_METADATA_TOPIC:
      return {
        partitionCount: config['offsets.topic.num.partitions'],
        replicationFactor: config['offsets.topic.replication.factor'],
        configs: new Map([
          ['cleanup.policy', 'compact'],
          ['compression.type', 'producer'],
          ['segment.bytes', String(config['offsets.topic.segment.bytes'])],
        ]),
      };
    case TRANSACTION_STATE_TOPIC:
      return {
        partitionCount: config['transaction.state.log.num.partitions'],
        replicationFactor: config['transaction.state.log.replication.factor'],
        configs: new Map([
          ['cleanup.policy', 'compact'],
          ['compression.type', 'uncompressed'],
          ['min.insync.replicas', String(config['transaction.state.log.min.isr'])],
          ['segment.bytes', String(config['transaction.state.log.segment.bytes'])],
          ['unclean.leader.election.enable', 'false'],
        ]),
      };
    case SHARE_GROUP_STATE_TOPIC:
      return {
        partitionCount: config['share.coordinator.state.topic.num.partitions'],
        replicationFactor: config['share.coordinator.state.topic.replication.factor'],
        configs: new Map([
          ['cleanup.policy', 'delete'],
          ['compression.type', 'producer'],
          ['min.insync.replicas', String(config['share.coordinator.state.topic.min.isr'])],
          ['retention.ms', '-1'],
        ]),
      };
    default:
      return undefined;
  }
}
