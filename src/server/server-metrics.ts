// What the server counts. Plain fields, since they change with every request; the registry reads them when somebody looks.
import { latencySeconds, type Histogram, type Metrics } from '../base/metrics.ts';

/** Why a connection was cut by us, other than by a stop. */
export type CutReason = 'protocol' | 'slow' | 'idle';

export class ServerMetrics {
  bytesIn = 0;
  bytesOut = 0;
  connectionsOpened = 0;
  /** By the setting that refused them. */
  readonly connectionsRefused: Record<string, number> = {};
  readonly connectionsCut: Record<CutReason, number> = { protocol: 0, slow: 0, idle: 0 };
  connectionsPaused = 0;
  requestsInFlight = 0;
  acceptErrors = 0;
  readonly #latency: (api: string) => Histogram;

  constructor(registry: Metrics) {
    const latency = registry.histogram(
      'bucketrider_request_seconds',
      'Time from the last byte of a request to its answer, by API',
      latencySeconds,
      ['api'],
    );
    this.#latency = (api) => latency.with({ api });
    registry.measure('bucketrider_requests_in_flight', 'Requests in hand', () => this.requestsInFlight);
    registry.measure('bucketrider_received_bytes_total', 'Bytes received from clients', () => this.bytesIn, 'counter');
    registry.measure('bucketrider_sent_bytes_total', 'Bytes sent to clients', () => this.bytesOut, 'counter');
    registry.measure('bucketrider_connections_opened_total', 'Connections let in', () => this.connectionsOpened, 'counter');
    registry.measureEach(
      'bucketrider_connections_refused_total',
      'Connections turned away, by the setting that refused them',
      ['reason'],
      () => readings(this.connectionsRefused),
      'counter',
    );
    registry.measureEach(
      'bucketrider_connections_cut_total',
      'Connections closed because of a broken protocol, a request that came too slowly, or silence',
      ['reason'],
      () => readings(this.connectionsCut),
      'counter',
    );
    registry.measure('bucketrider_connections_paused', 'Connections that are not read at the moment', () => this.connectionsPaused);
    registry.measure('bucketrider_accept_errors_total', 'Connections that the system could not accept', () => this.acceptErrors, 'counter');
  }

  latencyOf(apiName: string): Histogram {
    return this.#latency(apiName);
  }
}

const readings = (counts: Readonly<Record<string, number>>): [{ reason: string }, number][] =>
  Object.entries(counts).map(([reason, count]) => [{ reason }, count]);
