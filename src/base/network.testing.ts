// What every Network does, said once and run unchanged over the machine's sockets and over those in memory.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { ListeningSocket, Network, Socket } from './env.ts';

/** A socket's owner that writes down what it is told. */
export class Recorder {
  readonly socket: Socket;
  readonly heard: string[] = [];
  readonly chunks: Buffer[] = [];
  bytes = 0;
  error: Error | undefined;
  #watchers: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.listen({
      data: (chunk) => {
        this.chunks.push(chunk);
        this.bytes += chunk.length;
        if (this.heard.at(-1) !== 'data') this.heard.push('data');
        this.#changed();
      },
      ended: () => this.#hear('ended'),
      drained: () => this.#hear('drained'),
      closed: (error) => {
        this.error = error;
        this.#hear('closed');
      },
    });
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  #hear(what: string): void {
    this.heard.push(what);
    this.#changed();
  }

  #changed(): void {
    for (const look of this.#watchers.slice()) look();
  }

  /** Resolves once `holds`; looks again whenever something is heard. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#watchers = this.#watchers.filter((watcher) => watcher !== look);
        resolve();
      };
      this.#watchers.push(look);
      look();
    });
  }

  untilHeard(what: string): Promise<void> {
    return this.until(() => this.heard.includes(what));
  }
}

export interface Pair {
  server: Recorder;
  client: Recorder;
  listening: ListeningSocket;
}

/** `make` gives a network; `settle` lets what is under way in it arrive. */
export function testNetwork(name: string, make: () => { network: Network; settle: () => Promise<void> }): void {
  describe(`network: ${name}`, () => {
    const open: (() => void)[] = [];
    after(() => {
      for (const close of open) close();
    });

    async function connected(network: Network, host = '127.0.0.1'): Promise<Pair> {
      const accepted = Promise.withResolvers<Recorder>();
      const listening = await network.listen({ host, port: 0 }, (socket) => accepted.resolve(new Recorder(socket)));
      open.push(() => void listening.close());
      const client = new Recorder(await network.connect({ host, port: listening.port }));
      const server = await accepted.promise;
      open.push(() => {
        client.socket.destroy();
        server.socket.destroy();
      });
      return { server, client, listening };
    }

    test('bytes arrive in order, in both directions', async () => {
      const { network } = make();
      const { server, client } = await connected(network);
      client.socket.write([Buffer.from('he'), Buffer.from('ll'), Buffer.alloc(0), Buffer.from('o')]);
      await server.until(() => server.bytes === 5);
      server.socket.write([Buffer.from('hi')]);
      server.socket.write([]);
      server.socket.write([Buffer.from(' there')]);
      await client.until(() => client.bytes === 8);
      assert.equal(server.text, 'hello');
      assert.equal(client.text, 'hi there');
    });

    test('both sides know their own and the other address', async () => {
      const { network } = make();
      const { server, client, listening } = await connected(network);
      assert.equal(listening.host, '127.0.0.1');
      assert.ok(listening.port > 0);
      assert.equal(server.socket.localAddress, '127.0.0.1');
      assert.equal(server.socket.localPort, listening.port);
      assert.equal(client.socket.remotePort, listening.port);
      assert.equal(client.socket.remoteAddress, '127.0.0.1');
      assert.equal(client.socket.localPort, server.socket.remotePort);
      assert.equal(client.socket.localAddress, server.socket.remoteAddress);
    });

    test('a connection can be taken up by the name localhost', async () => {
      const { network } = make();
      const accepted = Promise.withResolvers<Recorder>();
      const listening = await network.listen({ host: '127.0.0.1', port: 0 }, (socket) => accepted.resolve(new Recorder(socket)));
      open.push(() => void listening.close());
      const client = new Recorder(await network.connect({ host: 'localhost', port: listening.port }));
      open.push(() => client.socket.destroy());
      client.socket.write([Buffer.from('x')]);
      const server = await accepted.promise;
      open.push(() => server.socket.destroy());
      await server.until(() => server.bytes === 1);
    });

    test('what is written is sent before an end, and after the end nothing can be written', async () => {
      const { network, settle } = make();
      const { server, client } = await connected(network);
      const bytes = Buffer.alloc(1_000_000, 'x');
      client.socket.write([bytes]);
      client.socket.end();
      client.socket.end();
      assert.equal(client.socket.write([Buffer.from('too late')]), false);
      await server.untilHeard('ended');
      assert.equal(server.bytes, bytes.length);
      assert.ok(!server.heard.includes('closed'));
      server.socket.end();
      await Promise.all([server.untilHeard('closed'), client.untilHeard('closed')]);
      await settle();
      assert.equal(server.error, undefined);
      assert.equal(client.error, undefined);
      assert.deepEqual(server.heard, ['data', 'ended', 'closed']);
      assert.deepEqual(
        client.heard.filter((what) => what !== 'drained'),
        ['ended', 'closed'],
      );
    });

    test('after the other side has ended, this side may still write', async () => {
      const { network } = make();
      const { server, client } = await connected(network);
      client.socket.write([Buffer.from('question')]);
      client.socket.end();
      await server.untilHeard('ended');
      server.socket.write([Buffer.from('answer')]);
      await client.until(() => client.bytes === 6);
      server.socket.write([Buffer.from(' and more')]);
      server.socket.end();
      await Promise.all([server.untilHeard('closed'), client.untilHeard('closed')]);
      assert.equal(client.text, 'answer and more');
      assert.equal(client.error, undefined);
      assert.equal(server.error, undefined);
    });

    test('destroy tells its own side once, and the other side learns of it', async () => {
      const { network, settle } = make();
      const { server, client } = await connected(network);
      client.socket.destroy();
      client.socket.destroy();
      client.socket.end();
      assert.equal(client.socket.write([Buffer.from('too late')]), false);
      await client.untilHeard('closed');
      await server.until(() => server.heard.includes('ended') || server.heard.includes('closed'));
      server.socket.end();
      await server.untilHeard('closed');
      await settle();
      server.socket.destroy();
      client.socket.destroy();
      await settle();
      assert.deepEqual(client.heard, ['closed']);
      assert.equal(client.error, undefined);
      assert.equal(server.heard.filter((what) => what === 'closed').length, 1);
      assert.equal(server.heard.at(-1), 'closed');
      assert.equal(server.bytes, 0);
    });

    test('writing to a side that is gone ends in closed, never in an unhandled error', async () => {
      const { network, settle } = make();
      const { server, client } = await connected(network);
      client.socket.destroy();
      await client.untilHeard('closed');
      for (let round = 0; round < 50 && !server.heard.includes('closed'); round += 1) {
        server.socket.write([Buffer.alloc(10_000)]);
        await settle();
      }
      await server.untilHeard('closed');
      assert.equal(server.heard.at(-1), 'closed');
      assert.equal(server.socket.write([Buffer.from('x')]), false);
    });

    test('a peer that does not read makes write answer false, and drained comes when all has left', async () => {
      const { network, settle } = make();
      const { server, client } = await connected(network);
      server.socket.pause();
      await settle();
      const chunk = Buffer.alloc(256 * 1024, 'y');
      let written = 0;
      let more = true;
      for (let round = 0; round < 400 && more; round += 1) {
        // 100 MiB: more than any kernel buffers for one connection
        more = client.socket.write([chunk.subarray(0, 100), chunk.subarray(100)]);
        written += chunk.length;
        if (!more) {
          await settle();
          more = client.heard.includes('drained');
          client.heard.length = 0;
        }
      }
      assert.equal(more, false);
      await settle();
      const queued = client.socket.queuedBytes;
      assert.ok(queued > 0 && queued <= written, `${queued} of ${written}`);
      assert.ok(!client.heard.includes('drained'));
      const before = server.bytes;
      await settle();
      assert.equal(server.bytes, before, 'a paused socket hears nothing');
      server.socket.resume();
      await Promise.all([client.untilHeard('drained'), server.until(() => server.bytes === written)]);
      assert.equal(client.socket.queuedBytes, 0);
      assert.equal(client.socket.write([Buffer.from('z')]), true);
      await server.until(() => server.bytes === written + 1);
    });

    test('a pause between two chunks holds the second back', async () => {
      const { network, settle } = make();
      const { server, client } = await connected(network);
      client.socket.write([Buffer.from('first')]);
      await server.until(() => server.bytes === 5);
      server.socket.pause();
      client.socket.write([Buffer.from('second')]);
      await settle();
      assert.equal(server.text, 'first');
      server.socket.resume();
      await server.until(() => server.bytes === 11);
      assert.equal(server.text, 'firstsecond');
    });

    test('nobody listening is ECONNREFUSED, also after the listener closed', async () => {
      const { network } = make();
      const listening = await network.listen({ host: '127.0.0.1', port: 0 }, () => {});
      await Promise.all([listening.close(), listening.close()]);
      await assert.rejects(network.connect({ host: '127.0.0.1', port: listening.port }), { code: 'ECONNREFUSED' });
    });

    test('a port in use is EADDRINUSE until its listener closes', async () => {
      const { network } = make();
      const first = await network.listen({ host: '127.0.0.1', port: 0 }, () => {});
      await assert.rejects(
        network.listen({ host: '127.0.0.1', port: first.port }, () => {}),
        { code: 'EADDRINUSE' },
      );
      await first.close();
      const second = await network.listen({ host: '127.0.0.1', port: first.port }, () => {});
      assert.equal(second.port, first.port);
      await second.close();
    });

    test('closing the listener leaves open connections alone', async () => {
      const { network } = make();
      const { server, client, listening } = await connected(network);
      await listening.close();
      client.socket.write([Buffer.from('still here')]);
      await server.until(() => server.bytes === 10);
    });

    test('an aborted signal gives a connection attempt up', async () => {
      const { network } = make();
      const listening = await network.listen({ host: '127.0.0.1', port: 0 }, (socket) => socket.destroy());
      open.push(() => void listening.close());
      const why = new Error('enough');
      await assert.rejects(network.connect({ host: '127.0.0.1', port: listening.port, signal: AbortSignal.abort(why) }), why);
      const controller = new AbortController();
      const attempt = network.connect({ host: '127.0.0.1', port: listening.port, signal: controller.signal });
      controller.abort(why);
      await assert.rejects(attempt, why);
    });

    test('hundreds of connections do not mix their bytes', async () => {
      const { network } = make();
      const echoes: Socket[] = [];
      const listening = await network.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
        echoes.push(socket);
        socket.listen({
          data: (chunk) => void socket.write([Buffer.from(chunk)]),
          ended: () => socket.end(),
          drained: () => {},
          closed: () => {},
        });
      });
      open.push(() => void listening.close());
      const clients = await Promise.all(
        Array.from({ length: 200 }, async () => new Recorder(await network.connect({ host: '127.0.0.1', port: listening.port }))),
      );
      for (const [index, client] of clients.entries()) client.socket.write([Buffer.from(`client ${index};`), Buffer.from(' bye')]);
      for (const client of clients) client.socket.end();
      await Promise.all(clients.map((client) => client.untilHeard('closed')));
      for (const [index, client] of clients.entries()) assert.equal(client.text, `client ${index}; bye`);
      assert.equal(echoes.length, 200);
    });
  });
}
