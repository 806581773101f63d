// Which features of the cluster this broker supports, and which levels of them are in force (KIP-584). A feature stands
// here when, and only when, what it promises is built: clients switch their behaviour by it.
import type { BrokerConfig } from '../config/broker-configs.ts';
import type { MetadataImage } from './image/metadata-image.ts';

export interface FeatureRange {
  readonly name: string;
  /** Both inclusive. */
  readonly minVersion: number;
  readonly maxVersion: number;
}

export const METADATA_VERSION = 'metadata.version';
/** 4.2-IV1, the level that Kafka 4.2 finalizes. */
export const METADATA_VERSION_LEVEL = 29;
/** 3.3-IV3, the lowest that Kafka 4.x starts with. */
const LOWEST_METADATA_VERSION = 7;

/** Level 1: consumer groups of KIP-848. */
export const GROUP_VERSION = 'group.version';
const CONSUMER_GROUPS_LEVEL = 1;
/** 4.0-IV0: from there on Kafka lets a cluster have it. */
const LOWEST_METADATA_VERSION_WITH_GROUP_VERSION = 22;

/** transaction.version, share.version and streams.version come here with what they stand for. */
export const supportedFeatures: readonly FeatureRange[] = [
  { name: METADATA_VERSION, minVersion: LOWEST_METADATA_VERSION, maxVersion: METADATA_VERSION_LEVEL },
  { name: GROUP_VERSION, minVersion: 0, maxVersion: CONSUMER_GROUPS_LEVEL },
];

/** What was finalized and is supported. A directory of Kafka may have finalized more, and that is not promised here. */
export function finalizedFeatures(image: MetadataImage): { name: string; level: number }[] {
  return supportedFeatures.flatMap(({ name }) => {
    const level = image.features.get(name);
    return level === undefined ? [] : [{ name, level }];
  });
}

/** Whether the protocol of KIP-848 is spoken: the cluster has come to it, and the settings do not leave it out. */
export const servesConsumerGroups = ({ config, image }: { readonly config: BrokerConfig; readonly image: MetadataImage }): boolean =>
  config['group.coordinator.rebalance.protocols'].includes('consumer') && (image.features.get(GROUP_VERSION) ?? 0) >= CONSUMER_GROUPS_LEVEL;

/** A cluster that began without a group.version comes to it at the next start: nobody could say so otherwise. */
export const lacksGroupVersion = (levels: ReadonlyMap<string, number>): boolean =>
  !levels.has(GROUP_VERSION) && (levels.get(METADATA_VERSION) ?? 0) >= LOWEST_METADATA_VERSION_WITH_GROUP_VERSION;
