import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Recorder, testNetwork } from '../network.testing.ts';
import { makeRealNetwork } from './network.ts';

// The kernel's own turns are not ours to count: a moment is given to it where a test shows that something does not happen.
testNetwork('the machine', () => ({ network: makeRealNetwork(), settle: () => sleep(20) }));

test('what an owner of a socket or listener throws goes to onThrown, and the connection lives on', async () => {
  const thrown: unknown[] = [];
  const network = makeRealNetwork((error) => thrown.push(error));
  const closed = Promise.withResolvers<void>();
  let heard = 0;
  const listening = await network.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
    socket.listen({
      data: () => {
        heard += 1;
        throw new Error('from data');
      },
      ended: () => {
        socket.end();
        throw new Error('from ended');
      },
      drained: () => {},
      closed: () => {
        closed.resolve();
        throw new Error('from closed');
      },
    });
    throw new Error('from onConnection');
  });
  const client = new Recorder(await network.connect({ host: '127.0.0.1', port: listening.port }));
  client.socket.write([Buffer.from('x')]);
  client.socket.end();
  await closed.promise;
  await listening.close();
  assert.equal(heard, 1);
  assert.deepEqual(
    thrown.map((error) => (error as Error).message),
    ['from onConnection', 'from data', 'from ended', 'from closed'],
  );
});

test(
  'a program without a descriptor left sheds connections and goes on accepting later',
  { skip: process.platform === 'win32' },
  async () => {
    const program = `
    import { makeRealNetwork } from ${JSON.stringify(import.meta.resolve('./network.ts'))};
    const listening = await makeRealNetwork().listen({ host: '127.0.0.1', port: 0 }, (socket) =>
      socket.listen({ data: (chunk) => socket.write([chunk]), ended: () => socket.end(), drained() {}, closed() {} }));
    console.log(listening.port);
  `;
    const child = spawn('bash', ['-c', 'ulimit -n 48; exec "$0" --input-type=module -e "$1"', process.execPath, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const network = makeRealNetwork();
      const port = Number(line.toString());
      const crowd = await Promise.all(
        Array.from({ length: 70 }, async () => new Recorder(await network.connect({ host: '127.0.0.1', port }))),
      );
      for (const one of crowd) one.socket.write([Buffer.from('x')]);
      await Promise.all(
        crowd.map((one) => one.until(() => one.bytes === 1 || one.heard.includes('closed') || one.heard.includes('ended'))),
      );
      const served = crowd.filter((one) => one.bytes === 1).length;
      assert.ok(served >= 5 && served < 48, `${served} served`);
      for (const one of crowd) one.socket.destroy();
      let answered = false;
      for (let tries = 0; tries < 200 && !answered; tries += 1) {
        const one = new Recorder(await network.connect({ host: '127.0.0.1', port }));
        one.socket.write([Buffer.from('again')]);
        await one.until(() => one.bytes === 5 || one.heard.includes('closed') || one.heard.includes('ended'));
        answered = one.bytes === 5;
        one.socket.destroy();
      }
      assert.ok(answered);
      assert.equal(child.exitCode, null);
    } finally {
      child.kill();
    }
  },
);
