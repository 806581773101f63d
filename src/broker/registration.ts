// What a start says in the metadata log: this broker is here, with a new incarnation, and leads its partitions in a
// new epoch; and what a stop says: it is gone. Epochs grow with every start, so that clients can tell a log that may have lost its
// unacknowledged end. The records are such that Kafka finds the cluster as one of its own would have left it.
import type { Env } from '../base/env.ts';
import type { BrokerConfig } from '../config/broker-configs.ts';
import type { Listener } from '../config/listeners.ts';
import { isReservedDirectoryId, newUuid, unnamedDirectories } from '../storage/directory-ids.ts';
import { WrongDirectoryError } from '../storage/identity.ts';
import type { NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { GROUP_VERSION, lacksGroupVersion, METADATA_VERSION, supportedFeatures } from './features.ts';
import { resourceTypes, type MetadataImage, type PartitionImage, type TopicImage } from './image/metadata-image.ts';

/** SecurityProtocol.id of Kafka. */
const securityProtocolIds = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const;
const NO_LEADER = -1;
/** BrokerRegistrationFencingChange and BrokerRegistrationInControlledShutdownChange of Kafka. */
const FENCE = 1;
const IN_CONTROLLED_SHUTDOWN = 1;
const ELIGIBLE_LEADERS = 'eligible.leader.replicas.version';

/** Where this node's replicas lie. */
export interface Placement {
  readonly nodeId: number;
  /** The ids of the log dirs. */
  readonly directories: readonly string[];
  /** The ids of log dirs that will not come back, as whoever runs the broker has said. */
  readonly givenUp: readonly string[];
  /** The id of the log dir that holds the partition's files; undefined when it has none. */
  readonly directoryOf: (topic: string, index: number) => string | undefined;
}

export interface RegistrationOptions extends Placement {
  readonly env: Pick<Env, 'randomBytes'>;
  readonly config: BrokerConfig;
  readonly listeners: readonly Listener[];
  /** The offset that the first of the records gets. Kafka counts broker epochs by it. */
  readonly nextOffset: number;
  /** What a formatted log dir wants to begin with; undefined for our own defaults. */
  readonly bootstrap: readonly NewMetadataRecord[] | undefined;
}

/** The features of a new cluster: what this broker keeps the promise of, and no more. */
export function firstRecords(): NewMetadataRecord[] {
  return supportedFeatures.map(({ name, maxVersion }) => ({ type: 'FeatureLevelRecord', value: { name, featureLevel: maxVersion } }));
}

const groupVersionRecord: NewMetadataRecord = { type: 'FeatureLevelRecord', value: { name: GROUP_VERSION, featureLevel: 1 } };

export function registrationRecords(image: MetadataImage, options: RegistrationOptions): NewMetadataRecord[] {
  const records: NewMetadataRecord[] = [];
  if (!image.features.has(METADATA_VERSION)) records.push(...bootstrapRecords(options));
  const levels = new Map(image.features);
  for (const { type, value } of records) if (type === 'FeatureLevelRecord') levels.set(value.name, value.featureLevel);
  if (lacksGroupVersion(levels)) records.push(groupVersionRecord);
  records.push(registerBroker(image, options));
  for (const topic of image.topics.values())
    for (const partition of topic.partitions) {
      const change = takeLeadership(topic, partition, options);
      if (change !== undefined) records.push(change);
    }
  return records;
}

/**
 * A partition whose log dir is not there would begin again, empty, in another.
 * @throws WrongDirectoryError
 */
export function checkNoDirectoryIsMissing(image: MetadataImage, placement: Placement): void {
  const missing = new Map<string, string[]>();
  for (const topic of image.topics.values())
    for (const partition of topic.partitions) {
      const id = missingDirectory(topic, partition, placement);
      if (id === undefined || placement.givenUp.includes(id)) continue;
      const lost = missing.get(id);
      if (lost === undefined) missing.set(id, [`${topic.name}-${partition.index}`]);
      else lost.push(`${topic.name}-${partition.index}`);
    }
  for (const [id, lost] of missing) {
    throw new WrongDirectoryError(
      `the log dir with the directory.id ${id} is not among log.dirs, and holds ${lost.length} partition${lost.length === 1 ? '' : 's'} (${lost[0] ?? ''}${lost.length === 1 ? '' : ', …'}): name it, or mount its disk; if it is gone for good, set storage.lost.log.dirs=${[...missing.keys()].join()}, and they begin again, empty`,
    );
  }
}

/** Undefined when the partition's files are found, or no dir was ever named for them. */
function missingDirectory(topic: TopicImage, partition: PartitionImage, placement: Placement): string | undefined {
  const id = partition.directories[partition.replicas.indexOf(placement.nodeId)];
  if (id === undefined || isReservedDirectoryId(id) || placement.directories.includes(id)) return undefined;
  return placement.directoryOf(topic.name, partition.index) === undefined ? id : undefined;
}

/** What an orderly stop says: Kafka need not wait for a session to end before it takes the broker's id. */
export function deregistrationRecords(image: MetadataImage, nodeId: number): NewMetadataRecord[] {
  const broker = image.brokers.get(nodeId);
  if (broker === undefined) return [];
  const value = { brokerId: nodeId, brokerEpoch: broker.epoch, fenced: FENCE, inControlledShutdown: IN_CONTROLLED_SHUTDOWN };
  return [{ type: 'BrokerRegistrationChangeRecord', value: { ...value, logDirs: [] } }];
}

/** As a controller of Kafka activates: with eligible leader replicas, a cluster has a setting for min.insync.replicas from the beginning. */
function bootstrapRecords({ bootstrap, config }: RegistrationOptions): NewMetadataRecord[] {
  const records = [...(bootstrap ?? firstRecords())];
  const hasEligibleLeaders = records.some(
    ({ type, value }) => type === 'FeatureLevelRecord' && value.name === ELIGIBLE_LEADERS && value.featureLevel > 0,
  );
  if (hasEligibleLeaders) {
    const name = 'min.insync.replicas';
    records.push({
      type: 'ConfigRecord',
      value: { resourceType: resourceTypes.broker, resourceName: '', name, value: String(config[name]) },
    });
  }
  return records;
}

function registerBroker(image: MetadataImage, options: RegistrationOptions): NewMetadataRecord {
  const { env, config, nodeId, listeners, nextOffset, directories } = options;
  const before = image.brokers.get(nodeId);
  return {
    type: 'RegisterBrokerRecord',
    value: {
      brokerId: nodeId,
      isMigratingZkBroker: false,
      incarnationId: newUuid(env),
      brokerEpoch: Math.max(nextOffset, (before?.epoch ?? -1) + 1),
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
      logDirs: directories,
    },
  };
}

function takeLeadership(topic: TopicImage, partition: PartitionImage, options: RegistrationOptions): NewMetadataRecord | undefined {
  const { nodeId, directoryOf } = options;
  const at = partition.replicas.indexOf(nodeId);
  // After Kafka's clean stop there is no leader, and with eligible leader replicas nobody in sync either.
  const mayLead =
    partition.leader === nodeId || (partition.leader === NO_LEADER && (partition.isr.length === 0 || partition.isr.includes(nodeId)));
  if (at < 0 || !mayLead) return undefined;
  const isr = partition.isr.includes(nodeId) ? undefined : [nodeId];
  const found = directoryOf(topic.name, partition.index);
  const lies = found ?? (missingDirectory(topic, partition, options) === undefined ? undefined : unnamedDirectories.unassigned);
  const moved = lies !== undefined && partition.directories[at] !== lies;
  return {
    type: 'PartitionChangeRecord',
    value: {
      partitionId: partition.index,
      topicId: topic.id,
      // Naming the leader, even the same one, raises the leader epoch by one.
      leader: nodeId,
      ...(isr !== undefined && { isr, eligibleLeaderReplicas: [], lastKnownElr: [] }),
      ...(moved && { directories: withDirectory(partition, at, lies) }),
    },
  };
}

function withDirectory({ replicas, directories }: PartitionImage, at: number, id: string): string[] {
  return replicas.map((_, index) => (index === at ? id : (directories[index] ?? unnamedDirectories.migrating)));
}
