// Listeners and limits of connections as the built program has them: real sockets, over both versions of IP, and what it
// says when it cannot listen.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { suite, test } from 'node:test';
import { makeRealNetwork } from '../src/base/real/network.ts';
import { Connection } from '../src/client/connection.ts';
import { metadataRequest, metadataResponse } from '../src/protocol/messages/metadata.ts';
import { buildCommandLine } from './cli.testing.ts';
import { Attacker, requestHead, sized } from './hostile/attacker.ts';

const cli = await buildCommandLine('cli-listeners');
const network = makeRealNetwork();
const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));

/** Where the broker says that it is, to a client that came to this host and port. */
async function toldAt(host: string, port: number): Promise<string[]> {
  const connection = await Connection.connect({ network, host, port, clientId: 'test' });
  const body = { topics: [], includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false };
  const { brokers } = await connection.request({ request: metadataRequest, response: metadataResponse }, 12, body);
  connection.close();
  return brokers.map((broker) => `${broker.host}:${broker.port}`);
}

const set = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

const portOf = (bootstrap: string): number => Number(/:(\d+)$/.exec(bootstrap)?.[1]);

const apiVersions = sized(requestHead(18, 0, 1));

async function taken(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, host, listening));
  return { server, port: (server.address() as AddressInfo).port };
}

suite('bucketrider start', { concurrency: 3 }, () => {
  test('opens several listeners over IPv4 and IPv6, and each tells its clients its own address', async () => {
    const names = hasIPv6 ? ['FOUR', 'ALL', 'TOLD', 'SIX'] : ['FOUR', 'ALL', 'TOLD'];
    const hosts: Record<string, string> = { FOUR: '127.0.0.1', ALL: '', TOLD: 'localhost', SIX: '[::1]' };
    const broker = cli.spawn([
      'start',
      '--memory',
      ...set({
        listeners: names.map((name) => `${name}://${hosts[name]}:0`).join(','),
        'listener.security.protocol.map': names.map((name) => `${name}:PLAINTEXT`).join(','),
        'advertised.listeners': 'TOLD://kafka.example:19092',
      }),
    ]);
    const [banner] = await broker.printed(/[\s\S]*^ready 127\.0\.0\.1:\d+$/m);
    const port = (name: string): number => Number(new RegExp(`:(\\d+) \\(${name}\\)`).exec(banner)?.[1]);
    assert.match(banner, /localhost:\d+ \(TOLD\), clients are told kafka\.example:19092/);
    assert.deepEqual(await toldAt('127.0.0.1', port('FOUR')), [`localhost:${port('FOUR')}`]);
    assert.deepEqual(await toldAt('127.0.0.1', port('ALL')), [`localhost:${port('ALL')}`]);
    assert.deepEqual(await toldAt('127.0.0.1', port('TOLD')), ['kafka.example:19092']);
    if (hasIPv6) {
      assert.deepEqual(await toldAt('::1', port('SIX')), [`localhost:${port('SIX')}`]);
      assert.deepEqual(await toldAt('::1', port('ALL')), [`localhost:${port('ALL')}`]);
      assert.deepEqual(await toldAt('::1', port('TOLD')), ['kafka.example:19092']);
      await assert.rejects(toldAt('::1', port('FOUR')), /ECONNREFUSED/);
    }
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });

  test('keeps to the limits of connections and requests that it is given', async () => {
    const broker = await cli.start(...set({ 'max.connections.per.ip': '2', 'socket.request.max.bytes': '1000' }));
    const port = portOf(broker.bootstrap);
    const [one, two] = [await Attacker.connect(network, port), await Attacker.connect(network, port)];
    for (const client of [one, two]) {
      client.send(apiVersions);
      await client.until(1);
      assert.equal(client.answers.length, 1);
    }
    const third = await Attacker.connect(network, port);
    third.send(apiVersions);
    await third.until(1);
    assert.deepEqual([third.answers.length, third.closed], [0, true]);
    two.send(sized(Buffer.concat([requestHead(18, 0, 2), Buffer.alloc(1000)])));
    await two.until(2);
    assert.deepEqual([two.answers.length, two.closed], [1, true]);
    await broker.said(/a connection is refused: max\.connections\.per\.ip is reached/);
    await broker.said(/declares \d+ bytes, and 1000 are allowed \(socket\.request\.max\.bytes\)/);
    one.leave();
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });

  test('closes who is silent for connections.max.idle.ms, and does not wait for them when it stops', async () => {
    const broker = await cli.start(...set({ 'connections.max.idle.ms': '400' }));
    const client = await Attacker.connect(network, portOf(broker.bootstrap));
    client.send(apiVersions);
    await client.until(2);
    assert.deepEqual([client.answers.length, client.closed], [1, true]);
    broker.child.kill('SIGTERM');
    assert.equal((await broker.ended).code, 0);
  });

  test('refuses listeners of protocols that are not built with 2, and says which listener and what to do', async () => {
    for (const protocol of ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL']) {
      const listeners = {
        listeners: 'OPEN://localhost:0,SAFE://localhost:0',
        'listener.security.protocol.map': `OPEN:PLAINTEXT,SAFE:${protocol}`,
      };
      const { code, stdout, stderr } = await cli.run(['start', '--memory', ...set(listeners)]);
      assert.match(
        stderr,
        new RegExp(`listener SAFE is to speak ${protocol}, which is not built yet; only PLAINTEXT is. Remove the listener, or`),
      );
      assert.deepEqual([code, stdout], [2, '']);
    }
  });

  test('ends with 1 where any of its ports is in use, and names the listener', async () => {
    for (const host of hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
      const { server, port } = await taken(host);
      const { code, stdout, stderr } = await cli.run([
        'start',
        '--memory',
        ...set({
          listeners: `FREE://localhost:0,BUSY://localhost:${port}`,
          'listener.security.protocol.map': 'FREE:PLAINTEXT,BUSY:PLAINTEXT',
        }),
      ]);
      server.close();
      assert.match(stderr, new RegExp(`listener BUSY \\(localhost:${port}\\): port ${port} is in use by another process`));
      assert.deepEqual([code, stdout], [1, '']);
    }
  });

  test('ends with 1 where it is to listen at an address that this machine does not have', async () => {
    const { code, stderr } = await cli.run(['start', '--memory', '--host', '192.0.2.1', '--port', '0']);
    assert.match(stderr, /this machine has no address 192\.0\.2\.1; listeners names an address of this machine, advertised\.listeners/);
    assert.equal(code, 1);
  });
});
