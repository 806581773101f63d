// Topics as consumer groups look at them: which there are, how many partitions they have, in which racks, and a hash by which a
// group finds out that some of those it reads are not what they were (Kafka's computeTopicHash and computeGroupHash).
import { xxh3 } from '../../base/xxh3.ts';
import type { MetadataImage, TopicImage } from '../image/metadata-image.ts';

export interface GroupTopicsOptions {
  readonly image: MetadataImage;
  /** The offset of the metadata log up to which the image has come. */
  readonly metadataOffset: () => number;
}

interface HashedTopic {
  readonly topicId: string;
  readonly partitionCount: number;
  readonly placementVersion: number;
  readonly hash: bigint;
}

/** The first byte that is hashed, in case the rest should ever look different. */
const HASH_FORMAT = 0;
const NO_RACKS: ReadonlySet<string> = new Set();

export class GroupTopics {
  readonly #image: MetadataImage;
  readonly #metadataOffset: () => number;
  readonly #hashes = new Map<string, HashedTopic>();
  #topicsMade: number;
  #offsetWithNewTopics: number;

  constructor({ image, metadataOffset }: GroupTopicsOptions) {
    this.#image = image;
    this.#metadataOffset = metadataOffset;
    this.#topicsMade = image.topicsMade;
    this.#offsetWithNewTopics = metadataOffset();
  }

  /** Another number when a hash may have become another one. */
  get version(): number {
    return this.#image.topicsVersion;
  }

  get metadataOffset(): number {
    return this.#metadataOffset();
  }

  /** What was looked up at an earlier offset does not know all topics there are. At first that is assumed of everything. */
  get offsetWithNewTopics(): number {
    if (this.#topicsMade !== this.#image.topicsMade) {
      this.#topicsMade = this.#image.topicsMade;
      this.#offsetWithNewTopics = this.#metadataOffset();
    }
    return this.#offsetWithNewTopics;
  }

  /** Ascending; valid until the next change of the metadata. */
  get names(): readonly string[] {
    return this.#image.topicNames;
  }

  /** Undefined when there is no such topic. */
  idOf(name: string): string | undefined {
    return this.#image.findTopic(name)?.id;
  }

  nameOf(topicId: string): string | undefined {
    return this.#image.findTopicById(topicId)?.name;
  }

  partitionCountOf(topicId: string): number | undefined {
    return this.#image.findTopicById(topicId)?.partitions.length;
  }

  racksOf(topicId: string, partition: number): ReadonlySet<string> {
    const topic = this.#image.findTopicById(topicId);
    const racks = topic === undefined ? [] : this.#racks(topic, partition);
    return racks.length === 0 ? NO_RACKS : new Set(racks);
  }

  /** Signed, as records hold it. Topics that are not there do not count. */
  hashOf(names: Iterable<string>): bigint {
    const hashes: bigint[] = [];
    for (const name of [...names].sort()) {
      const hash = this.#hashOfTopic(name);
      if (hash !== undefined) hashes.push(hash);
    }
    if (hashes.length === 0) return 0n;
    const bytes = Buffer.alloc(hashes.length * 8);
    for (const [at, hash] of hashes.entries()) bytes.writeBigUInt64LE(hash, at * 8);
    return BigInt.asIntN(64, xxh3(bytes));
  }

  #hashOfTopic(name: string): bigint | undefined {
    const topic = this.#image.findTopic(name);
    if (topic === undefined) {
      this.#hashes.delete(name);
      return undefined;
    }
    const { placementVersion } = this.#image;
    const known = this.#hashes.get(name);
    if (
      known !== undefined &&
      known.topicId === topic.id &&
      known.partitionCount === topic.partitions.length &&
      known.placementVersion === placementVersion
    )
      return known.hash;
    const hash = xxh3(this.#hashedBytes(topic));
    this.#hashes.set(name, { topicId: topic.id, partitionCount: topic.partitions.length, placementVersion, hash });
    return hash;
  }

  /** As Kafka's hasher is fed: all numbers little-endian, text in UTF-16 with its length behind it. */
  #hashedBytes(topic: TopicImage): Buffer {
    const parts: Buffer[] = [Buffer.from([HASH_FORMAT]), littleEndianId(topic.id), text(topic.name), number(topic.partitions.length)];
    for (const { index } of topic.partitions) {
      parts.push(number(index));
      for (const rack of this.#racks(topic, index).sort()) parts.push(number(rack.length), text(rack));
    }
    return Buffer.concat(parts);
  }

  /** Of the replicas, one for each whose broker has a rack. */
  #racks(topic: TopicImage, partition: number): string[] {
    const racks: string[] = [];
    for (const nodeId of topic.partitions[partition]?.replicas ?? []) {
      const rack = this.#image.brokers.get(nodeId)?.rack;
      if (rack != null) racks.push(rack);
    }
    return racks;
  }
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from(value, 'utf16le'), number(value.length)]);

/** Both halves of the id, each as a number. */
function littleEndianId(id: string): Buffer {
  const bytes = Buffer.from(id, 'base64url');
  return Buffer.concat([bytes.subarray(0, 8).reverse(), bytes.subarray(8, 16).reverse()]);
}
