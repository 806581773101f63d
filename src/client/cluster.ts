// A cluster as a client sees it: found through any of its brokers, known by its metadata, with one link to each broker
// that is needed. Says which broker to ask; what is asked is in the files beside this one.
import { KafkaError, NONE } from '../protocol/errors.ts';
import { metadataRequest, metadataResponse, type MetadataResponse } from '../protocol/messages/metadata.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { BrokerLink, formatAddress, kafkaErrorOf, type Address, type ClientEnv, type LinkOptions } from './broker-link.ts';
import { attemptOf, UnreachableError, type Attempt } from './client-errors.ts';
import { ConnectionClosedError } from './connection.ts';
import { isRetriable, retrying } from './waiting.ts';

export interface ClusterOptions extends Omit<LinkOptions, 'requestTimeoutMs'> {
  /** Where to begin; tried in this order until one answers. */
  readonly brokers: readonly Address[];
  /** For one request, and for how long a request is repeated that fails for a passing reason. */
  readonly timeoutMs: number;
}

export interface BrokerMetadata extends Address {
  readonly nodeId: number;
  readonly rack: string | null;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** -1: none at the moment. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
  readonly offlineReplicas: readonly number[];
}

export interface TopicMetadata {
  readonly name: string;
  /** Undefined where the broker is too old to have ids. */
  readonly id: string | undefined;
  readonly internal: boolean;
  /** In order. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly clusterId: string | null;
  /** -1: none at the moment. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerMetadata[];
  /** What exists of what was asked for, in order of the names. */
  readonly topics: ReadonlyMap<string, TopicMetadata>;
  /** Why the others could not be had. */
  readonly refusals: ReadonlyMap<string, KafkaError>;
}

/** A request that a broker holds back keeps what follows on its connection waiting: who makes such requests has a link of its own. */
export type LinkUse = 'shared' | 'group member';

