// What the server takes from the settings, as plain numbers, and the bounds of its own that no setting names.
import type { BrokerConfig } from '../config/broker-configs.ts';
import { parseConnectionOverrides } from '../config/broker-rules.ts';
import type { AdmissionLimits } from './admission.ts';
import type { ConnectionLimits } from './connection.ts';

export interface ServerConfig extends ConnectionLimits, AdmissionLimits {
  /** Bytes of requests over all connections, arrived or set aside; past it sockets are not read. */
  readonly queuedMaxRequestBytes: number;
}

const MiB = 1024 * 1024;

/** Kafka's defaults where Kafka has the setting; for `queued.max.request.bytes`, where Kafka's is no limit, a real one. */
export const defaultServerConfig: ServerConfig = {
  socketRequestMaxBytes: 100 * MiB,
  connectionsMaxIdleMs: 600_000,
  frameTimeoutMs: 60_000,
  maxRequestsInFlight: 256,
  maxBytesInFlight: 32 * MiB,
  slowRequestMs: 1_000,
  queuedMaxRequestBytes: 128 * MiB,
  maxConnections: 2_147_483_647,
  maxConnectionsPerIp: 2_147_483_647,
  maxConnectionsPerIpOverrides: new Map(),
  maxConnectionCreationRate: 2_147_483_647,
};

/** `mostConnections`: for so many there are descriptors, whatever the settings allow. */
export function serverConfigOf(config: BrokerConfig, mostConnections = Infinity): ServerConfig {
  const queuedBytes = config['queued.max.request.bytes'];
  const idleMs = config['connections.max.idle.ms'];
  return {
    ...defaultServerConfig,
    socketRequestMaxBytes: config['socket.request.max.bytes'],
    connectionsMaxIdleMs: idleMs < 0 ? Infinity : idleMs,
    queuedMaxRequestBytes: queuedBytes > 0 ? queuedBytes : defaultServerConfig.queuedMaxRequestBytes,
    maxConnections: Math.min(config['max.connections'], mostConnections),
    maxConnectionsPerIp: config['max.connections.per.ip'],
    maxConnectionsPerIpOverrides: parseConnectionOverrides(config['max.connections.per.ip.overrides']),
    maxConnectionCreationRate: config['max.connection.creation.rate'],
  };
}
