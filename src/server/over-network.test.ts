// The server over networks as a whole: sockets of this machine, and those in memory with chunks of any size.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Env, Socket } from '../base/env.ts';
import { CollectingLogger } from '../base/log.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryNetwork } from '../base/memory/network.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { makeRealClock } from '../base/real/clock.ts';
import { makeRealNetwork } from '../base/real/network.ts';
import type { Broker } from '../broker/broker.ts';
import type { ServerConfig } from './server-config.ts';
import { metadata, plaintext, produce, produceAnswer, testApis } from './server.testing.ts';
import { startServer, type Server, type ServerOptions } from './server.ts';

type World = { env: ServerOptions['env'] };

/** A client that counts what it hears. */
class Client {
  readonly socket: Socket;
  bytes = Buffer.alloc(0);
  closed = false;
  #changed: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.listen({
      data: (chunk) => {
        this.bytes = Buffer.concat([this.bytes, chunk]);
        this.#wake();
      },
      ended: () => socket.end(),
      drained: () => this.#wake(),
      closed: () => {
        this.closed = true;
        this.#wake();
      },
    });
  }

  #wake(): void {
    for (const look of this.#changed) look();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
      };
      this.#changed.push(look);
      look();
    });
  }

  get correlationIds(): number[] {
    const ids: number[] = [];
    for (let at = 0; at + 8 <= this.bytes.length && at + 4 + this.bytes.readInt32BE(at) <= this.bytes.length;) {
      ids.push(this.bytes.readInt32BE(at + 4));
      at += 4 + this.bytes.readInt32BE(at);
    }
    return ids;
  }

  /** All of it, as fast as the server takes it. */
  async send(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += 256 * 1024) {
      if (this.socket.write([bytes.subarray(at, at + 256 * 1024)])) continue;
      await this.until(() => this.socket.queuedBytes === 0 || this.closed);
    }
  }
}

async function startIn({ env }: World, config: Partial<ServerConfig> = {}, host = '127.0.0.1'): Promise<Server> {
  const { defer } = env;
  const handle = (request: { acks: number }): unknown => {
    const answer = request.acks === 0 ? undefined : produceAnswer;
    return new Promise((resolve) => defer(() => resolve(answer)));
  };
  const broker: unknown = { nodeId: 1 };
  return startServer({
    env,
    listeners: [plaintext(host, 0)],
    apis: testApis({ 0: { handle } }).apis,
    broker: broker as Broker,
    config,
    log: new CollectingLogger(),
    onFatal: (error) => {
      throw error;
    },
  });
}

const portOf = (server: Server): number => server.listeners[0]?.port ?? 0;

const connectTo = async ({ env }: World, server: Server, host = '127.0.0.1'): Promise<Client> =>
  new Client(await env.network.connect({ host, port: portOf(server) }));

function suite(name: string, make: () => World): void {
  describe(`the server over ${name}`, () => {
    test('answers pipelined requests in order, of several clients at once', async () => {
      const world = make();
      const server = await startIn(world, { maxRequestsInFlight: 16, maxBytesInFlight: 100_000, queuedMaxRequestBytes: 200_000 });
      const random = new SeededRandom(7);
      const clients = await Promise.all(Array.from({ length: 5 }, () => connectTo(world, server)));
      await Promise.all(
        clients.map(async (client) => {
          const expected: number[] = [];
          const requests: Buffer[] = [];
          for (let id = 0; id < 200; id++) {
            const acks = random.chance(0.2) ? 0 : 1;
            if (random.chance(0.2)) requests.push(metadata(id));
            else requests.push(produce(id, { acks, bytes: random.integer(4000) }));
            if (acks === 1 || requests.at(-1)?.readInt16BE(4) === 3) expected.push(id);
          }
          await client.send(Buffer.concat(requests));
          await client.until(() => client.correlationIds.length === expected.length);
          assert.deepEqual(client.correlationIds, expected);
        }),
      );
      const stopping = server.stop();
      await Promise.all([stopping, ...clients.map((client) => client.until(() => client.closed))]);
      assert.equal(server.requestMemoryBytes, 0);
    });

    test('takes a frame of 20 MiB and none above the limit', async () => {
      const world = make();
      const server = await startIn(world);
      const client = await connectTo(world, server);
      await client.send(produce(1, { bytes: 20 * 1024 * 1024 }));
      await client.until(() => client.correlationIds.length === 1);
      client.socket.write([Buffer.from([0x7f, 0xff, 0xff, 0xff, 0])]);
      await client.until(() => client.closed);
      assert.equal(server.metrics.connectionsCut.protocol, 1);
      await server.stop({ graceMs: 0 });
    });

    test('hears of a client that vanishes, also while it does not read from it', async () => {
      const world = make();
      const server = await startIn(world, { maxRequestsInFlight: 4 });
      const [gone, other] = [await connectTo(world, server), await connectTo(world, server)];
      gone.socket.pause();
      await gone.send(Buffer.concat(Array.from({ length: 500 }, (_, id) => metadata(id))));
      gone.socket.destroy();
      await gone.until(() => gone.closed);
      other.socket.write([metadata(1)]);
      await other.until(() => other.correlationIds.length === 1);
      while (server.connections().length > 1) await new Promise((resolve) => void setImmediate(resolve));
      assert.equal(server.metrics.requestsInFlight, 0);
      await server.stop({ graceMs: 0 });
    });

    test('after a stop nobody is let in', async () => {
      const world = make();
      const server = await startIn(world);
      await server.stop();
      await assert.rejects(connectTo(world, server), { code: 'ECONNREFUSED' });
    });
  });
}

function realWorld(): World {
  return { env: { ...makeRealClock(), network: makeRealNetwork() } };
}

function memoryWorld(fragments?: SeededRandom): World {
  const clock = new FakeClock();
  const wire = new MemoryNetwork({ clock, ...(fragments && { fragments }) });
  const env: Pick<Env, 'monotonicMs' | 'timer' | 'defer' | 'network'> = {
    monotonicMs: () => clock.monotonicMs(),
    timer: (ms, run) => clock.timer(ms, run),
    defer: (run) => clock.defer(run),
    network: wire.join(),
  };
  return { env };
}

suite('the sockets of this machine', realWorld);
suite('sockets in memory', () => memoryWorld());
suite('sockets in memory, in pieces', () => memoryWorld(new SeededRandom(3)));

test('localhost is reachable over both families where the machine has both, at one port', async (t) => {
  const world = realWorld();
  const server = await startIn(world, {}, 'localhost');
  t.after(() => server.stop({ graceMs: 0 }));
  const hosts = ['127.0.0.1'];
  const other = await world.env.network.listen({ host: '::1', port: 0 }, () => {}).catch(() => undefined);
  await other?.close();
  if (other !== undefined) hosts.push('::1');
  for (const host of hosts) {
    const client = await connectTo(world, server, host);
    client.socket.write([metadata(1)]);
    await client.until(() => client.correlationIds.length === 1);
    assert.deepEqual(server.connections().at(-1)?.advertised, { host: 'localhost', port: portOf(server) });
    client.socket.destroy();
  }
  await assert.rejects(startServerAt(world, portOf(server)), {
    name: 'ListenError',
    code: 'EADDRINUSE',
    message: /in use by another process/,
  });
});

function startServerAt({ env }: World, port: number): Promise<Server> {
  const broker: unknown = { nodeId: 1 };
  return startServer({
    env,
    listeners: [plaintext('localhost', port)],
    apis: new Map(),
    broker: broker as Broker,
    log: new CollectingLogger(),
    onFatal: () => {},
  });
}
