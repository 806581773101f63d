import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../base/memory/random.ts';
import { FoldedMetadata } from '../../storage/metadata/folded-metadata.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
  type NewMetadataRecord,
} from '../../storage/metadata/metadata-records.ts';
import { MetadataImage, resourceTypes } from './metadata-image.ts';

const throughBytes = (record: NewMetadataRecord): MetadataRecord => decodeMetadataRecord(encodeMetadataRecord(record, 29));
const idOf = (number: number): string => Buffer.from(`id${String(number).padStart(14, '0')}`).toString('base64url');

/** A change that makes sense after those before it. */
function anyChange(random: SeededRandom, topics: Map<number, number>, next: { topic: number }): NewMetadataRecord[] {
  const known = [...topics.keys()];
  const topic = known[random.integer(Math.max(known.length, 1))] ?? -1;
  const name = ['retention.ms', 'max.message.bytes'][random.integer(2)] ?? '';
  const config = (resourceType: number, resourceName: string): NewMetadataRecord => ({
    type: 'ConfigRecord',
    value: { resourceType, resourceName, name, value: random.chance(0.3) ? null : String(random.integer(100)) },
  });
  const kind = known.length === 0 ? 0 : random.integer(9);
  if (kind <= 1) {
    const number = next.topic++;
    const partitions = 1 + random.integer(3);
    topics.set(number, partitions);
    return [
      { type: 'TopicRecord', value: { name: `t.${number}`, topicId: idOf(number) } },
      ...Array.from({ length: partitions }, (_, index) => newPartition(number, index)),
    ];
  }
  if (kind === 2) {
    topics.delete(topic);
    return [{ type: 'RemoveTopicRecord', value: { topicId: idOf(topic) } }];
  }
  if (kind === 3) return [config(resourceTypes.topic, `t.${topic}`)];
  if (kind === 4) return [config(resourceTypes.broker, '1')];
  if (kind === 5) {
    const count = topics.get(topic) ?? 0;
    topics.set(topic, count + 1);
    return [newPartition(topic, count)];
  }
  if (kind === 6) return [{ type: 'ProducerIdsRecord', value: { brokerId: 1, brokerEpoch: 1, nextProducerId: random.integer(1_000_000) } }];
  if (kind === 7) {
    const value = { brokerId: 1, brokerEpoch: 1, fenced: random.chance(0.5) ? 1 : -1, inControlledShutdown: 0, logDirs: [] };
    return [{ type: 'BrokerRegistrationChangeRecord', value }];
  }
  return [
    {
      type: 'PartitionChangeRecord',
      value: {
        topicId: idOf(topic),
        partitionId: random.integer(topics.get(topic) ?? 1),
        ...(random.chance(0.6) && { leader: random.integer(2) - (random.chance(0.3) ? 1 : 0) }),
        ...(random.chance(0.4) && { isr: random.chance(0.5) ? [] : [1] }),
        ...(random.chance(0.3) && { directories: [idOf(random.integer(3))] }),
        ...(random.chance(0.3) && { eligibleLeaderReplicas: random.chance(0.5) ? [1] : [] }),
      },
    },
  ];
}

const newPartition = (topic: number, partitionId: number): NewMetadataRecord => ({
  type: 'PartitionRecord',
  value: {
    partitionId,
    topicId: idOf(topic),
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: [idOf(0)],
  },
});

/** Everything a handler can see. */
const seen = (image: MetadataImage): unknown => ({
  topics: [...image.topicNames].map((name) => image.findTopic(name)),
  byId: [...image.topics.values()].map(({ id, name }) => [name, image.findTopicById(id)?.name].join()).sort(),
  configs: Object.values(resourceTypes).map((type) =>
    image
      .configuredNames(type)
      .sort()
      .map((name) => [name, [...image.configOf(type, name)].map(String).sort()]),
  ),
  brokers: [...image.brokers],
  features: [...image.features],
  partitionCount: image.partitionCount,
  nextProducerId: image.nextProducerId,
});

test('an image made of a snapshot shows what the image made of the whole log shows', () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const random = new SeededRandom(seed);
    const topics = new Map<number, number>();
    const next = { topic: 0 };
    const image = new MetadataImage();
    const folded = new FoldedMetadata();
    const take = (record: NewMetadataRecord): void => {
      const read = throughBytes(record);
      image.apply(read);
      folded.apply(read);
    };
    take({ type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 29 } });
    const broker = { brokerId: 1, incarnationId: idOf(1), brokerEpoch: 1, rack: null, features: [], endPoints: [], logDirs: [idOf(0)] };
    take({ type: 'RegisterBrokerRecord', value: broker });
    for (let step = 0; step < 80; step += 1) for (const record of anyChange(random, topics, next)) take(record);
    const fromSnapshot = new MetadataImage();
    for (const record of folded.records()) fromSnapshot.apply(throughBytes(record));
    assert.deepEqual(seen(fromSnapshot), seen(image), `seed ${seed}`);
  }
});

test('a topic that is made again begins above the epochs of the old one, and above what one who knows more says', () => {
  const image = new MetadataImage();
  const take = (record: NewMetadataRecord): void => image.apply(throughBytes(record));
  take({ type: 'TopicRecord', value: { name: 'a', topicId: idOf(1) } });
  take(newPartition(1, 0));
  take({ type: 'PartitionChangeRecord', value: { topicId: idOf(1), partitionId: 0, leader: 1 } });
  take({ type: 'RemoveTopicRecord', value: { topicId: idOf(1) } });
  assert.equal(image.firstLeaderEpoch, 2);
  image.beginLeaderEpochsAt(1);
  assert.equal(image.firstLeaderEpoch, 2);
  image.beginLeaderEpochsAt(9);
  assert.equal(image.firstLeaderEpoch, 9);
});
