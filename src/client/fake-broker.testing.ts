// A broker that says what a test tells it to say, over the wire in memory: for versions that ours does not have, answers
// that it would not give, and silences.
import { present } from '../base/invariant.ts';
import { makeMemoryEnv, type MemoryEnv } from '../base/memory/env.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryNetwork } from '../base/memory/network.ts';
import { makeCompute } from '../base/real/compute.ts';
import type { ListeningSocket, Socket } from '../base/env.ts';
import { decode } from '../protocol/codec.ts';
import { NONE } from '../protocol/errors.ts';
import { decodeRequestHeader, encodeResponseFrame, peekRequest } from '../protocol/headers.ts';
import { apiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { apis, apisByKey } from '../protocol/messages/index.ts';
import type { MetadataResponse } from '../protocol/messages/metadata.ts';
import { Reader, ZERO_UUID } from '../protocol/reader.ts';
import type { Encodable, Message } from '../protocol/schema.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';

export interface AskedRequest {
  readonly api: string;
  readonly version: number;
  readonly body: never;
  readonly port: number;
}

/** What to answer; undefined is silence, 'close' ends the connection. */
export type Answers = Record<string, (body: never, request: AskedRequest) => unknown>;

export interface FakeBrokerOptions {
  readonly port: number;
  /** Newest and oldest version by the API's name; all that we know when left out. */
  readonly ranges?: Readonly<Record<string, readonly [min: number, max: number]>>;
  readonly answers: Answers;
}

export const TIMEOUT_MS = 10_000;

/** A world with a wire, a clock and one client. */
export class FakeWorld {
  readonly clock = new FakeClock();
  readonly wire = new MemoryNetwork({ clock: this.clock });
  readonly compute = makeCompute();
  readonly env: MemoryEnv = makeMemoryEnv({ compute: this.compute, clock: this.clock, wire: this.wire });
  /** Every request but ApiVersions, in the order in which they came. */
  readonly asked: AskedRequest[] = [];

  async broker({ port, ranges, answers }: FakeBrokerOptions): Promise<ListeningSocket> {
    const served = Object.entries(ranges ?? everything);
    return this.env.network.listen({ host: 'localhost', port }, (socket) => {
      serve(socket, (frame) => {
        const reader = new Reader(frame);
        const api = present(apisByKey.get(peekRequest(reader).apiKey), 'the API');
        const { correlationId, requestApiVersion: version } = decodeRequestHeader(api.request, reader);
        if (api.name === 'ApiVersions') return answerVersions(served, { version, correlationId });
        const asked = { api: api.name, version, body: decode(api.request, version, reader) as never, port };
        this.asked.push(asked);
        const body = answers[api.name]?.(asked.body, asked);
        if (body === 'close') return 'close';
        if (body === undefined) return undefined;
        return Buffer.concat(encodeResponseFrame(api.response, { version, correlationId }, body as Encodable<Message>));
      });
    });
  }

  cluster(options: Partial<ClusterOptions> & { ports: readonly number[] }): Promise<Cluster> {
    return Cluster.connect({
      env: this.env,
      brokers: options.ports.map((port) => ({ host: 'localhost', port })),
      clientId: 'test',
      software: { name: 'test', version: '1' },
      connectTimeoutMs: 1000,
      timeoutMs: TIMEOUT_MS,
      ...options,
    });
  }

  /** `Metadata Metadata Produce`, say. */
  get askedApis(): string {
    return this.asked.map(({ api }) => api).join(' ');
  }
}

const everything = Object.fromEntries(apis.map(({ name, request }) => [name, [request.versions.min, request.versions.max] as const]));

function answerVersions(
  served: readonly (readonly [string, readonly [number, number]])[],
  { version, correlationId }: { version: number; correlationId: number },
) {
  const apiKeys = served.map(([name, [minVersion, maxVersion]]) => ({
    apiKey: present(
      apis.find((api) => api.name === name),
      name,
    ).key,
    minVersion,
    maxVersion,
  }));
  const own = served.find(([name]) => name === 'ApiVersions')?.[1] ?? [0, 0];
  const known = version <= own[1];
  const body = { errorCode: known ? NONE : 35, apiKeys, throttleTimeMs: 0, supportedFeatures: [], finalizedFeatures: [] };
  return Buffer.concat(encodeResponseFrame(apiVersionsResponse, { version: known ? version : 0, correlationId }, body));
}

function serve(socket: Socket, answer: (frame: Buffer) => Buffer | 'close' | undefined): void {
  let received = Buffer.alloc(0);
  socket.listen({
    data: (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        const told = answer(received.subarray(4, end));
        received = received.subarray(end);
        if (told === 'close') {
          socket.destroy();
          return;
        }
        if (told !== undefined) socket.write([told]);
      }
    },
    ended: () => socket.end(),
    drained: () => undefined,
    closed: () => undefined,
  });
}

export interface FakeTopic {
  readonly name: string;
  readonly id?: string;
  /** Leader of each partition. */
  readonly leaders: readonly number[];
}

/** An answer to Metadata: broker n is at localhost:n unless `addresses` says otherwise. */
export function metadataOf(
  brokers: readonly number[],
  topics: readonly FakeTopic[],
  addresses: Readonly<Record<number, { host: string; port: number }>> = {},
): Partial<MetadataResponse> {
  return {
    throttleTimeMs: 0,
    brokers: brokers.map((nodeId) => ({ nodeId, rack: null, ...(addresses[nodeId] ?? { host: 'localhost', port: nodeId }) })),
    clusterId: 'fake',
    controllerId: brokers[0] ?? -1,
    errorCode: NONE,
    topics: topics.map(({ name, id = ZERO_UUID, leaders }) => ({
      errorCode: NONE,
      name,
      topicId: id,
      isInternal: false,
      topicAuthorizedOperations: -2_147_483_648,
      partitions: leaders.map((leaderId, partitionIndex) => ({
        errorCode: NONE,
        partitionIndex,
        leaderId,
        leaderEpoch: 0,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
        offlineReplicas: [],
      })),
    })),
  };
}
