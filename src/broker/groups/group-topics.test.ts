// The hash of the topics a group reads is Kafka's, and changes with all that matters to their assignment and with nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewMetadataRecord } from '../../storage/metadata/metadata-records.ts';
import { StepsHarness } from './steps-harness.testing.ts';

const made = (name: string, topicId: string): NewMetadataRecord => ({ type: 'TopicRecord', value: { name, topicId } });

function broker(rack: string | null): NewMetadataRecord {
  const value = {
    brokerId: 1,
    isMigratingZkBroker: false,
    incarnationId: 'Gn3nY-8dQjOuFaN-RTDcDw',
    brokerEpoch: 1,
    endPoints: [],
    features: [],
    rack,
    fenced: false,
    inControlledShutdown: false,
    logDirs: [],
  };
  return { type: 'RegisterBrokerRecord', value };
}

function withTopics(): StepsHarness {
  const harness = new StepsHarness();
  harness.changeMetadata(broker(null));
  harness.changeMetadata(made('bills', 'Gn3nY-8dQjOuFaN-RTDcDw'));
  harness.changeMetadata(made('orders', 'iWrx_4UNTyCafrlWqvjOLg'));
  harness.growTopic('bills', 4);
  harness.growTopic('orders', 4);
  return harness;
}

test('the hash of topics is the one that Kafka 4.2.1 wrote for them', () => {
  const { topics } = withTopics();
  assert.equal(topics.hashOf(['orders', 'bills']), -2_306_571_225_698_614_965n);
});

test('topics that are not there do not count, and none at all are zero', () => {
  const { topics } = withTopics();
  assert.equal(topics.hashOf(['nothing']), 0n);
  assert.equal(topics.hashOf(['orders', 'nothing']), topics.hashOf(['orders']));
});

test('the hash is another one when a topic grows, is made anew, or its replicas come to other racks', () => {
  const harness = withTopics();
  const { topics } = harness;
  const seen = new Set([topics.hashOf(['orders'])]);
  const isNew = (): void => {
    const hash = topics.hashOf(['orders']);
    assert.ok(!seen.has(hash));
    seen.add(hash);
  };
  harness.growTopic('orders', 5);
  isNew();
  harness.changeMetadata(broker('a'));
  isNew();
  assert.deepEqual([...topics.racksOf(topics.idOf('orders') ?? '', 0)], ['a']);
  harness.changeMetadata(broker('b'));
  isNew();
  harness.removeTopic('orders');
  harness.makeTopic('orders', 5);
  isNew();
  const before = topics.hashOf(['orders']);
  harness.makeTopic('others', 3);
  harness.growTopic('bills', 9);
  assert.equal(topics.hashOf(['orders']), before);
});

test('the version of the topics moves with each change, and what was looked up before a topic was made is out of date', () => {
  const harness = withTopics();
  const { topics } = harness;
  assert.equal(topics.offsetWithNewTopics, topics.metadataOffset);
  const { version, metadataOffset } = topics;
  harness.setGroupConfig('consumer.session.timeout.ms', '50000');
  assert.deepEqual([topics.version, topics.offsetWithNewTopics], [version, metadataOffset]);
  harness.makeTopic('others', 1);
  assert.notEqual(topics.version, version);
  assert.ok(topics.offsetWithNewTopics > metadataOffset);
});
