import assert from 'node:assert/strict';
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
