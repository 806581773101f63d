import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { apiVersionsRequest, apiVersionsResponse, type ApiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { supportedFeatures } from '../broker/features.ts';
import { featuresToldTo } from './api-versions.ts';
import { apis } from './index.ts';
import { createTopics } from './topic-admin.testing.ts';

const ask = (
  { client }: Pick<TestBroker, 'client'>,
  version: number,
  name = 'test-client',
  software = '1.0',
): Promise<ApiVersionsResponse> =>
  client.request({ request: apiVersionsRequest, response: apiVersionsResponse }, version, {
    clientSoftwareName: name,
    clientSoftwareVersion: software,
  });

for (let version = 0; version <= 4; version += 1) {
  test(`ApiVersions ${version} tells of every API that is served its versions, and of no other`, async () => {
    await using broker = await startTestBroker();
    const { errorCode, apiKeys } = await ask(broker, version);
    assert.equal(errorCode, 0);
    const expected = [...apis.values()].map(({ key, minVersion, maxVersion }) => [key, key === 0 ? 0 : minVersion, maxVersion] as const);
    assert.deepEqual(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
      expected.sort(([left], [right]) => left - right),
    );
  });
}

test('Produce is told from version 0 on, since older clients stop compressing without it, and InitProducerId ends before its unstable version', async () => {
  await using broker = await startTestBroker();
  const { apiKeys } = await ask(broker, 4);
  assert.deepEqual(
    apiKeys.find(({ apiKey }) => apiKey === 0),
    { apiKey: 0, minVersion: 0, maxVersion: 13 },
  );
  assert.equal(apiKeys.find(({ apiKey }) => apiKey === 22)?.maxVersion, 5);
});

test('telemetry is not told of while nobody receives it', async () => {
  await using broker = await startTestBroker();
  const { apiKeys } = await ask(broker, 4);
  assert.deepEqual(
    apiKeys.filter(({ apiKey }) => apiKey === 71 || apiKey === 72),
    [],
  );
});

test('a client says what it is from version 3 on, and what it may say has Kafka’s pattern', async () => {
  await using broker = await startTestBroker();
  for (const version of [3, 4]) {
    for (const [name, software, accepted] of [
      ['apache-kafka-java', '4.2.0', true],
      ['a', '1', true],
      ['a.b-c', '1.2-x', true],
      ['', '1', false],
      ['a', '', false],
      ['a b', '1', false],
      ['-a', '1', false],
      ['a-', '1', false],
      ['a\n', '1', false],
      ['a', '1/2', false],
    ] as const) {
      const { errorCode, apiKeys } = await ask(broker, version, name, software);
      assert.deepEqual(
        [errorNameOf(errorCode), apiKeys.length > 0],
        accepted ? ['NONE', true] : ['INVALID_REQUEST', false],
        `${name}/${software}`,
      );
    }
  }
  const [connection] = broker.server.connections();
  assert.deepEqual([connection?.clientSoftwareName, connection?.clientSoftwareVersion], ['a.b-c', '1.2-x'], 'the last that was accepted');
});

test('a version that is not served is answered in version 0 with UNSUPPORTED_VERSION and our own range, and the connection stays', async () => {
  await using broker = await startTestBroker();
  // As a client of Kafka 4.4 does.
  const newer = { ...apiVersionsRequest, versions: { min: 0, max: 5 }, compiled: { decoders: [], encoders: [] } };
  const answer = await broker.client.request({ request: newer, response: v0Of(apiVersionsResponse) }, 5, {
    clientSoftwareName: 'x',
    clientSoftwareVersion: '1',
  });
  assert.equal(errorNameOf(answer.errorCode), 'UNSUPPORTED_VERSION');
  assert.deepEqual(answer.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
  assert.equal((await ask(broker, 4)).errorCode, 0);
});

/** The table as it is in version 0, whatever version is asked. */
function v0Of(table: typeof apiVersionsResponse): typeof apiVersionsResponse {
  const none = { min: 0, max: -1 };
  const fields = Object.fromEntries(
    Object.entries(table.fields).map(([name, field]) => [name, field.versions.min === 0 ? field : { ...field, versions: none }]),
  );
  return {
    ...table,
    versions: { min: 0, max: 5 },
    flexible: none,
    fields: fields as typeof table.fields,
    compiled: { decoders: [], encoders: [] },
  };
}

test('of features only what is built is told, with the level in force and the offset at which it was', async () => {
  await using broker = await startTestBroker();
  for (const version of [3, 4]) {
    const answer = await ask(broker, version);
    assert.deepEqual(
      answer.supportedFeatures.map(({ name, minVersion, maxVersion }) => `${name} ${minVersion}-${maxVersion}`),
      version === 3 ? ['metadata.version 7-29'] : ['metadata.version 7-29', 'group.version 0-1'],
    );
    assert.deepEqual(answer.finalizedFeatures, [
      { name: 'metadata.version', maxVersionLevel: 29, minVersionLevel: 29 },
      { name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 },
    ]);
    assert.ok(answer.finalizedFeaturesEpoch >= 0);
    assert.equal(answer.zkMigrationReady, false);
  }
  const before = (await ask(broker, 4)).finalizedFeaturesEpoch;
  await createTopics(broker, ['orders']);
  assert.ok((await ask(broker, 4)).finalizedFeaturesEpoch > before, 'the epoch grows with the metadata');
});

test('a level that the directory has finalized for a feature that is not built is not told', async () => {
  await using broker = await startTestBroker();
  await broker.broker.metadata.execute(() => ({
    records: [{ type: 'FeatureLevelRecord', value: { name: 'transaction.version', featureLevel: 2 } }],
    reply: undefined,
  }));
  const { finalizedFeatures } = await ask(broker, 4);
  assert.deepEqual(
    finalizedFeatures.map(({ name }) => name),
    supportedFeatures.map(({ name }) => name),
  );
});

test('a feature that begins at level 0 is told from version 4 on', () => {
  const features = [
    { name: 'group.version', minVersion: 0, maxVersion: 1 },
    { name: 'metadata.version', minVersion: 7, maxVersion: 29 },
  ];
  assert.deepEqual(featuresToldTo(3, features), features.slice(1));
  assert.deepEqual(featuresToldTo(4, features), features);
});
