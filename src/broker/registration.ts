// What a start says in the metadata log: this broker is here, with a new incarnation, and leads its partitions in a
// new epoch. Epochs grow with every start, so that clients can tell a log that may have lost its unacknowledged end.
import type { Env } from '../base/env.ts';
import type { BrokerConfig } from '../config/broker-configs.ts';
import type { Listener } from '../config/listeners.ts';
import type { NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { METADATA_VERSION, METADATA_VERSION_LEVEL, supportedFeatures } from './features.ts';
import type { MetadataImage } from './image/metadata-image.ts';

/** SecurityProtocol.id of Kafka. */
const securityProtocolIds = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const;

export function registrationRecords(
  image: MetadataImage,
  options: { env: Env; config: BrokerConfig; nodeId: number; listeners: readonly Listener[] },
): NewMetadataRecord[] {
  const { env, config, nodeId, listeners } = options;
  const records: NewMetadataRecord[] = [];
  if (!image.features.has(METADATA_VERSION)) {
    records.push({ type: 'FeatureLevelRecord', value: { name: METADATA_VERSION, featureLevel: METADATA_VERSION_LEVEL } });
  }
  const before = image.brokers.get(nodeId);
  records.push({
    type: 'RegisterBrokerRecord',
    value: {
      brokerId: nodeId,
      isMigratingZkBroker: false,
      incarnationId: Buffer.from(env.randomBytes(16)).toString('base64url'),
      brokerEpoch: (before?.epoch ?? 0) + 1,
      // What the settings say; a client is told the address at which it arrived where they leave that open.
      endPoints: listeners.map(({ name, protocol, host, port, advertised }) => ({
        name,
        host: advertised.host ?? host ?? 'localhost',
        port: advertised.port ?? port,
        securityProtocol: securityProtocolIds[protocol],
      })),
      features: supportedFeatures.map(({ name, minVersion, maxVersion }) => ({
        name,
        minSupportedVersion: minVersion,
        maxSupportedVersion: maxVersion,
      })),
      rack: config['broker.rack'],
      fenced: false,
      inControlledShutdown: false,
      logDirs: [],
    },
  });
  for (const topic of image.topics.values()) {
    for (const { index, leader } of topic.partitions) {
      // Naming the leader, even the same one, raises the leader epoch by one.
      if (leader === nodeId)
        records.push({ type: 'PartitionChangeRecord', value: { partitionId: index, topicId: topic.id, leader: nodeId } });
    }
  }
  return records;
}
