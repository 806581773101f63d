import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveBrokerConfig } from '../config/broker-configs.ts';
import { readListeners } from '../config/listeners.ts';
import { unnamedDirectories } from '../storage/directory-ids.ts';
import { decodeMetadataRecord, encodeMetadataRecord, type NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { MetadataImage } from './image/metadata-image.ts';
import { checkNoDirectoryIsMissing, deregistrationRecords, registrationRecords, type RegistrationOptions } from './registration.ts';

const here = 'LTgjaufeaQUZzug7jJPQLw';
const elsewhere = 'r4jgWqfLR0OFdYqWfuliqA';
const topicId = 'T63K19hHRhSL9p6Qms6lHg';

function imageOf(...records: NewMetadataRecord[]): MetadataImage {
  const image = new MetadataImage();
  for (const record of records) image.apply(decodeMetadataRecord(encodeMetadataRecord(record, 29)));
  return image;
}

const config = resolveBrokerConfig({
  static: new Map([
    ['listeners', 'PLAINTEXT://:9092'],
    ['broker.rack', 'r1'],
  ]),
});
const options = (others: Partial<RegistrationOptions> = {}): RegistrationOptions => ({
  env: { randomBytes: (count) => Buffer.alloc(count, 7) },
  config,
  nodeId: 1,
  listeners: readListeners(config).listeners,
  nextOffset: 40,
  directories: [here],
  givenUp: [],
  directoryOf: () => undefined,
  bootstrap: undefined,
  ...others,
});

const level = (name: string, featureLevel: number): NewMetadataRecord => ({ type: 'FeatureLevelRecord', value: { name, featureLevel } });
const topic: NewMetadataRecord = { type: 'TopicRecord', value: { name: 'orders', topicId } };
const partition = (value: object = {}): NewMetadataRecord => ({
  type: 'PartitionRecord',
  value: {
    partitionId: 0,
    topicId,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 3,
    partitionEpoch: 4,
    directories: [here],
    ...value,
  },
});
const changesOf = (image: MetadataImage, others: Partial<RegistrationOptions> = {}): unknown[] =>
  registrationRecords(image, options(others)).flatMap(({ type, value }) => (type === 'PartitionChangeRecord' ? [value] : []));

test('a new cluster begins with the features this broker keeps, one that was formatted with what it was formatted with', () => {
  const kept = [level('metadata.version', 29), level('group.version', 1)];
  assert.deepEqual(registrationRecords(imageOf(), options()).slice(0, 2), kept);
  const formatted = [level('metadata.version', 25), level('group.version', 1)];
  assert.deepEqual(registrationRecords(imageOf(), options({ bootstrap: formatted })).slice(0, 2), formatted);
  assert.deepEqual(
    registrationRecords(imageOf(...kept), options({ bootstrap: formatted })).map(({ type }) => type),
    ['RegisterBrokerRecord'],
  );
});

test('a cluster that has no group.version yet comes to it at a start, if its metadata.version has room for it', () => {
  const [first] = registrationRecords(imageOf(level('metadata.version', 22)), options());
  assert.deepEqual(first, level('group.version', 1));
  const [older] = registrationRecords(imageOf(level('metadata.version', 21)), options());
  assert.equal(older?.type, 'RegisterBrokerRecord');
  const formatted = registrationRecords(imageOf(), options({ bootstrap: [level('metadata.version', 25)] }));
  assert.deepEqual(formatted.slice(0, 2), [level('metadata.version', 25), level('group.version', 1)]);
});

test('with eligible leader replicas a cluster has a setting for min.insync.replicas from the beginning, as a Kafka controller gives it', () => {
  const bootstrap = [level('metadata.version', 29), level('eligible.leader.replicas.version', 1)];
  assert.deepEqual(registrationRecords(imageOf(), options({ bootstrap }))[2], {
    type: 'ConfigRecord',
    value: { resourceType: 4, resourceName: '', name: 'min.insync.replicas', value: '1' },
  });
});

test('a registration says where, what and since when; its epoch is the offset, and never goes back', () => {
  const begun = [level('metadata.version', 29), level('group.version', 1)];
  const [record] = registrationRecords(imageOf(...begun), options());
  assert.deepEqual(record, {
    type: 'RegisterBrokerRecord',
    value: {
      brokerId: 1,
      isMigratingZkBroker: false,
      incarnationId: Buffer.alloc(16, 7).toString('base64url'),
      brokerEpoch: 40,
      endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      features: [
        { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 29 },
        { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      ],
      rack: 'r1',
      fenced: false,
      inControlledShutdown: false,
      logDirs: [here],
    },
  });
  const image = imageOf(...begun, record);
  const [again] = registrationRecords(image, options({ nextOffset: 12 }));
  assert.equal(again?.type === 'RegisterBrokerRecord' && again.value.brokerEpoch, 41);
});

test('every start leads its partitions in a new epoch, also those that Kafka left without a leader', () => {
  assert.deepEqual(changesOf(imageOf(topic, partition())), [{ partitionId: 0, topicId, leader: 1 }]);
  // Kafka's clean stop without and with eligible leader replicas.
  assert.deepEqual(changesOf(imageOf(topic, partition({ leader: -1 }))), [{ partitionId: 0, topicId, leader: 1 }]);
  assert.deepEqual(changesOf(imageOf(topic, partition({ leader: -1, isr: [], eligibleLeaderReplicas: [1] }))), [
    { partitionId: 0, topicId, leader: 1, isr: [1], eligibleLeaderReplicas: [], lastKnownElr: [] },
  ]);
});

test('what other brokers lead, or alone have in sync, is left to them', () => {
  const replicas = { replicas: [1, 2], directories: [here, elsewhere] };
  assert.deepEqual(changesOf(imageOf(topic, partition({ ...replicas, leader: 2, isr: [1, 2] }))), []);
  assert.deepEqual(changesOf(imageOf(topic, partition({ ...replicas, leader: -1, isr: [2] }))), []);
  assert.deepEqual(changesOf(imageOf(topic, partition({ replicas: [2], leader: -1, isr: [], directories: [elsewhere] }))), []);
});

test('the metadata follows the files: a partition lies where it is found', () => {
  const directoryOf = (name: string, index: number): string | undefined => (name === 'orders' && index === 0 ? here : undefined);
  assert.deepEqual(changesOf(imageOf(topic, partition()), { directoryOf }), [{ partitionId: 0, topicId, leader: 1 }]);
  for (const named of [unnamedDirectories.unassigned, unnamedDirectories.migrating, elsewhere]) {
    assert.deepEqual(changesOf(imageOf(topic, partition({ directories: [named] })), { directoryOf }), [
      { partitionId: 0, topicId, leader: 1, directories: [here] },
    ]);
  }
  const two = partition({ replicas: [2, 1], isr: [1, 2], directories: [elsewhere, unnamedDirectories.unassigned] });
  assert.deepEqual(changesOf(imageOf(topic, two), { directoryOf }), [
    { partitionId: 0, topicId, leader: 1, directories: [elsewhere, here] },
  ]);
});

test('a partition in a log dir that is not there is not begun again, unless that is asked for', () => {
  const image = imageOf(topic, partition({ directories: [elsewhere] }), partition({ partitionId: 1, directories: [elsewhere] }));
  assert.throws(
    () => checkNoDirectoryIsMissing(image, options()),
    /^WrongDirectoryError: the log dir with the directory.id r4jgWqfLR0OFdYqWfuliqA is not among log.dirs, and holds 2 partitions \(orders-0, …\): name it, or mount its disk; if it is gone for good, set storage.lost.log.dirs=r4jgWqfLR0OFdYqWfuliqA/,
  );
  checkNoDirectoryIsMissing(image, options({ directories: [here, elsewhere] }));
  checkNoDirectoryIsMissing(image, options({ directoryOf: () => here }));
  checkNoDirectoryIsMissing(imageOf(topic, partition({ directories: [unnamedDirectories.unassigned] })), options());
  checkNoDirectoryIsMissing(imageOf(topic, partition({ replicas: [2], directories: [elsewhere] })), options());
  const givenUp = [elsewhere];
  checkNoDirectoryIsMissing(image, options({ givenUp }));
  assert.deepEqual(changesOf(image, { givenUp })[0], { partitionId: 0, topicId, leader: 1, directories: [unnamedDirectories.unassigned] });
});

test('a stop says that the broker is gone, in the epoch that it had', () => {
  const [registered] = registrationRecords(imageOf(level('metadata.version', 29), level('group.version', 1)), options());
  const image = imageOf(registered as NewMetadataRecord);
  const records = deregistrationRecords(image, 1);
  assert.deepEqual(records, [
    { type: 'BrokerRegistrationChangeRecord', value: { brokerId: 1, brokerEpoch: 40, fenced: 1, inControlledShutdown: 1, logDirs: [] } },
  ]);
  for (const record of records) image.apply(decodeMetadataRecord(encodeMetadataRecord(record, 29)));
  assert.equal(image.brokers.get(1)?.fenced, true);
  assert.deepEqual(deregistrationRecords(image, 2), []);
});

test('a new replica goes to the only log dir of its broker, and to whichever the broker chooses where there are several', () => {
  const registered = (directories: string[]): MetadataImage =>
    imageOf(...registrationRecords(imageOf(level('metadata.version', 29)), options({ directories })));
  assert.equal(registered([here]).directoryOfNewReplica(1), here);
  assert.equal(registered([here, elsewhere]).directoryOfNewReplica(1), unnamedDirectories.unassigned);
  assert.equal(registered([here]).directoryOfNewReplica(2), unnamedDirectories.unassigned);
});
