// What the server adds to a request: small pipelined Produce requests through a connection without a socket, with
// handlers that do nothing. Prints microseconds per request; decoding and encoding alone stand beside them.
//   node bench/requests.ts
import { silentLogger } from '../src/base/log.ts';
import { makeRealClock } from '../src/base/real/clock.ts';
import type { Broker } from '../src/broker/broker.ts';
import { decode } from '../src/protocol/codec.ts';
import { decodeRequestHeader, encodeResponseFrame } from '../src/protocol/headers.ts';
import { produceRequest, produceResponse } from '../src/protocol/messages/produce.ts';
import { Reader } from '../src/protocol/reader.ts';
import { plaintext, produce, produceAnswer, testApis, TestNetwork, TestSocket } from '../src/server/server.testing.ts';
import { startServer } from '../src/server/server.ts';

const PER_CHUNK = 200;
const CHUNKS = 1000;

const chunk = Buffer.concat(Array.from({ length: PER_CHUNK }, (_, id) => produce(id, { bytes: 200 })));

async function connectTo(handle: () => unknown): Promise<{ client: TestSocket; stop: () => Promise<void> }> {
  const network = new TestNetwork();
  const broker: unknown = { nodeId: 1 };
  const server = await startServer({
    env: { ...makeRealClock(), network },
    listeners: [plaintext('127.0.0.1', 9092)],
    apis: testApis({ 0: { handle } }).apis,
    broker: broker as Broker,
    log: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
  const client = network.accept('127.0.0.1:9092', new TestSocket());
  return { client, stop: () => server.stop({ graceMs: 0 }) };
}

async function time(name: string, run: () => Promise<void>): Promise<void> {
  for (let round = 0; round < CHUNKS; round++) await run();
  const startedMs = performance.now();
  for (let round = 0; round < CHUNKS; round++) await run();
  const elapsedMs = performance.now() - startedMs;
  console.log(`${name.padEnd(40)} ${((elapsedMs * 1000) / (CHUNKS * PER_CHUNK)).toFixed(2)} us per request`);
}

const frames = Array.from({ length: PER_CHUNK }, (_, id) => produce(id, { bytes: 200 }).subarray(4));
await time('decode and encode alone', async () => {
  for (const frame of frames) {
    const reader = new Reader(frame);
    const { correlationId } = decodeRequestHeader(produceRequest, reader);
    decode(produceRequest, 9, reader);
    encodeResponseFrame(produceResponse, { version: 9, correlationId }, produceAnswer);
  }
});

for (const [name, handle] of [
  ['answered at once', (): unknown => produceAnswer],
  ['answered by a promise', (): unknown => Promise.resolve(produceAnswer)],
] as const) {
  const { client, stop } = await connectTo(handle);
  await time(name, async () => {
    client.send(Buffer.from(chunk));
    await new Promise((resolve) => void setImmediate(resolve));
    client.writes.length = 0;
  });
  await stop();
}
