// What idle connections cost: opens 10,000 from a second process, lets each ask once, and prints the server's memory
// per connection. Loopback only; needs a limit of open files above the count (`ulimit -n`).
//   node --expose-gc bench/connections.ts [count]
import { fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../src/base/log.ts';
import { makeRealClock } from '../src/base/real/clock.ts';
import { makeRealNetwork } from '../src/base/real/network.ts';
import type { Broker } from '../src/broker/broker.ts';
import { apiVersions, plaintext, testApis } from '../src/server/server.testing.ts';
import { startServer } from '../src/server/server.ts';
import { tell } from './alone.ts';

const count = Number(process.argv[2] ?? 10_000);

/** With a port it is the second process. */
const clientsOf = process.argv[3];
if (clientsOf === undefined) await measure();
else await playClients(Number(clientsOf));

async function measure(): Promise<void> {
  const broker: unknown = { nodeId: 1 };
  const server = await startServer({
    env: { ...makeRealClock(), network: makeRealNetwork() },
    listeners: [plaintext('127.0.0.1', 0)],
    apis: testApis().apis,
    broker: broker as Broker,
    log: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
  const port = server.listeners[0]?.port ?? 0;
  for (let round = 0; round < 50; round++) (await ask(port)).destroy();
  const before = memory();
  const clients = fork(import.meta.filename, [String(count), String(port)]);
  const startedMs = performance.now();
  await new Promise((resolve) => void clients.once('message', resolve));
  const openMs = performance.now() - startedMs;
  await sleep(1000);
  const after = memory();
  const open = server.connections().length;
  console.log(`${open} connections opened and answered once in ${openMs.toFixed(0)} ms`);
  for (const part of ['rss', 'heapUsed', 'external'] as const) {
    const [from, to] = [before[part], after[part]];
    const each = (to - from) / open / 1024;
    tell(`${part} KiB each`, each);
    console.log(`${part.padEnd(9)} ${(from / 2 ** 20).toFixed(1)} MiB -> ${(to / 2 ** 20).toFixed(1)} MiB, ${each.toFixed(1)} KiB each`);
  }
  clients.send('close');
  await new Promise((resolve) => void clients.once('exit', resolve));
  await server.stop({ graceMs: 2000 });
  if (process.connected) process.disconnect();
}

function memory(): NodeJS.MemoryUsage {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  return process.memoryUsage();
}

function ask(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('data', () => resolve(socket));
    socket.write(apiVersions(1));
  });
}

async function playClients(port: number): Promise<void> {
  const sockets: Socket[] = [];
  for (let opened = 0; opened < count; opened += 100) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(100, count - opened) }, () => ask(port)))));
  }
  process.once('message', () => process.exit(0));
  process.send?.(sockets.length);
}
