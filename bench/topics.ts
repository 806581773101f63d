// Topics for a run, made through the protocol as a client would, and waited for until every partition answers.
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRealNetwork } from '../src/base/real/network.ts';
import { Connection } from '../src/client/connection.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../src/protocol/messages/api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from '../src/protocol/messages/create-topics.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../src/protocol/messages/list-offsets.ts';

const ANSWERS_WITHIN_MS = 60_000;
const TOPIC_ALREADY_EXISTS = 36;
const LATEST = -1;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export async function withConnection<Result>(address: Address, work: (connection: Connection) => Promise<Result>): Promise<Result> {
  const connection = await Connection.connect({ ...address, network: makeRealNetwork(), clientId: 'bench' });
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

export async function createTopic(address: Address, name: string, numPartitions: number): Promise<void> {
  await withConnection(address, async (connection) => {
    const created = await connection.request({ request: createTopicsRequest, response: createTopicsResponse }, 7, {
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: ANSWERS_WITHIN_MS,
      validateOnly: false,
    });
    const { errorCode = -1, errorMessage = '' } = created.topics[0] ?? {};
    if (errorCode !== 0 && errorCode !== TOPIC_ALREADY_EXISTS)
      throw new Error(`topic ${name} was not made: error ${errorCode} ${errorMessage ?? ''}`);
    await waitForTopic(connection, name, numPartitions);
  });
}

/** Kafka answers CreateTopics before its partitions can be written to. */
export async function waitForTopic(connection: Connection, name: string, numPartitions: number): Promise<void> {
  for (const deadlineMs = performance.now() + ANSWERS_WITHIN_MS; ;) {
    const answered = await askEndOffsets(connection, name, numPartitions);
    const refused = answered.find(({ errorCode }) => errorCode !== 0);
    if (refused === undefined) return;
    if (performance.now() > deadlineMs)
      throw new Error(`partition ${refused.partitionIndex} of ${name} answers error ${refused.errorCode} for too long`);
    await sleep(50);
  }
}

/** One past the last record of each partition. */
export function endOffsets(address: Address, name: string, numPartitions: number): Promise<number[]> {
  return withConnection(address, async (connection) => {
    const answered = await askEndOffsets(connection, name, numPartitions);
    return answered.map(({ offset }) => offset);
  });
}

async function askEndOffsets(connection: Connection, name: string, numPartitions: number): Promise<AnsweredPartition[]> {
  const answer = await connection.request({ request: listOffsetsRequest, response: listOffsetsResponse }, 5, {
    replicaId: -1,
    isolationLevel: 0,
    timeoutMs: ANSWERS_WITHIN_MS,
    topics: [{ name, partitions: Array.from({ length: numPartitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: LATEST })) }],
  });
  return answer.topics.flatMap(({ partitions }) => partitions);
}

interface AnsweredPartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly offset: number;
}

/** Resolves when a broker on that address has answered ApiVersions. */
export async function firstApiVersions(address: Address): Promise<void> {
  for (const deadlineMs = performance.now() + ANSWERS_WITHIN_MS; ;) {
    try {
      await withConnection(address, (connection) =>
        connection.request({ request: apiVersionsRequest, response: apiVersionsResponse }, 3, {
          clientSoftwareName: 'bench',
          clientSoftwareVersion: '1',
        }),
      );
      return;
    } catch (thrown) {
      if (performance.now() > deadlineMs) throw thrown;
      await sleep(2);
    }
  }
}
