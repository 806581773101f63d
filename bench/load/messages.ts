// What the runner asks of the load generator, and what it hears back. Plain data: the two are processes of their own.

interface Target {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  /** The load keeps to the partitions 0 to `partitions` - 1. */
  readonly partitions: number;
  readonly connections: number;
  /** Not counted: what the target needs to get warm. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface BatchShape {
  /** The most one batch may have; as many records as fit. */
  readonly batchBytes: number;
  /** Of the value of one record. */
  readonly recordBytes: number;
}

export interface ProduceLoad extends Target, BatchShape {
  readonly kind: 'produce';
  /** A request carries one batch for each of so many partitions. */
  readonly batchesPerRequest: number;
  /** Requests of one connection that wait for their answer; Java's producer allows itself 5. */
  readonly inFlight: number;
  /** Requests a second over all connections, sent when they are due whatever came back; 0: as fast as the answers come. */
  readonly requestsPerSecond: number;
  /** Stops after so many requests, counted from the start; 0: goes by the clock alone. */
  readonly totalRequests: number;
}

export interface FetchLoad extends Target, BatchShape {
  readonly kind: 'fetch';
  /** Requests ask for this much of one partition; a connection has one request in flight, as Java's consumer has. */
  readonly maxBytes: number;
  /** Reads the range [fromOffset, toOffset) of each partition, again and again. */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Ends when every connection has read its range once. */
  readonly once: boolean;
}

/** Members of groups, each on a connection of its own. */
export interface GroupLoad extends Target {
  readonly kind: 'group';
  /**
   * What the members do again and again: say that they live, or commit one offset each, one request in flight for each member;
   * or, all members of one group at once, join and sync. Of a rebalance a request is the whole of it, until the last member has its
   * share. What begins with `consumer` is spoken by the consumer group protocol, everything else by the classic one.
   */
  readonly what: 'heartbeat' | 'commit' | 'rebalance' | 'consumer-heartbeat' | 'consumer-rebalance' | 'consumer-join';
  readonly groups: number;
  readonly membersPerGroup: number;
  /** Of those that rebalance: how many times. */
  readonly rebalances: number;
}

/** Commits, without members, the same offset of every partition for each of so many groups, a request for each. */
export interface CommitAllLoad extends Target {
  readonly kind: 'commit-all';
  readonly topics: readonly string[];
  readonly groups: number;
}

export type Load = ProduceLoad | FetchLoad | GroupLoad | CommitAllLoad;

export interface LoadResult {
  readonly seconds: number;
  readonly requests: number;
  /** Of record batches, in either direction. */
  readonly bytes: number;
  readonly records: number;
  /** What was answered from the first request to the last, also before and after what is measured: what the server worked for. */
  readonly allRequests: number;
  readonly allBytes: number;
  readonly allRecords: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number };
  /** How much of one core the generator itself took. */
  readonly generatorCpu: number;
}

export type Reply = { readonly result: LoadResult } | { readonly failure: string };