const metadata = { request: metadataRequest, response: metadataResponse };
/** From here on an empty list of topics means none, and not all. */
const FIRST_VERSION_WITH_NONE = 1;
/** Before it, asking for a topic always makes it where the broker does that. */
const FIRST_VERSION_WITH_CHOICE = 4;
const MOST_CLOSED = 2;

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #linkOptions: LinkOptions;
  readonly #links = new Map<string, Promise<BrokerLink>>();
  /** Addresses that have answered at least once. */
  readonly #reached = new Set<string>();
  /** The link that everything is asked through which any broker can answer. */
  #entry: BrokerLink;
  #brokers: readonly BrokerMetadata[] = [];
  #controllerId = -1;
  readonly #topics = new Map<string, TopicMetadata>();
  #closed = false;

  private constructor(options: ClusterOptions, linkOptions: LinkOptions, entry: BrokerLink) {
    this.#options = options;
    this.#linkOptions = linkOptions;
    this.#entry = entry;
    this.#keep(entry);
  }

  /** @throws UnreachableError when none of the brokers answers */
  static async connect(options: ClusterOptions): Promise<Cluster> {
    const linkOptions = { ...options, requestTimeoutMs: options.timeoutMs };
    return new Cluster(options, linkOptions, await firstThatAnswers(options.brokers, linkOptions));
  }

  get env(): ClientEnv {
    return this.#options.env;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /** A broker, whichever; opened anew when the last one is gone. */
  async any(): Promise<BrokerLink> {
    this.#checkOpen();
    if (!this.#entry.closed) return this.#entry;
    try {
      this.#entry = await firstThatAnswers([...this.#brokers, ...this.#options.brokers], this.#linkOptions);
    } catch (thrown) {
      throw thrown instanceof UnreachableError ? new UnreachableError(thrown.attempts, { onceReached: true }) : thrown;
    }
    this.#keep(this.#entry);
    return this.#entry;
  }

  /**
   * What the cluster says of itself and of these topics; `all` are all topics, an empty list is none.
   * @throws KafkaError when the answer as a whole is an error; what is wrong with a topic is among the `refusals`
   */
  async metadata(topics: readonly string[] | 'all', options: { allowAutoTopicCreation?: boolean } = {}): Promise<ClusterMetadata> {
    let closedCount = 0;
    // A listener that wants a login closes the connection at the first real request, every time.
    const mayRetry = (thrown: unknown): boolean =>
      isRetriable(thrown) && !(thrown instanceof ConnectionClosedError && (closedCount += 1) > MOST_CLOSED);
    return retrying(this.env, { withinMs: this.timeoutMs, mayRetry }, async () => {
      const link = await this.any();
      const answer = await link.request(metadata, (version) => ({
        topics: topics === 'all' ? (version < FIRST_VERSION_WITH_NONE ? [] : null) : topics.map((name) => ({ name, topicId: ZERO_UUID })),
        allowAutoTopicCreation: version < FIRST_VERSION_WITH_CHOICE || (options.allowAutoTopicCreation ?? false),
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      }));
      if (answer.errorCode !== NONE) throw kafkaErrorOf(answer.errorCode, null);
      return this.#learn(answer);
    });
  }

  /** The topic as it was last heard of, asked for when it never was. @throws KafkaError */
  async topic(name: string, { fresh = false }: { fresh?: boolean } = {}): Promise<TopicMetadata> {
    const known = this.#topics.get(name);
    if (known !== undefined && !fresh) return known;
    const { topics, refusals } = await this.metadata([name]);
    const topic = topics.get(name);
    if (topic === undefined) throw refusals.get(name) ?? new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    return topic;
  }

  /** @throws KafkaError LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION; UnreachableError */
  async leaderOf(topic: string, partition: number): Promise<BrokerLink> {
    return this.link(await this.leaderIdOf(topic, partition));
  }

  /** The node id of the leader. @throws KafkaError LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION */
  async leaderIdOf(topic: string, partition: number): Promise<number> {
    const found = (await this.topic(topic)).partitions.find((one) => one.partition === partition);
    if (found === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}`);
    if (found.leader < 0) throw new KafkaError('LEADER_NOT_AVAILABLE', `partition ${partition} of ${topic} has no leader at the moment`);
    return found.leader;
  }

  /** The broker that changes topics. */
  async controller(): Promise<BrokerLink> {
    if (this.#brokers.length === 0) await this.metadata([]);
    return this.#controllerId < 0 ? this.any() : this.link(this.#controllerId);
  }

  /** True when the last metadata named this broker. */
  knows(nodeId: number): boolean {
    return this.#brokers.some((one) => one.nodeId === nodeId);
  }

  /**
   * A link to the broker at the address it tells clients.
   * @throws UnreachableError with `advertisedBy` when that address leads nowhere
   */
  async link(nodeId: number, use: LinkUse = 'shared'): Promise<BrokerLink> {
    this.#checkOpen();
    if (this.#brokers.length === 0) await this.metadata([]);
    const broker = this.#brokers.find((one) => one.nodeId === nodeId);
    if (broker === undefined) throw new KafkaError('BROKER_NOT_AVAILABLE', `the cluster has no broker ${nodeId} at the moment`);
    return this.#linkTo(broker, use);
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values())
      link.then(
        (opened) => opened.close(),
        () => undefined,
      );
  }

  async #linkTo(broker: BrokerMetadata, use: LinkUse): Promise<BrokerLink> {
    const { host, port } = broker;
    const address = formatAddress(broker);
    const key = use === 'shared' ? address : `${address} ${use}`;
    const known = await this.#links.get(key);
    if (known !== undefined && !known.closed) return known;
    const opening = BrokerLink.open({ host, port }, this.#linkOptions);
    this.#links.set(key, opening);
    try {
      const link = await opening;
      this.#reached.add(address);
      return link;
    } catch (thrown) {
      if (this.#links.get(key) === opening) this.#links.delete(key);
      const advertisedBy = formatAddress(this.#entry.address);
      throw new UnreachableError([attemptOf(address, thrown)], { advertisedBy, onceReached: this.#reached.has(address) });
    }
  }

  #keep(link: BrokerLink): void {
    const address = formatAddress(link.address);
    this.#links.set(address, Promise.resolve(link));
    this.#reached.add(address);
  }

  #learn({ clusterId, controllerId, brokers, topics }: MetadataResponse): ClusterMetadata {
    this.#brokers = brokers;
    this.#controllerId = controllerId;
    const found = new Map<string, TopicMetadata>();
    const refusals = new Map<string, KafkaError>();
    for (const topic of topics.toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))) {
      const name = topic.name ?? '';
      if (topic.errorCode === NONE) {
        found.set(name, topicOf(name, topic));
        this.#topics.set(name, topicOf(name, topic));
      } else {
        refusals.set(name, kafkaErrorOf(topic.errorCode, null));
        this.#topics.delete(name);
      }
    }
    return { clusterId, controllerId, brokers: brokers.toSorted((a, b) => a.nodeId - b.nodeId), topics: found, refusals };
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error('the client is closed');
  }
}

function topicOf(name: string, topic: MetadataResponse['topics'][number]): TopicMetadata {
  return {
    name,
    id: topic.topicId === ZERO_UUID ? undefined : topic.topicId,
    internal: topic.isInternal,
    partitions: topic.partitions
      .map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas }) => ({
        partition: partitionIndex,
        leader: leaderId,
        leaderEpoch,
        replicas: replicaNodes,
        inSyncReplicas: isrNodes,
        offlineReplicas,
      }))
      .toSorted((a, b) => a.partition - b.partition),
  };
}

async function firstThatAnswers(addresses: readonly Address[], options: LinkOptions): Promise<BrokerLink> {
  const attempts: Attempt[] = [];
  const tried = new Set<string>();
  for (const { host, port } of addresses) {
    const address = formatAddress({ host, port });
    if (tried.has(address)) continue;
    tried.add(address);
    try {
      return await BrokerLink.open({ host, port }, options);
    } catch (thrown) {
      attempts.push(attemptOf(address, thrown));
    }
  }
  throw new UnreachableError(attempts);
}
