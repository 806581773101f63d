import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMetadataRecord, encodeMetadataRecord, type NewMetadataRecord } from '../../storage/metadata/metadata-records.ts';
import { MetadataImage, resourceTypes } from './metadata-image.ts';

const id = (letter: string): string => `${letter.repeat(21)}w`;
const topic = (name: string, topicId: string): NewMetadataRecord => ({ type: 'TopicRecord', value: { name, topicId } });
const partition = (topicId: string, partitionId: number, leaderEpoch = 0, replicas = [1]): NewMetadataRecord => ({
  type: 'PartitionRecord',
  value: {
    topicId,
    partitionId,
    replicas,
    isr: replicas,
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch,
    partitionEpoch: 0,
    directories: replicas.map(() => id('d')),
  },
});
const config = (
  resourceName: string,
  name: string,
  value: string | null,
  resourceType: number = resourceTypes.topic,
): NewMetadataRecord => ({
  type: 'ConfigRecord',
  value: { resourceType, resourceName, name, value },
});

/** The image after the records, which take the way through their bytes as they do in the log. */
function imageOf(...records: NewMetadataRecord[]): MetadataImage {
  const image = new MetadataImage();
  feed(image, ...records);
  return image;
}

function feed(image: MetadataImage, ...records: NewMetadataRecord[]): void {
  for (const record of records) {
    const read = decodeMetadataRecord(encodeMetadataRecord(record, 29));
    assert.ok(read);
    image.apply(read);
  }
}

test('a topic is found by name and by id, with its partitions in order', () => {
  const image = imageOf(topic('a', id('a')), partition(id('a'), 0), partition(id('a'), 1));
  assert.equal(image.findTopic('a'), image.findTopicById(id('a')));
  assert.deepEqual(
    image.findTopic('a')?.partitions.map(({ index }) => index),
    [0, 1],
  );
  assert.equal(image.partitionCount, 2);
});

test('a removed topic is found by neither, takes its settings with it, and its name is free', () => {
  const image = imageOf(topic('a.b', id('a')), partition(id('a'), 0), config('a.b', 'retention.ms', '5'));
  feed(image, { type: 'RemoveTopicRecord', value: { topicId: id('a') } });
  assert.equal(image.findTopic('a.b') ?? image.findTopicById(id('a')), undefined);
  assert.equal(image.configOf(resourceTypes.topic, 'a.b').size, 0);
  assert.deepEqual([image.partitionCount, image.topicNames, image.findCollision('a_b')], [0, [], undefined]);
  feed(image, topic('a.b', id('b')));
  assert.equal(image.findTopic('a.b')?.id, id('b'));
});

test('naming a leader, even the same one, raises the leader epoch; any change raises the partition epoch', () => {
  const image = imageOf(topic('a', id('a')), partition(id('a'), 0, 3, [1, 2]));
  const change = (value: { leader?: number; isr?: number[] }): NewMetadataRecord => ({
    type: 'PartitionChangeRecord',
    value: { topicId: id('a'), partitionId: 0, ...value },
  });
  const state = (): unknown => {
    const { leader, leaderEpoch, partitionEpoch, isr, replicas } = image.findTopic('a')?.partitions[0] ?? {};
    return [leader, leaderEpoch, partitionEpoch, isr, replicas];
  };
  feed(image, change({ isr: [1] }));
  assert.deepEqual(state(), [1, 3, 1, [1], [1, 2]]);
  feed(image, change({ leader: 1 }));
  assert.deepEqual(state(), [1, 4, 2, [1], [1, 2]]);
  feed(image, change({ leader: -1 }));
  assert.deepEqual(state(), [-1, 5, 3, [1], [1, 2]]);
});

test('new topics begin above the leader epochs of all that were removed', () => {
  const image = imageOf(
    topic('a', id('a')),
    partition(id('a'), 0, 7),
    partition(id('a'), 1, 2),
    topic('b', id('b')),
    partition(id('b'), 0, 90),
  );
  assert.equal(image.firstLeaderEpoch, 0);
  feed(image, { type: 'RemoveTopicRecord', value: { topicId: id('a') } });
  assert.equal(image.firstLeaderEpoch, 8);
});

test('only names with a dot or an underscore collide, and none with itself', () => {
  const image = imageOf(topic('a.b', id('a')), topic('ab', id('b')), topic('a-b', id('c')));
  assert.deepEqual(
    ['a_b', 'a.b', 'ab', 'a-b', 'a.c'].map((name) => image.findCollision(name)),
    ['a.b', undefined, undefined, undefined, undefined],
  );
});

test('settings are kept by resource, and a null takes one away', () => {
  const image = imageOf(
    config('a', 'x', '1'),
    config('a', 'y', '2'),
    config('a', 'x', '3', resourceTypes.group),
    config('', 'z', '4', resourceTypes.broker),
    config('a', 'y', null),
  );
  assert.deepEqual([...image.configOf(resourceTypes.topic, 'a')], [['x', '1']]);
  assert.deepEqual([...image.configOf(resourceTypes.group, 'a')], [['x', '3']]);
  assert.deepEqual(image.configuredNames(resourceTypes.topic), ['a']);
  assert.deepEqual(image.configuredNames(resourceTypes.broker), ['']);
  feed(image, config('a', 'x', null));
  assert.deepEqual(image.configuredNames(resourceTypes.topic), []);
});

test('partitions with the same replicas share one list of them', () => {
  const image = imageOf(topic('a', id('a')), partition(id('a'), 0), partition(id('a'), 1));
  const [first, second] = image.findTopic('a')?.partitions ?? [];
  assert.equal(first?.replicas, second?.replicas);
  assert.equal(first?.isr, first?.replicas);
});

test('a topic that is made twice, or changed before it is there, is a broken promise of ours', () => {
  const image = imageOf(topic('a', id('a')));
  assert.throws(() => feed(image, topic('a', id('b'))), { name: 'InvariantError' });
  assert.throws(() => feed(image, partition(id('z'), 0)), { name: 'InvariantError' });
  assert.throws(() => feed(image, partition(id('a'), 1)), { name: 'InvariantError' });
});
