// Names that are not ours and that people's files and environments hold all the same: settings of Kafka that have no meaning
// here, settings that Kafka itself no longer has, and environment variables that only look like settings.
// Lists only; read-settings.ts decides what is said about them.

/** Settings of Kafka that are passed over with one notice. A name that ends in * stands for all that begin so. */
export const passedOver: readonly string[] = [
  'add.partitions.to.txn.*',
  'allow.everyone.if.no.acl.found',
  'alter.log.dirs.replication.quota.*',
  'auto.include.jmx.reporter',
  'background.threads',
  'broker.heartbeat.interval.ms',
  'broker.id.generation.enable',
  'broker.session.timeout.ms',
  'client.quota.callback.class',
  'config.providers*',
  'confluent.*',
  'control.plane.listener.name',
  'controlled.shutdown.*',
  'controller.*',
  'delegation.token.*',
  'delete.records.purgatory.purge.interval.requests',
  'early.start.listeners',
  'eligible.leader.replicas.enable',
  'fetch.purgatory.purge.interval.requests',
  'group.share.enable',
  'initial.broker.registration.timeout.ms',
  'inter.broker.protocol.version',
  'kafka.metrics.*',
  'leader.imbalance.*',
  'listener.name.*',
  'log.message.downconversion.enable',
  'log.message.format.version',
  'log.message.timestamp.difference.max.ms',
  'metadata.*',
  'metric.reporters',
  'metrics.num.samples',
  'metrics.recording.level',
  'metrics.sample.window.ms',
  'num.io.threads',
  'num.network.threads',
  'num.replica.*',
  'password.encoder.*',
  'process.roles',
  'producer.purgatory.purge.interval.requests',
  'remote.*',
  'replica.fetch.backoff.ms',
  'replica.fetch.min.bytes',
  'replica.fetch.response.max.bytes',
  'replica.fetch.wait.max.ms',
  'replica.selector.class',
  'replica.socket.*',
  'replication.quota.*',
  'reserved.broker.max.id',
  'sasl.*',
  'security.providers',
  'server.max.startup.time.ms',
  'share.coordinator.*',
  'share.fetch.purgatory.purge.interval.requests',
  'socket.connection.setup.*',
  'ssl.*',
  'unclean.leader.election.interval.ms',
  'unstable.*',
  'zookeeper.*',
];

/** Policies that a Java class enforces: who relies on one must not find it silently gone. */
const javaPolicies = ['create.topic.policy.class.name', 'alter.config.policy.class.name'];

/** What to write instead of settings that Kafka had long ago. */
const replaced: Readonly<Record<string, string>> = {
  port: 'listeners, as PLAINTEXT://host:port',
  'host.name': 'listeners, as PLAINTEXT://host:port',
  'advertised.port': 'advertised.listeners, as PLAINTEXT://host:port',
  'advertised.host.name': 'advertised.listeners, as PLAINTEXT://host:port',
  'log.retention.seconds': 'log.retention.ms',
  'create.topics': 'the command `bucketrider topic create`',
};

const exact = new Set(passedOver.filter((name) => !name.endsWith('*')));
const beginnings = passedOver.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));

export function isMeaninglessHere(name: string): boolean {
  return exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
}

export function isJavaPolicy(name: string): boolean {
  return javaPolicies.includes(name);
}

export function replacementOf(name: string): string | undefined {
  return Object.hasOwn(replaced, name) ? replaced[name] : undefined;
}

/** Variables for the JVM, for images, for clients in the same environment, and those that Kubernetes makes for a service of this name. */
const foreignVariables = [
  /^(KAFKA|BUCKETRIDER)_(BROKERS|BOOTSTRAP_SERVERS?)$/,
  /^(KAFKA|BUCKETRIDER)_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP)(_.+)?)$/,
  /^KAFKA_(VERSION|SCALA_VERSION|HOME|OPTS|HEAP_OPTS|JVM_PERFORMANCE_OPTS|GC_LOG_OPTS|CLASSPATH|MODE|DEBUG)$/,
  /^KAFKA_(JMX|LOG4J|LOG4J2|TOOLS_LOG4J|DEBUG|JDK|JAVA|BASE|CONF|LOGS|MOUNTED|VOLUME|DAEMON|REST)_.+$/,
  /^KAFKA_(CONF_DIR|CONF_FILE|ENABLE_KRAFT|USER|UID|GID)$/,
];

export function isForeignVariable(variable: string): boolean {
  return foreignVariables.some((pattern) => pattern.test(variable));
}
