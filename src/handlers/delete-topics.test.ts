import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse, type DeleteTopicsRequest } from '../protocol/messages/delete-topics.ts';
import { ZERO_UUID } from '../protocol/reader.ts';

const createTopics = { request: createTopicsRequest, response: createTopicsResponse };
const deleteTopics = { request: deleteTopicsRequest, response: deleteTopicsResponse };

async function create({ client }: TestBroker, ...names: string[]): Promise<Map<string, string>> {
  const topics = names.map((name) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }));
  const answer = await client.request(createTopics, 7, { topics });
  return new Map(answer.topics.map(({ name, topicId }) => [name, topicId]));
}

async function remove({ client }: TestBroker, version: number, asked: Partial<DeleteTopicsRequest>): Promise<string[]> {
  const { responses } = await client.request(deleteTopics, version, { topics: [], topicNames: [], timeoutMs: 1000, ...asked });
  return responses.map(({ name, errorCode }) => `${name} ${errorNameOf(errorCode)}`);
}

test('topics go by name in every version, and a name that is not there is told so', async () => {
  await using broker = await startTestBroker();
  for (let version = 1; version <= 6; version += 1) {
    await create(broker, 'orders');
    const asked =
      version < 6 ? { topicNames: ['orders', 'none'] } : { topics: ['orders', 'none'].map((name) => ({ name, topicId: ZERO_UUID })) };
    const outcomes = await remove(broker, version, asked);
    assert.deepEqual(outcomes.sort(), ['none UNKNOWN_TOPIC_OR_PARTITION', 'orders NONE']);
    assert.equal(broker.broker.image.findTopic('orders'), undefined);
  }
});
