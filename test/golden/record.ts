// Records what real clients and the real broker say to each other: starts Apache Kafka, puts itself between it and the
// client suites of test/clients/, and keeps one request and its response for each API and version that a suite used. For use
// by hand, when a client or Kafka has a new version; test/protocol-golden.test.ts reads what it wrote.
//
//   node test/golden/record.ts [SUITE ...]        writes test/golden/wire/SUITE.json
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { groupSettings } from '../clients/member.ts';
import { freePort, startProgram } from '../clients/program.ts';

/** Rich examples say more, large ones only fill the repository: the largest exchange up to this many bytes is kept. */
const COMFORTABLE_BYTES = 1_500;

interface Exchange {
  readonly apiKey: number;
  readonly version: number;
  /** Frames without their size, in base64. */
  readonly request: string;
  readonly response: string;
}

class Recording {
  #exchanges = new Map<string, Exchange>();

  add(request: Buffer, response: Buffer): void {
    const exchange = {
      apiKey: request.readInt16BE(0),
      version: request.readInt16BE(2),
      request: request.toString('base64'),
      response: response.toString('base64'),
    };
    const key = `${exchange.apiKey} ${exchange.version}`;
    const known = this.#exchanges.get(key);
    if (known === undefined || isBetter(exchange, known)) this.#exchanges.set(key, exchange);
  }

  take(): Exchange[] {
    const taken = [...this.#exchanges.values()].sort((a, b) => a.apiKey - b.apiKey || a.version - b.version);
    this.#exchanges = new Map();
    return taken;
  }
}

function isBetter(candidate: Exchange, known: Exchange): boolean {
  const [bytes, knownBytes] = [candidate, known].map(({ request, response }) => request.length + response.length) as [number, number];
  if (knownBytes > COMFORTABLE_BYTES) return bytes < knownBytes;
  return bytes <= COMFORTABLE_BYTES && bytes > knownBytes;
}

/** Calls back with every whole frame of one direction. */
function splitFrames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE()) {
      const end = 4 + waiting.readInt32BE();
      onFrame(waiting.subarray(4, end));
      waiting = waiting.subarray(end);
    }
  };
}

function relay(client: Socket, brokerPort: number, recording: Recording): void {
  const broker = createConnection({ host: 'localhost', port: brokerPort });
  const unanswered = new Map<number, Buffer>();
  const fromClient = splitFrames((frame) => unanswered.set(frame.readInt32BE(4), frame));
  const fromBroker = splitFrames((frame) => {
    const request = unanswered.get(frame.readInt32BE(0));
    unanswered.delete(frame.readInt32BE(0));
    if (request) recording.add(request, frame);
  });
  client.on('data', fromClient);
  broker.on('data', fromBroker);
  client.pipe(broker).pipe(client);
  for (const socket of [client, broker]) {
    socket.on('error', () => {
      client.destroy();
      broker.destroy();
    });
  }
}

/** Of the same version of the client; they stay as they are, so that another run adds what it is the first to see. */
function earlier(suite: string, version: string | undefined): Exchange[] {
  const file = join(wire, `${suite}.json`);
  if (!existsSync(file)) return [];
  const known = JSON.parse(readFileSync(file, 'utf8')) as { version?: string; exchanges: Exchange[] };
  return known.version === version ? known.exchanges : [];
}

const root = resolve(import.meta.dirname, '../..');
const wire = join(import.meta.dirname, 'wire');
const suites = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'bucketrider-record-'));
const [brokerPort, port] = [await freePort(), await freePort()];
const kafka = await startProgram({
  file: join(root, 'scripts/reference-kafka.ts'),
  port: brokerPort,
  dataDirectory: join(scratch, 'data'),
  settings: [...groupSettings, `advertised.listeners=PLAINTEXT://localhost:${port}`],
});
const recording = new Recording();
const server = createServer((client) => relay(client, brokerPort, recording));
await new Promise<void>((listening) => server.listen(port, 'localhost', listening));

mkdirSync(wire, { recursive: true });
for (const suite of suites) {
  recording.take();
  const reportFile = join(scratch, 'report');
  const options = ['--brokers', `localhost:${port}`, '--bulk-records', '100', '--report', reportFile];
  const outcome = await promisify(execFile)(process.execPath, [join(root, 'test/clients/run.ts'), suite, ...options]).catch(
    (failed: unknown) => failed as { stdout: string },
  );
  const lines = readFileSync(reportFile, 'utf8').trim().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { kind: string; client?: string; version?: string });
  const about = said.find(({ kind }) => kind === 'client');
  const exchanges = [...earlier(suite, about?.version), ...recording.take()];
  const kept = new Map(exchanges.toReversed().map((exchange) => [`${exchange.apiKey} ${exchange.version}`, exchange]));
  const sorted = [...kept.values()].sort((a, b) => a.apiKey - b.apiKey || a.version - b.version);
  const content = { suite, client: about?.client, version: about?.version, broker: 'Apache Kafka 4.2.1', exchanges: sorted };
  writeFileSync(join(wire, `${suite}.json`), `${JSON.stringify(content, undefined, 1)}\n`);
  console.log(`${suite}: ${sorted.length} exchanges; ${outcome.stdout.trim().split('\n').at(-1)}`);
}

server.close();
await kafka.stop();
rmSync(scratch, { recursive: true, force: true });
process.exit(0); // clients may have left sockets open
