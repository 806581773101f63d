// What this runtime can do at best: a server that frames Produce requests, checks the CRC of each batch, appends it to
// one file per partition, syncs, and answers in Kafka's shape. No offsets, no records, no names beyond the partition's
// number, no reading of its own files but for Fetch by arithmetic. The ceiling that the broker is measured against.
//   node bench/ceiling-server.ts start --port 0 --data DIR [--set sync=always|never] [--set sink=true]
// As a sink it answers and drops: what the load generator can do at best.
import { crc32c } from '@node-rs/crc32';
import { closeSync, fdatasync, mkdirSync, openSync, read, writev } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { encodeGoodAnswer } from './load/batches.ts';
import { PartsReader } from './parts-reader.ts';

const { values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    data: { type: 'string', default: '.' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const isSink = flags.set.includes('sink=true');
const syncs = !flags.set.includes('sync=never');
/** The next group is written while the last one is synced; a broker that wants to know what a crash may tear cannot. */
const overlaps = flags.set.includes('overlap=true');
mkdirSync(flags.data, { recursive: true });

const write = promisify(writev);
const sync = promisify(fdatasync);
const PRODUCE = 0;
const MOST_BUFFERS = 1024;

/** Appends in groups: what comes while one group is written and synced is the next. */
class Appender {
  readonly fd: number;
  bytes = 0;
  #pending: Buffer[] = [];
  #waiting: (() => void)[] = [];
  #running = false;

  constructor(partition: number) {
    this.fd = openSync(join(flags.data, `${partition}.log`), 'a+');
  }

  append(parts: readonly Buffer[], done: () => void): void {
    for (const part of parts) this.#pending.push(part);
    this.#waiting.push(done);
    if (!this.#running) this.#start();
  }

  #start(): void {
    this.#running = true;
    setImmediate(() => void this.#run().catch(giveUp));
  }

  async #run(): Promise<void> {
    let syncing: Promise<void> = Promise.resolve();
    while (this.#waiting.length > 0) {
      const [pending, waiting] = [this.#pending, this.#waiting];
      [this.#pending, this.#waiting] = [[], []];
      for (let at = 0; at < pending.length; at += MOST_BUFFERS) {
        const group = pending.slice(at, at + MOST_BUFFERS);
        const { bytesWritten } = await write(this.fd, group);
        if (bytesWritten !== group.reduce((sum, { length }) => sum + length, 0)) throw new Error('a short write');
        this.bytes += bytesWritten;
      }
      await syncing;
      syncing = this.#finish(waiting);
      if (!overlaps) await syncing;
    }
    await syncing;
    this.#running = false;
    if (this.#waiting.length > 0) this.#start();
  }

  async #finish(waiting: readonly (() => void)[]): Promise<void> {
    if (syncs) await sync(this.fd);
    for (const done of waiting) done();
  }
}

const appenders = new Map<number, Appender>();

function appenderOf(partition: number): Appender {
  let appender = appenders.get(partition);
  if (appender === undefined) appenders.set(partition, (appender = new Appender(partition)));
  return appender;
}

interface Answer {
  buffers: readonly Buffer[] | undefined;
}

class CeilingConnection {
  readonly #socket: Socket;
  readonly #answers: Answer[] = [];
  #flushScheduled = false;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #wanted = -1;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
  }

  /** Frames are lists of slices of what came from the socket: nothing is copied on the way to the file. */
  #take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#wanted < 0) {
        if (this.#partBytes + rest.length < 4) {
          this.#push(rest);
          return;
        }
        if (this.#partBytes > 0) {
          rest = Buffer.concat([...this.#parts, rest]);
          this.#clear();
        }
        this.#wanted = rest.readInt32BE(0);
        rest = rest.subarray(4);
      }
      const part = rest.subarray(0, this.#wanted - this.#partBytes);
      this.#push(part);
      rest = rest.subarray(part.length);
      if (this.#partBytes === this.#wanted) {
        const parts = this.#parts;
        this.#clear();
        this.#answer(parts);
      }
    }
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #clear(): void {
    this.#parts = [];
    this.#partBytes = 0;
    this.#wanted = -1;
  }

  #answer(parts: Buffer[]): void {
    const reader = new PartsReader(parts);
    const apiKey = reader.int16();
    const answer: Answer = { buffers: undefined };
    this.#answers.push(answer);
    reader.skip(2);
    const correlationId = reader.int32();
    reader.skip(reader.int16()); // client id
    if (apiKey === PRODUCE) this.#produce(reader, correlationId, answer);
    else void this.#fetch(reader, correlationId, answer).catch(giveUp);
  }

  /** Version 11: flexible, topics by name; one topic. */
  #produce(reader: PartsReader, correlationId: number, answer: Answer): void {
    reader.skip(1 + 1 + 2 + 4 + 1); // tags, transactional id (null), acks, timeout, one topic
    const topic = reader.text(reader.uvarint() - 1);
    const partitions = reader.uvarint() - 1;
    let left = partitions;
    const done = (): void => {
      left -= 1;
      if (left > 0) return;
      answer.buffers = encodeGoodAnswer(topic, partitions, correlationId);
      this.#flushSoon();
    };
    for (let nth = 0; nth < partitions; nth += 1) {
      const partition = reader.int32();
      const bytes = reader.uvarint() - 1;
      if (isSink) reader.skip(bytes);
      else {
        const [head, body] = [reader.take(21), reader.take(bytes - 21)];
        const stated = Buffer.concat(head).readUInt32BE(17);
        let crc = 0;
        for (const part of body) crc = crc32c(part, crc);
        if (crc >>> 0 !== stated) throw new Error('a batch is damaged');
        appenderOf(partition).append([...head, ...body], done);
      }
      reader.skip(1); // tags
      if (isSink) done();
    }
  }

  /** Version 11, one topic and one partition; all batches of a partition have one size and one number of records. */
  async #fetch(reader: PartsReader, correlationId: number, answer: Answer): Promise<void> {
    reader.skip(4 + 4 + 4 + 4 + 1 + 4 + 4 + 4); // replica, waits and limits, isolation, session, one topic
    const topic = reader.text(reader.int16());
    reader.skip(4);
    const partition = reader.int32();
    reader.skip(4);
    const fetchOffset = reader.int64();
    reader.skip(8);
    const maxBytes = reader.int32();
    const appender = appenderOf(partition);
    const first = Buffer.alloc(61);
    await readFrom(appender.fd, first, 0);
    const [batchBytes, batchRecords] = [first.readInt32BE(8) + 12, first.readInt32BE(57)];
    const size = appender.bytes;
    const position = (fetchOffset / batchRecords) * batchBytes;
    const whole = Math.max(batchBytes, Math.floor(maxBytes / batchBytes) * batchBytes);
    const records = Buffer.allocUnsafe(Math.max(0, Math.min(whole, size - position)));
    await readFrom(appender.fd, records, position);
    const head = Buffer.alloc(128 + topic.length);
    let at = head.writeInt32BE(correlationId, 4);
    at = head.writeInt32BE(1, at + 4 + 2 + 4); // throttle, error, session; one topic
    at = head.writeInt16BE(topic.length, at);
    at += head.write(topic, at);
    at = head.writeInt32BE(1, at);
    at = head.writeInt32BE(partition, at);
    at = head.writeInt32BE(0, at + 2 + 24); // error, watermarks; no aborted transactions
    at = head.writeInt32BE(-1, at);
    at = head.writeInt32BE(records.length, at);
    head.writeInt32BE(at - 4 + records.length, 0);
    answer.buffers = [head.subarray(0, at), records];
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.#socket.cork();
      for (let first = this.#answers[0]; first?.buffers !== undefined; first = this.#answers[0]) {
        for (const buffer of first.buffers) this.#socket.write(buffer);
        this.#answers.shift();
      }
      this.#socket.uncork();
    });
  }
}

function readFrom(fd: number, into: Buffer, position: number): Promise<number> {
  if (into.length === 0) return Promise.resolve(0);
  return new Promise((resolve, reject) => {
    read(fd, into, 0, into.length, position, (error, got) => (error === null ? resolve(got) : reject(error)));
  });
}

function giveUp(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}

const server = createServer({ noDelay: true }, (socket) => void new CeilingConnection(socket));
server.listen(Number(flags.port), '127.0.0.1', () => {
  process.stdout.write(`ready 127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    for (const { fd } of appenders.values()) closeSync(fd);
    process.exit(0);
  });
}
