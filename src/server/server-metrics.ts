// What the server counts. Plain fields, since they change with every request; whoever shows them reads them.

/** How long requests of one API took, from their last byte to their answer. Buckets double from 1/8 ms to about a minute. */
export class LatencyHistogram {
  /** Upper bounds in ms, inclusive; one more bucket holds the rest. */
  static readonly boundsMs: readonly number[] = Array.from({ length: 20 }, (_, index) => 2 ** (index - 3));
  readonly counts = new Float64Array(LatencyHistogram.boundsMs.length + 1);
  count = 0;
  sumMs = 0;

  observe(ms: number): void {
    // The bucket is the exponent, rounded up: 32 - clz32(n - 1) is ceil(log2(n)) for whole n.
    const eighths = Math.min(Math.ceil(ms * 8), 2 ** 20);
    const bucket = eighths <= 1 ? 0 : 32 - Math.clz32(eighths - 1);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.count += 1;
    this.sumMs += ms;
  }
}

export class ServerMetrics {
  bytesIn = 0;
  bytesOut = 0;
  connectionsOpened = 0;
  /** Refused connections by the setting that refused them. */
  readonly connectionsRefused: Record<string, number> = {};
  connectionsPaused = 0;
  requestsInFlight = 0;
  protocolErrors = 0;
  slowFrames = 0;
  idleCloses = 0;
  acceptErrors = 0;
  /** By the name of the API. */
  readonly latency = new Map<string, LatencyHistogram>();

  latencyOf(apiName: string): LatencyHistogram {
    let histogram = this.latency.get(apiName);
    if (histogram === undefined) this.latency.set(apiName, (histogram = new LatencyHistogram()));
    return histogram;
  }
}
