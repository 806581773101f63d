import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { produceRequest, produceResponse, type ProduceResponse } from '../protocol/messages/produce.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { batchOf, createTopic, fetchAll, TOPIC } from './data-path.testing.ts';

const INCARNATION = 'ABCDEFGHIJKLMNOPQRSTUw';
const NOT_TOLD = { leaderId: -1, leaderEpoch: -1 };

/** Partition 0 of a new topic is led by broker 2, which listens on INSIDE alone; this broker listens on both. */
async function startWithAnotherLeader(): Promise<{ broker: TestBroker; topicId: string; outside: Connection }> {
  const broker = await startTestBroker({
    settings: {
      listeners: 'INSIDE://localhost:0,OUTSIDE://localhost:0',
      'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
    },
  });
  const topicId = await createTopic(broker, { partitions: 2 });
  const endPoints = [{ name: 'INSIDE', host: 'two.example', port: 9094, securityProtocol: 0 }];
  const registration = { brokerId: 2, incarnationId: INCARNATION, brokerEpoch: 9, endPoints, features: [], rack: 'r2', fenced: false };
  await broker.broker.metadata.execute(() => ({
    records: [
      { type: 'RegisterBrokerRecord', value: { ...registration, logDirs: [] } },
      { type: 'PartitionChangeRecord', value: { partitionId: 0, topicId, leader: 2 } },
    ],
    reply: undefined,
  }));
  const outside = await broker.connect({ port: broker.server.listeners[1]?.port ?? 0 });
  return { broker, topicId, outside };
}

const produceTo = (client: Connection, version: number, topicId: string, partition: number): Promise<ProduceResponse> =>
  client.request({ request: produceRequest, response: produceResponse }, version, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: TOPIC, topicId, partitionData: [{ index: partition, records: batchOf(['v']) }] }],
  });

for (let version = 9; version <= 13; version += 1) {
  test(`Produce ${version} to another's partition is told who leads it, and from version 10 on where`, async () => {
    const { broker, topicId, outside } = await startWithAnotherLeader();
    await using _ = broker;
    const id = version >= 13 ? topicId : ZERO_UUID;
    const told = await produceTo(broker.client, version, id, 0);
    const [partition] = told.responses[0]?.partitionResponses ?? [];
    assert.equal(errorNameOf(partition?.errorCode ?? 0), 'NOT_LEADER_OR_FOLLOWER');
    assert.deepEqual(partition?.currentLeader, version >= 10 ? { leaderId: 2, leaderEpoch: 1 } : NOT_TOLD);
    assert.deepEqual(told.nodeEndpoints, version >= 10 ? [{ nodeId: 2, host: 'two.example', port: 9094, rack: 'r2' }] : []);
    // By this listener the other broker cannot be reached: that it leads is told all the same.
    const elsewhere = await produceTo(outside, version, id, 0);
    assert.deepEqual(elsewhere.responses[0]?.partitionResponses[0]?.currentLeader, partition?.currentLeader);
    assert.deepEqual(elsewhere.nodeEndpoints, []);
    const own = await produceTo(broker.client, version, id, 1);
    assert.deepEqual([own.responses[0]?.partitionResponses[0]?.currentLeader, own.nodeEndpoints], [NOT_TOLD, []]);
  });
}

for (let version = 15; version <= 18; version += 1) {
  test(`Fetch ${version} in another's partition, or in an epoch that is over, is told who leads, from version 16 on`, async () => {
    const { broker, topicId, outside } = await startWithAnotherLeader();
    await using _ = broker;
    await broker.broker.metadata.execute(() => ({
      records: [{ type: 'PartitionChangeRecord', value: { partitionId: 1, topicId, leader: 1 } }],
      reply: undefined,
    }));
    const ask = async (client: Connection): Promise<unknown[]> => {
      const asked = [0, 1].map((partition) => ({ partition, topicId, offset: 0, currentLeaderEpoch: 0 }));
      const { responses, nodeEndpoints } = await fetchAll(client, asked, { version });
      const partitions = responses.flatMap((topic) => topic.partitions);
      return [partitions.map(({ errorCode, currentLeader }) => [errorNameOf(errorCode), currentLeader]), nodeEndpoints];
    };
    const told = version >= 16;
    const leaders = [
      ['NOT_LEADER_OR_FOLLOWER', told ? { leaderId: 2, leaderEpoch: 1 } : NOT_TOLD],
      ['FENCED_LEADER_EPOCH', told ? { leaderId: 1, leaderEpoch: 1 } : NOT_TOLD],
    ];
    const [inside, other] = broker.server.listeners;
    const here = (port: number | undefined): unknown => ({ nodeId: 1, host: 'localhost', port, rack: null });
    assert.deepEqual(await ask(broker.client), [
      leaders,
      told ? [{ nodeId: 2, host: 'two.example', port: 9094, rack: 'r2' }, here(inside?.port)] : [],
    ]);
    assert.deepEqual(await ask(outside), [leaders, told ? [here(other?.port)] : []]);
  });
}
