import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveBrokerConfig } from './broker-configs.ts';
import { advertisedAddress, bindAddresses, readListeners } from './listeners.ts';

const read = (settings: Record<string, string>) => readListeners(resolveBrokerConfig({ static: new Map(Object.entries(settings)) }));
const derived = { host: null, port: null };

test('unset, one plaintext listener serves this machine on port 9092', () => {
  const { listeners } = read({});
  assert.deepEqual(listeners, [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: 'localhost', port: 9092, advertised: derived }]);
  assert.deepEqual(bindAddresses({ host: 'localhost' }), { oneOf: ['127.0.0.1'], also: ['::1'] });
});

test('hosts may be absent, names, IPv4 or IPv6 with or without brackets, and ports 0', () => {
  const { listeners } = read({
    listeners: 'plaintext://:9092, EXT://0.0.0.0:9094,SIX://[::1]:9095,BARE://fe80::1:9096,FREE://my-host.example_1:0,FREE2://:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,ext:plaintext, SIX:PLAINTEXT,BARE:PLAINTEXT,FREE:PLAINTEXT,FREE2:PLAINTEXT',
  });
  assert.deepEqual(
    listeners.map(({ name, host, port }) => [name, host, port]),
    [
      ['PLAINTEXT', null, 9092],
      ['EXT', '0.0.0.0', 9094],
      ['SIX', '::1', 9095],
      ['BARE', 'fe80::1', 9096],
      ['FREE', 'my-host.example_1', 0],
      ['FREE2', null, 0],
    ],
  );
  assert.deepEqual(bindAddresses({ host: null }), { oneOf: ['::', '0.0.0.0'], also: [] });
  assert.deepEqual(bindAddresses({ host: '0.0.0.0' }), { oneOf: ['0.0.0.0'], also: [] });
});

test('listeners for Kafka’s controllers are told apart and not opened, so that Kafka’s own server.properties works', () => {
  const { listeners, controllerListeners } = read({
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'controller.listener.names': 'CONTROLLER',
    'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    'listener.security.protocol.map': 'CONTROLLER:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL',
  });
  assert.deepEqual(
    listeners.map(({ name }) => name),
    ['PLAINTEXT'],
  );
  assert.deepEqual(listeners[0]?.advertised, { host: 'localhost', port: 9092 });
  assert.deepEqual(controllerListeners, ['CONTROLLER']);
});

test('one IPv4 and one IPv6 address may share a port', () => {
  const map = { 'listener.security.protocol.map': 'A:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT' };
  assert.equal(read({ listeners: 'A://127.0.0.1:9092,B://[::1]:9092', ...map }).listeners.length, 2);
  for (const listeners of [
    'A://:9092,B://:9092',
    'A://127.0.0.1:9092,B://127.0.0.2:9092',
    'A://127.0.0.1:9092,B://host:9092',
    'A://127.0.0.1:9092,B://[::1]:9092,C://:9092',
  ])
    assert.throws(() => read({ listeners, ...map }), { name: 'ConfigError', message: /have the same port/ }, listeners);
});

test('an advertised address wins, part by part, over the one at which a client arrived', () => {
  const [inside, outside] = read({
    listeners: 'INSIDE://:9092,OUTSIDE://:9094',
    'advertised.listeners': 'OUTSIDE://broker.example:19094',
    'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
  }).listeners;
  assert.ok(inside && outside);
  assert.deepEqual(advertisedAddress(outside, { localAddress: '10.0.0.7', localPort: 9094 }), { host: 'broker.example', port: 19_094 });
  assert.deepEqual(advertisedAddress(inside, { localAddress: '10.0.0.7', localPort: 9092 }), { host: '10.0.0.7', port: 9092 });
  const [portOnly] = read({ 'advertised.listeners': 'PLAINTEXT://:19092' }).listeners;
  assert.ok(portOnly);
  assert.deepEqual(advertisedAddress(portOnly, { localAddress: '10.0.0.7', localPort: 9092 }), { host: '10.0.0.7', port: 19_092 });
  const [hostOnly] = read({ listeners: 'PLAINTEXT://:0', 'advertised.listeners': 'PLAINTEXT://broker:0' }).listeners;
  assert.ok(hostOnly);
  assert.deepEqual(advertisedAddress(hostOnly, { localAddress: '::1', localPort: 40_000 }), { host: 'broker', port: 40_000 });
});

test('unset or auto, a client is told where it arrived: loopback as localhost, IPv4 in its own form', () => {
  for (const settings of [{}, { 'advertised.listeners': 'auto' }]) {
    const [listener] = read(settings).listeners;
    assert.ok(listener);
    const told = (localAddress: string) => advertisedAddress(listener, { localAddress, localPort: 9092 });
    assert.deepEqual(told('127.0.0.1'), { host: 'localhost', port: 9092 });
    assert.deepEqual(told('::ffff:127.0.0.1'), { host: 'localhost', port: 9092 });
    assert.deepEqual(told('::1'), { host: 'localhost', port: 9092 });
    assert.deepEqual(told('::ffff:192.168.1.5'), { host: '192.168.1.5', port: 9092 });
    assert.deepEqual(told('2001:db8::5'), { host: '2001:db8::5', port: 9092 });
  }
});

const refused: readonly [settings: Record<string, string>, message: RegExp][] = [
  [{ listeners: 'foo' }, /cannot read 'foo'; write NAME:\/\/host:port/],
  [{ listeners: 'PLAINTEXT://a b:9092' }, /cannot read/],
  [{ listeners: '://:9092' }, /cannot read/],
  [{ listeners: 'PLAINTEXT://:99999' }, /ports end at 65535/],
  [{ listeners: 'PLAINTEXT://:-1' }, /cannot read/],
  [{ listeners: 'PLAINTEXT://:9092,PLAINTEXT://:9093' }, /have the same name/],
  [{ listeners: 'X://:9092' }, /does not say which protocol listener X speaks; add X:PLAINTEXT/],
  [{ listeners: 'SSL://:9093' }, /listener SSL is to speak SSL, which is not built yet/],
  [{ listeners: 'IN://:9093', 'listener.security.protocol.map': 'IN:SASL_PLAINTEXT' }, /SASL_PLAINTEXT, which is not built yet/],
  [{ 'listener.security.protocol.map': 'PLAINTEXT:FOO' }, /does not end in a protocol; it is one of PLAINTEXT, SSL/],
  [{ 'listener.security.protocol.map': 'C' }, /cannot read 'C'|write NAME:PROTOCOL/],
  [{ 'controller.listener.names': 'PLAINTEXT' }, /holds only listeners that controller.listener.names reserves/],
  [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, /nobody can connect to 0.0.0.0/],
  [{ 'advertised.listeners': 'PLAINTEXT://[::]:9092' }, /nobody can connect to ::/],
  [{ 'advertised.listeners': 'A://h:9092' }, /there is no listener A for 'A:\/\/h:9092'; listeners has PLAINTEXT/],
  [{ 'advertised.listeners': 'PLAINTEXT://h:1,PLAINTEXT://g:1' }, /names PLAINTEXT twice/],
  [{ 'advertised.listeners': 'localhost:9092' }, /advertised.listeners: cannot read 'localhost:9092'/],
];

for (const [settings, message] of refused)
  test(`${Object.entries(settings)
    .map((pair) => pair.join('='))
    .join(' ')} is refused with the reason and the remedy`, () => {
    assert.throws(() => read(settings), { name: 'ConfigError', message });
  });
