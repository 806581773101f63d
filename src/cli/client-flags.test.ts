import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBrokers, parseDuration, readClientSettings } from './client-flags.ts';

const usage = (message: RegExp) => ({ name: 'CommandError', exitCode: 2, message });

test('the address of a broker may leave out its port, be an IPv6 address, and name PLAINTEXT', () => {
  assert.deepEqual(parseBrokers('kafka, localhost:9093,[::1]:9094,PLAINTEXT://10.0.0.1:9095,fe80::1'), [
    { host: 'kafka', port: 9092 },
    { host: 'localhost', port: 9093 },
    { host: '::1', port: 9094 },
    { host: '10.0.0.1', port: 9095 },
    { host: 'fe80::1', port: 9092 },
  ]);
  for (const wrong of ['', ',', 'host:port', 'host:', ':9092', 'host:0', 'host:65536', 'a b', 'user@host'])
    assert.throws(() => parseBrokers(wrong), usage(/broker/), wrong);
  for (const secured of ['SSL://host:1', 'SASL_PLAINTEXT://host'])
    assert.throws(() => parseBrokers(secured), usage(/can only do PLAINTEXT/));
});

test('a time is given with its unit', () => {
  assert.deepEqual(
    ['250ms', '5s', '1.5m', '2h'].map((text) => parseDuration('--timeout', text)),
    [250, 5000, 90_000, 7_200_000],
  );
  for (const wrong of ['5', '', 's', '-1s', '5x'])
    assert.throws(() => parseDuration('--timeout', wrong), usage(/--timeout takes a time with its unit/));
});

test('brokers are taken from flags, then properties, then BUCKETRIDER_BROKERS, then KAFKA_BROKERS, then localhost', () => {
  const environment = { BUCKETRIDER_BROKERS: 'own:1', KAFKA_BROKERS: 'kafka:2' };
  const brokersOf = (...[flags, surroundings]: Parameters<typeof readClientSettings>): string =>
    readClientSettings(flags, surroundings).brokersText;
  assert.equal(brokersOf({ brokers: 'flag:3', property: ['bootstrap.servers=property:4'] }, environment), 'flag:3');
  assert.equal(brokersOf({ bootstrapServer: 'flag:3' }, environment), 'flag:3');
  assert.equal(brokersOf({ property: ['metadata.broker.list=property:4'] }, environment), 'property:4');
  assert.equal(brokersOf({}, environment), 'own:1');
  assert.equal(brokersOf({}, { KAFKA_BROKERS: 'kafka:2' }), 'kafka:2');
  assert.equal(brokersOf({}, {}), 'localhost:9092');
});

test('what a property asks for in the name of safety is refused, and what means nothing is passed over by name', () => {
  const { properties, ignored, timeoutMs } = readClientSettings(
    { property: ['acks=1', 'compression.codec=lz4', 'linger.ms=5', 'request.timeout.ms=1234'] },
    {},
  );
  assert.deepEqual([properties.get('acks'), properties.get('compression.type'), ignored, timeoutMs], ['1', 'lz4', ['linger.ms'], 1234]);
  for (const secured of ['ssl.ca.location=x', 'sasl.mechanism=PLAIN', 'security.protocol=SSL'])
    assert.throws(() => readClientSettings({ property: [secured] }, {}), usage(/TLS or a login|PLAINTEXT/));
  assert.throws(() => readClientSettings({ property: ['acks'] }, {}), usage(/-X takes key=value/));
  assert.throws(() => readClientSettings({ commandConfig: '/no/such/file' }, {}), usage(/cannot read \/no\/such\/file/));
});
