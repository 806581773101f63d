import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveBrokerConfig } from '../config/broker-configs.ts';
import { decodeMetadataRecord, encodeMetadataRecord, type NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { MetadataImage } from './image/metadata-image.ts';
import { planGrowth, planTopic, recordsOfTopic, TakenNames, type NewPartitions, type NewTopic } from './topic-plans.ts';

const ID = 'AAAAAAAAAAAAAAAAAAAAAw';
const DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAZA';
/** What Kafka 4.2 finalizes. */
const METADATA_VERSION = 29;
const newPartitions = (leaderEpoch: number): NewPartitions => ({ topicId: ID, firstIndex: 0, leaderEpoch, directoryOf: () => DIRECTORY });

/** An image of brokers 1, 2, 3; `fenced` ones are registered and away. */
function imageOf({
  fenced = [],
  records = [],
}: { fenced?: readonly number[]; records?: readonly NewMetadataRecord[] } = {}): MetadataImage {
  const image = new MetadataImage();
  const brokers = [1, 2, 3].map((brokerId): NewMetadataRecord => ({
    type: 'RegisterBrokerRecord',
    value: {
      brokerId,
      incarnationId: ID,
      brokerEpoch: 1,
      endPoints: [],
      features: [],
      rack: null,
      fenced: fenced.includes(brokerId),
      logDirs: [],
    },
  }));
  for (const record of [...brokers, ...records]) {
    const read = decodeMetadataRecord(encodeMetadataRecord(record, METADATA_VERSION));
    assert.ok(read);
    image.apply(read);
  }
  return image;
}

const config = resolveBrokerConfig();
const plan = (topic: Partial<NewTopic>, image = imageOf()) =>
  planTopic(
    { name: 'a', partitionCount: 1, replicationFactor: 1, assignments: [], configs: new Map(), ...topic },
    image,
    config,
    new TakenNames(),
  ).replicas;

test('partitions go round the brokers, so that each leads its share and no replica stands twice', () => {
  const replicas = plan({ partitionCount: 6, replicationFactor: 2 });
  assert.deepEqual(replicas, [
    [1, 2],
    [2, 3],
    [3, 1],
    [1, 2],
    [2, 3],
    [3, 1],
  ]);
});

test('brokers that are away get no replicas, and too few that are there refuse the topic', () => {
  assert.deepEqual(plan({ partitionCount: 2, replicationFactor: 2 }, imageOf({ fenced: [2] })), [
    [1, 3],
    [3, 1],
  ]);
  assert.throws(() => plan({ replicationFactor: 3 }, imageOf({ fenced: [2] })), { errorName: 'INVALID_REPLICATION_FACTOR' });
  assert.throws(() => plan({}, imageOf({ fenced: [1, 2, 3] })), {
    errorName: 'INVALID_REPLICATION_FACTOR',
    message: 'Unable to replicate the partition 1 time(s): All brokers are currently fenced.',
  });
});

test('assigned partitions must have as many replicas as each other', () => {
  const assignments = [
    { partitionIndex: 0, replicas: [3, 1] },
    { partitionIndex: 1, replicas: [2] },
  ];
  assert.throws(() => plan({ partitionCount: -1, replicationFactor: -1, assignments }), {
    errorName: 'INVALID_REPLICA_ASSIGNMENT',
    message:
      'The manual partition assignment includes a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 replica(s).',
  });
});

test('added partitions have as many replicas as those that are there, and go on round the brokers', () => {
  const records = recordsOfTopic({ name: 'a', replicas: [[1, 2]], configs: new Map() }, newPartitions(0));
  const image = imageOf({ records });
  assert.deepEqual(planGrowth({ name: 'a', partitionCount: 3, assignments: null }, image).replicas, [
    [2, 3],
    [3, 1],
  ]);
  assert.throws(() => planGrowth({ name: 'a', partitionCount: 2, assignments: [[3]] }, image), { errorName: 'INVALID_REPLICA_ASSIGNMENT' });
});

test('the leader is the first replica, and the records stand in Kafka’s order: topic, settings, partitions', () => {
  const records = recordsOfTopic(
    {
      name: 'a',
      replicas: [
        [2, 1],
        [1, 3],
      ],
      configs: new Map([['retention.ms', '5']]),
    },
    newPartitions(4),
  );
  assert.deepEqual(
    records.map(({ type }) => type),
    ['TopicRecord', 'ConfigRecord', 'PartitionRecord', 'PartitionRecord'],
  );
  const partition = imageOf({ records }).findTopic('a')?.partitions[0];
  assert.deepEqual([partition?.leader, partition?.leaderEpoch, partition?.isr], [2, 4, [2, 1]]);
});
