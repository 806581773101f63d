// Who this broker is and how it is reached: identity, listeners, connections, requests in flight, security.
// Rows only; the syntax of listeners stands in listeners.ts, rules between settings in broker-configs.ts.

import {
  bytes,
  className,
  configTable,
  durationMs,
  int,
  INT_MAX,
  intBytes,
  intMs,
  KiB,
  list,
  MiB,
  minutes,
  oneOf,
  seconds,
  string,
} from './config-table.ts';

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

export const networkConfigs = configTable({
  'node.id': int({
    default: 1,
    min: 0,
    importance: 'high',
    doc: 'The number of this broker in its cluster; clients see it as the leader of partitions.',
  }),
  'broker.id': int({
    default: 1,
    importance: 'high',
    doc: 'The older name of node.id: set either, and the other follows, or both to the same number.',
  }),
  'broker.rack': string({ default: null, doc: 'Where this broker stands; clients that say their own rack may prefer it.' }),
  'cluster.id': string({
    default: null,
    doc: 'The id of the cluster that a new data directory is made for; unset, one is drawn. An existing directory must carry the same. (Ours: Kafka takes it when the directory is formatted.)',
  }),

  listeners: list({
    default: ['PLAINTEXT://localhost:9092'],
    mayBeEmpty: false,
    importance: 'high',
    doc: 'Where to listen, as NAME://host:port. Without a host every interface is meant, with localhost 127.0.0.1 and ::1; port 0 takes a free one. Unset, only this machine is served, where Kafka would listen on every interface.',
  }),
  'advertised.listeners': list({
    default: null,
    mayBeEmpty: false,
    importance: 'high',
    doc: 'What clients are told to connect to, as NAME://host:port for each listener. Unset, or auto, each connection is told the address at which it arrived.',
  }),
  'listener.security.protocol.map': string({
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    importance: 'low',
    doc: 'Which protocol each listener name speaks, as NAME:PROTOCOL pairs.',
  }),
  'controller.listener.names': list({
    default: [],
    importance: 'high',
    doc: 'Listeners meant for Kafka’s controllers. There are none here, so listeners of these names are not opened.',
  }),
  'inter.broker.listener.name': string({
    default: null,
    effect: 'accepted',
    doc: 'The listener over which brokers would talk to each other.',
  }),
  'security.inter.broker.protocol': oneOf(securityProtocols, {
    default: 'PLAINTEXT',
    effect: 'accepted',
    doc: 'The protocol over which brokers would talk to each other.',
  }),

  'socket.request.max.bytes': intBytes({
    default: 100 * MiB,
    min: 1,
    importance: 'high',
    doc: 'The largest request that is read; a connection that announces a larger one is closed before anything is allocated.',
  }),
  'socket.send.buffer.bytes': intBytes({
    default: 100 * KiB,
    importance: 'high',
    effect: 'accepted',
    doc: 'The send buffer of a socket; the operating system’s own is used.',
  }),
  'socket.receive.buffer.bytes': intBytes({
    default: 100 * KiB,
    importance: 'high',
    effect: 'accepted',
    doc: 'The receive buffer of a socket; the operating system’s own is used.',
  }),
  'socket.listen.backlog.size': int({
    default: 50,
    min: 1,
    effect: 'accepted',
    doc: 'How many connections may wait to be accepted; the platform’s own number is used.',
  }),
  'connections.max.idle.ms': durationMs({
    default: minutes(10),
    doc: 'How long a connection may be silent before it is closed.',
  }),
  'connections.max.reauth.ms': durationMs({
    default: 0,
    effect: 'accepted',
    doc: 'How long an authenticated session may last before the client has to authenticate again.',
  }),
  'connection.failed.authentication.delay.ms': intMs({
    default: 100,
    min: 0,
    importance: 'low',
    effect: 'accepted',
    doc: 'How long the answer to a failed authentication is held back.',
  }),
  'max.connections': int({
    default: INT_MAX,
    min: 0,
    update: 'cluster-wide',
    doc: 'How many connections may be open at a time; further ones are closed at once.',
  }),
  'max.connections.per.ip': int({
    default: INT_MAX,
    min: 0,
    update: 'cluster-wide',
    doc: 'How many connections one address may have open; further ones are closed at once.',
  }),
  'max.connections.per.ip.overrides': string({
    default: '',
    update: 'cluster-wide',
    doc: 'Other limits for single addresses, as address:count pairs.',
  }),
  'max.connection.creation.rate': int({
    default: INT_MAX,
    min: 0,
    update: 'cluster-wide',
    doc: 'How many connections are accepted per second.',
  }),
  'queued.max.requests': int({
    default: 500,
    min: 1,
    importance: 'high',
    effect: 'accepted',
    doc: 'How many requests Kafka queues between its threads; here requests in flight are bounded per connection and by bytes.',
  }),
  'queued.max.request.bytes': bytes({
    default: -1,
    doc: 'How many bytes of requests may be in hand over all connections before no more is read; -1 takes 128 MiB, or a sixteenth of what the container of the program allows, where Kafka sets no limit.',
  }),
  'request.timeout.ms': intMs({
    default: seconds(30),
    importance: 'high',
    effect: 'accepted',
    doc: 'How long this broker would wait for the answer of another.',
  }),
  'telemetry.max.bytes': intBytes({
    default: MiB,
    min: 1,
    importance: 'low',
    effect: 'accepted',
    doc: 'The largest report of its own metrics that a client may push (KIP-714).',
  }),

  'authorizer.class.name': string({
    default: '',
    importance: 'low',
    doc: 'Kafka’s authorizer. Access control is not built yet, so anything but empty is refused rather than ignored.',
  }),
  'principal.builder.class': className({
    default: 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
    effect: 'accepted',
    doc: 'The Java class that names a client’s principal. Java classes cannot be loaded, so only the default is taken.',
  }),
  'super.users': string({
    default: null,
    effect: 'accepted',
    doc: 'Principals that may do everything, as User:name separated by semicolons.',
  }),
  'sasl.enabled.mechanisms': list({
    default: ['GSSAPI'],
    effect: 'accepted',
    doc: 'How clients may authenticate on SASL listeners.',
  }),
});
