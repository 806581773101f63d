// Stands between the clients and the broker and reads the first bytes of every request that passes: which API in
// which version, how often, in which order on each connection, and what is still unanswered. The bytes themselves go
// through unchanged. The broker must advertise this port, so that clients come back to it.
import { createConnection, createServer, type Socket } from 'node:net';
import { protocolAPIsById } from '@platformatic/kafka';

/** As many requests of a connection are kept in order; further ones are only counted. */
const rememberedRequests = 40;

export interface ApiUse {
  readonly api: string;
  readonly version: number;
  readonly count: number;
}

interface SeenRequest {
  readonly api: string;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string;
}

export const apiName = (key: number): string => protocolAPIsById[key] ?? `api ${key}`;

/** Splits one direction of a connection into frames and hands over the first bytes of each, without keeping the rest. */
export class FrameHeads {
  readonly #headBytes: number;
  readonly #onHead: (head: Buffer) => void;
  #head = Buffer.alloc(0);
  #sizeBytes = Buffer.alloc(0);
  #frameLeft = 0;
  #headLeft = 0;

  constructor(headBytes: number, onHead: (head: Buffer) => void) {
    this.#headBytes = headBytes;
    this.#onHead = onHead;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frameLeft === 0) {
        const missing = 4 - this.#sizeBytes.length;
        this.#sizeBytes = Buffer.concat([this.#sizeBytes, chunk.subarray(at, at + missing)]);
        at += missing;
        if (this.#sizeBytes.length < 4) return;
        this.#frameLeft = Math.max(0, this.#sizeBytes.readInt32BE());
        this.#headLeft = Math.min(this.#headBytes, this.#frameLeft);
        this.#sizeBytes = Buffer.alloc(0);
        this.#head = Buffer.alloc(0);
        continue;
      }
      if (this.#headLeft > 0) {
        const taken = chunk.subarray(at, at + this.#headLeft);
        this.#head = Buffer.concat([this.#head, taken]);
        this.#headLeft -= taken.length;
        this.#frameLeft -= taken.length;
        at += taken.length;
        if (this.#headLeft === 0) this.#onHead(this.#head);
        continue;
      }
      const skipped = Math.min(this.#frameLeft, chunk.length - at);
      this.#frameLeft -= skipped;
      at += skipped;
    }
  }
}

function readRequestHead(head: Buffer): SeenRequest | undefined {
  if (head.length < 8) return undefined;
  const clientIdLength = head.length >= 10 ? head.readInt16BE(8) : -1;
  const clientId = clientIdLength > 0 ? head.subarray(10, 10 + clientIdLength).toString() : '';
  return { api: apiName(head.readInt16BE(0)), version: head.readInt16BE(2), correlationId: head.readInt32BE(4), clientId };
}

class Connection {
  readonly requests: SeenRequest[] = [];
  /** In the order of arrival, which is the order of the answers. */
  unanswered: { request: SeenRequest; atMs: number }[] = [];
  open = true;
  count = 0;

  asked(request: SeenRequest): void {
    this.count += 1;
    if (this.requests.length < rememberedRequests) this.requests.push(request);
    this.unanswered.push({ request, atMs: performance.now() });
    if (this.unanswered.length > 1_000) this.unanswered.shift(); // acks=0 is never answered
  }

  answered(correlationId: number): void {
    const at = this.unanswered.findIndex(({ request }) => request.correlationId === correlationId);
    if (at >= 0) this.unanswered = this.unanswered.slice(at + 1);
  }
}

export interface WireLog {
  readonly port: number;
  /** What was asked since the last call. */
  takeUse(): ApiUse[];
  /** The requests of each connection since the last call, in order, runs of the same one drawn together, and connections alike too. */
  takeConnections(): string[];
  /** Requests that wait for an answer now. */
  unanswered(): string[];
  close(): Promise<void>;
}

const drawTogether = (requests: readonly SeenRequest[]): string => {
  const runs: { text: string; times: number }[] = [];
  for (const { api, version } of requests) {
    const text = `${api} v${version}`;
    const last = runs.at(-1);
    if (last?.text === text) last.times += 1;
    else runs.push({ text, times: 1 });
  }
  return runs.map(({ text, times }) => (times > 1 ? `${text} x${times}` : text)).join(', ');
};

export async function startWireLog(port: number, target: { host: string; port: number }): Promise<WireLog> {
  let connections: Connection[] = [];
  let use = new Map<string, ApiUse>();
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const broker = createConnection({ ...target, noDelay: true });
    const seen = new Connection();
    connections.push(seen);
    client.setNoDelay(true);
    const requests = new FrameHeads(128, (head) => {
      const request = readRequestHead(head);
      if (!request) return;
      seen.asked(request);
      const key = `${request.api} ${request.version}`;
      use.set(key, { api: request.api, version: request.version, count: (use.get(key)?.count ?? 0) + 1 });
    });
    const answers = new FrameHeads(4, (head) => {
      if (head.length === 4) seen.answered(head.readInt32BE());
    });
    client.on('data', (chunk) => requests.push(chunk));
    broker.on('data', (chunk) => answers.push(chunk));
    client.pipe(broker);
    broker.pipe(client);
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        seen.open = false;
        sockets.delete(socket);
        other.destroySoon();
      });
    }
  });
  server.listen(port, 'localhost');
  await new Promise<void>((listening, failed) => server.once('listening', listening).once('error', failed));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the wire log has no port');

  return {
    port: address.port,
    takeUse: () => {
      const taken = [...use.values()].sort((one, other) => one.api.localeCompare(other.api) || one.version - other.version);
      use = new Map();
      return taken;
    },
    takeConnections: () => {
      const taken = connections.filter(({ count }) => count > 0);
      connections = connections.filter(({ open }) => open);
      const texts = taken.map(
        ({ requests, count }) =>
          `${requests[0]?.clientId}: ${drawTogether(requests)}${count > requests.length ? `, … ${count} in all` : ''}`,
      );
      return [...Map.groupBy(texts, (text) => text)].map(([text, { length }]) => (length > 1 ? `${text} (${length} connections)` : text));
    },
    unanswered: () =>
      connections
        .filter(({ open }) => open)
        .flatMap(({ unanswered }) =>
          unanswered.map(
            ({ request, atMs }) =>
              `${request.clientId} waits for ${request.api} v${request.version} since ${Math.round(performance.now() - atMs)} ms`,
          ),
        ),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}
