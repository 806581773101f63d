import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { describeClusterRequest, describeClusterResponse, type DescribeClusterResponse } from '../protocol/messages/describe-cluster.ts';

const ask = (
  { client }: Pick<TestBroker, 'client'>,
  version: number,
  options: { operations?: boolean; endpointType?: number } = {},
): Promise<DescribeClusterResponse> =>
  client.request({ request: describeClusterRequest, response: describeClusterResponse }, version, {
    includeClusterAuthorizedOperations: options.operations ?? false,
    endpointType: options.endpointType ?? 1,
    includeFencedBrokers: version >= 2,
  });

for (let version = 0; version <= 2; version += 1) {
  test(`DescribeCluster ${version} names the cluster, this broker at the address by which the client came, and a controller that is among the brokers`, async () => {
    await using broker = await startTestBroker({ settings: { 'broker.rack': 'r1', 'node.id': '7' } });
    const answer = await ask(broker, version);
    assert.equal(answer.errorCode, 0);
    assert.equal(answer.clusterId, broker.broker.clusterId);
    assert.deepEqual(answer.brokers, [{ brokerId: 7, host: 'localhost', port: broker.port, rack: 'r1', isFenced: false }]);
    assert.equal(answer.controllerId, 7);
    assert.equal(answer.clusterAuthorizedOperations, -(2 ** 31), 'nobody asked');
    // CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE
    assert.equal((await ask(broker, version, { operations: true })).clusterAuthorizedOperations, 8096);
  });
}

test('who means to ask controllers, or nobody that there is, is told that a broker has answered', async () => {
  await using broker = await startTestBroker();
  for (const version of [1, 2]) {
    const told = async (endpointType: number): Promise<string> => {
      const { errorCode, errorMessage, brokers } = await ask(broker, version, { endpointType });
      assert.deepEqual(brokers, []);
      return `${errorNameOf(errorCode)} ${errorMessage}`;
    };
    assert.equal(
      await told(2),
      'MISMATCHED_ENDPOINT_TYPE The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
    );
    assert.equal(await told(3), 'UNSUPPORTED_ENDPOINT_TYPE Unsupported endpoint type 3');
    assert.equal(await told(0), 'UNSUPPORTED_ENDPOINT_TYPE Unsupported endpoint type 0');
  }
});

test('each listener tells its own advertised address', async () => {
  await using broker = await startTestBroker({
    settings: {
      listeners: 'INSIDE://localhost:0,OUTSIDE://localhost:0',
      'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
      'advertised.listeners': 'OUTSIDE://broker.example:19092',
    },
  });
  const [inside, outside] = broker.server.listeners;
  assert.ok(inside && outside);
  const through = async (port: number): Promise<string> => {
    const { brokers } = await ask({ client: await broker.connect({ port }) }, 2);
    return `${brokers[0]?.host}:${brokers[0]?.port}`;
  };
  assert.equal(await through(inside.port), `localhost:${inside.port}`);
  assert.equal(await through(outside.port), 'broker.example:19092');
});
