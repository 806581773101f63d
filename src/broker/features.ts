// Which features of the cluster this broker supports, and which levels of them are in force (KIP-584). A feature stands
// here when, and only when, what it promises is built: clients switch their behaviour by it.
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

/** group.version, transaction.version, share.version and streams.version come here with what they stand for. */
export const supportedFeatures: readonly FeatureRange[] = [
  { name: METADATA_VERSION, minVersion: LOWEST_METADATA_VERSION, maxVersion: METADATA_VERSION_LEVEL },
];

/** What was finalized and is supported. A directory of Kafka may have finalized more, and that is not promised here. */
export function finalizedFeatures(image: MetadataImage): { name: string; level: number }[] {
  return supportedFeatures.flatMap(({ name }) => {
    const level = image.features.get(name);
    return level === undefined ? [] : [{ name, level }];
  });
}
