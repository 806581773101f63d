// One client's connection: frames to requests, requests to handlers, answers back in the order of arrival. Decides what
// may run at the same time, when to stop reading, and when the connection ends. What a request means is its handler's
// affair; where memory and connections are limited across clients, request-memory.ts and admission.ts decide.
import type { Env, Socket, SocketEvents } from '../base/env.ts';
import { InvariantError } from '../base/invariant.ts';
import type { Logger } from '../base/log.ts';
import type { Broker } from '../broker/broker.ts';
import { advertisedAddress, type Listener as ListenerConfig } from '../config/listeners.ts';
import { CloseConnectionError, type ConnectionView } from '../handlers/handler.ts';
import { errorCodeOf, ProtocolError } from '../protocol/errors.ts';
import { formatAddress, unmapped } from './addresses.ts';
import { ArrivalOrder } from './arrival-order.ts';
import { escapeClientText } from './client-text.ts';
import { FrameReader, type Frame } from './frames.ts';
import type { MemoryWaiter, RequestMemory } from './request-memory.ts';
import { UnservedError, type ServedApi, type ServedApis } from './served-apis.ts';
import { ServedRequest } from './served-request.ts';
import type { ServerMetrics } from './server-metrics.ts';

export interface ConnectionLimits {
  readonly socketRequestMaxBytes: number;
  readonly connectionsMaxIdleMs: number;
  /** A frame that has begun has this long to arrive, and a second more for every 16 KiB that came. */
  readonly frameTimeoutMs: number;
  /** Requests of one connection that are in hand or waiting; past it the socket is not read. */
  readonly maxRequestsInFlight: number;
  /** Bytes of such requests, likewise. */
  readonly maxBytesInFlight: number;
}

/** What the connections of a server share. */
export interface ConnectionHost {
  readonly env: Pick<Env, 'monotonicMs' | 'timer' | 'defer'>;
  readonly broker: Broker;
  readonly apis: ServedApis;
  readonly limits: ConnectionLimits;
  readonly memory: RequestMemory;
  readonly metrics: ServerMetrics;
  readonly log: Logger;
  /** For what clients can cause as often as they like: passes each message on every few seconds only. */
  readonly notices: Logger;
  /** A promise of our own is broken: the broker fails. */
  onFatal(error: InvariantError): void;
  onClosed(connection: Connection): void;
  /** The last request in hand of all connections is done. */
  onNothingInFlight(): void;
}

/** Nobody has said who they are: PLAINTEXT listeners take everybody for this. */
export const ANONYMOUS = 'User:ANONYMOUS';

/** What may wait behind a request that runs alone, or an answer that is not taken: enough to hear a client hang up. */
const READ_AHEAD_BYTES = 64 * 1024;
/** Answers are written when they come to this much, at the latest. */
const WRITE_BYTES = 64 * 1024;
/** After this much work on one connection, the others get their turn. */
const TURN_MS = 10;
/** A client that is slower than this for long does not get a large frame through. */
const SLOWEST_BYTES_PER_MS = 16;
/** `frameTimeoutMs` is no longer than this while the memory for requests is full. */
const CROWDED_FRAME_TIMEOUT_MS = 10_000;
/** What a client has sent while it was not read lies in the kernel: when it is read again, it comes at once. */
const PROBE_MS = 1_000;
/** How long a client may take to close its end after we have closed ours. */
const LINGER_MS = 10_000;

/** The same when the server stops: a client that is alive closes at once. */
const STOP_LINGER_MS = 500;
/** API key, version and correlation id. */
const HEADER_BYTES = 8;

const NOTHING: readonly Uint8Array[] = [];

export class Connection implements ConnectionView, SocketEvents, MemoryWaiter {
  readonly id: number;
  readonly listenerName: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Where this client is told to find the broker. */
  readonly advertised: { readonly host: string; readonly port: number };
  readonly openedMs: number;
  readonly order = new ArrivalOrder();
  clientSoftwareName = '';
  clientSoftwareVersion = '';
  clientId: string | null = null;
  principal = ANONYMOUS;
  bytesIn = 0;
  bytesOut = 0;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  /** In hand, in the order of arrival; what is answered leaves from the front. */
  readonly #requests: ServedRequest[] = [];
  /** Arrived whole and not started, because it has to wait for those in hand. */
  #next: Frame | undefined = undefined;
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #abort: AbortController | undefined = undefined;
  /** `ending`: our side is closed, and we wait for the client's; `closed`: nothing is left of the socket. */
  #state: 'open' | 'ending' | 'closed' = 'open';
  /** No request is started any more; the connection ends when those in hand are answered. */
  #stopping = false;
  /** The client will send no more. */
  #clientEnded = false;
  /** The client does not take our answers: nothing is started until it does. */
  #blocked = false;
  #mutedUntilMs = 0;
  #muteTimer: Disposable | undefined = undefined;
  #lingerTimer: Disposable | undefined = undefined;
  #paused = false;
  #pausedSinceMs = 0;
  #waitsForMemory = false;
  /** It may read above the limit of the memory until its frame is whole. */
  #hasTurn = false;
  /** Since when it reads only to see whether the client still sends; 0 when it does not. */
  #probedMs = 0;
  #pumping = false;
  #laterScheduled = false;
  #lastActiveMs: number;
  #lastDataMs: number;
  #endedMs = 0;
  #queuedAtSweep = 0;

  constructor(host: ConnectionHost, socket: Socket, about: { id: number; listener: ListenerConfig }) {
    this.#host = host;
    this.#socket = socket;
    this.id = about.id;
    this.listenerName = about.listener.name;
    this.localAddress = unmapped(socket.localAddress);
    this.localPort = socket.localPort;
    this.remoteAddress = unmapped(socket.remoteAddress);
    this.remotePort = socket.remotePort;
    this.advertised = advertisedAddress(about.listener, socket);
    this.openedMs = host.env.monotonicMs();
    this.#lastActiveMs = this.openedMs;
    this.#lastDataMs = this.openedMs;
    this.#reader = new FrameReader(host.memory, host.limits.socketRequestMaxBytes);
  }

  get broker(): Broker {
    return this.#host.broker;
  }

  get log(): Logger {
    return this.#host.log;
  }

  /** Aborts when the client has hung up: who waits for something on its behalf may stop. Work that has begun goes on. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#clientEnded || this.#state === 'closed') this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get requestsInFlight(): number {
    return this.#requests.length;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get idleMs(): number {
    return this.#host.env.monotonicMs() - this.#lastActiveMs;
  }

  // --- what the socket tells ---

  data(chunk: Buffer): void {
    this.bytesIn += chunk.length;
    this.#host.metrics.bytesIn += chunk.length;
    if (this.#state !== 'open' || this.#stopping) return; // read only to hear the client close
    const nowMs = this.#host.env.monotonicMs();
    this.#lastActiveMs = nowMs;
    this.#lastDataMs = nowMs;
    if (this.#probedMs !== 0) this.#endProbe();
    try {
      this.#reader.push(chunk, nowMs, this.#mayGrow());
    } catch (thrown) {
      this.#refuse(thrown);
      return;
    }
    if (this.#hasTurn && this.#reader.missingBytes === 0) this.#endTurn();
    this.#proceed();
  }

  ended(): void {
    this.#clientEnded = true;
    this.#abort?.abort();
    this.#proceed();
  }

  drained(): void {
    this.#blocked = false;
    this.#lastActiveMs = this.#host.env.monotonicMs();
    this.#proceed();
  }

  closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#dropWaiting();
    this.#muteTimer?.[Symbol.dispose]();
    this.#lingerTimer?.[Symbol.dispose]();
    if (this.#paused) this.#host.metrics.connectionsPaused -= 1;
    this.#paused = false;
    this.#outgoing = [];
    this.#abort?.abort();
    this.#host.onClosed(this);
  }

  // --- what the server wants ---

  /** Starts nothing more, and closes when what is in hand is answered. */
  finish(): void {
    this.#stopping = true;
    this.#proceed();
  }

  /** Closes at once. Requests in hand go on, and their answers are dropped. */
  destroy(): void {
    if (this.#state !== 'closed') this.#socket.destroy();
  }

  /** Looks after deadlines; called every few seconds. */
  sweep(nowMs: number): void {
    const { limits, metrics } = this.#host;
    if (this.#state !== 'open') {
      if (nowMs - this.#endedMs >= LINGER_MS) this.destroy();
      return;
    }
    const queued = this.#socket.queuedBytes;
    if (queued !== this.#queuedAtSweep) this.#lastActiveMs = nowMs; // the client takes what we send, however slowly
    this.#queuedAtSweep = queued;
    if (this.#reader.midFrame && !this.#paused) {
      if (this.#frameIsLate(nowMs)) this.#dropSlowFrame();
      return;
    }
    if (nowMs - this.#lastActiveMs < limits.connectionsMaxIdleMs) return;
    if (this.#blocked) this.#drop();
    else if (this.#requests.length === 0 && !this.#paused) this.#end();
    else return; // the client waits for us, not we for it
    metrics.idleCloses += 1;
  }

  #frameIsLate(nowMs: number): boolean {
    if (this.#probedMs !== 0) return nowMs - this.#probedMs >= PROBE_MS;
    const { frameTimeoutMs } = this.#host.limits;
    // While others wait for the memory that this frame holds, there is less patience.
    const patienceMs = this.#host.memory.waiting > 0 ? Math.min(frameTimeoutMs, CROWDED_FRAME_TIMEOUT_MS) : frameTimeoutMs;
    return nowMs - this.#reader.begunMs >= patienceMs + this.#reader.partialBytes / SLOWEST_BYTES_PER_MS;
  }

  #dropSlowFrame(): void {
    const { metrics, notices } = this.#host;
    const { partialBytes, missingBytes } = this.#reader;
    metrics.slowFrames += 1;
    notices.warn('closing a connection whose request takes too long to arrive', { ...this.#about(), partialBytes, missingBytes });
    this.#drop();
  }

  // --- what the request memory tells ---

  get missingBytes(): number {
    return this.#reader.missingBytes;
  }

  readOn(toFrameEnd: boolean): void {
    this.#probedMs = 0;
    this.#waitsForMemory = false;
    this.#hasTurn = toFrameEnd;
    this.#updateReading();
  }

  giveUpTurn(): void {
    this.#hasTurn = false;
    this.#updateReading();
  }

  probe(nowMs: number): void {
    if (this.#probedMs !== 0 || nowMs - this.#lastDataMs < CROWDED_FRAME_TIMEOUT_MS) return;
    this.#probedMs = nowMs;
    this.#updateReading();
  }

  /** The client does still send: it waits its turn again, as the last one. */
  #endProbe(): void {
    this.#probedMs = 0;
    this.#waitsForMemory = false;
    this.#host.memory.forget(this);
  }

  #endTurn(): void {
    this.#hasTurn = false;
    this.#host.memory.forget(this);
    this.#host.memory.admitSoon();
  }

  // --- requests ---

  /** Does what can be done now. Called whenever something has changed from outside. */
  #proceed(): void {
    if (this.#state !== 'open') return;
    this.#pump();
    this.#flush();
    this.#updateReading();
    this.#endIfDone();
  }

  /** As `#proceed`, once for all that happens in this turn: answers that become ready together leave in one write. */
  #proceedLater(): void {
    if (this.#laterScheduled) return;
    this.#laterScheduled = true;
    this.#host.env.defer(() => {
      this.#laterScheduled = false;
      this.#proceed();
    });
  }

  /** Starts what may start. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let startedMs = -1;
    try {
      while (this.#mayStart()) {
        this.#next ??= this.#reader.next();
        const frame = this.#next;
        if (frame === undefined) break;
        const api = this.#apiOf(frame.bytes);
        if (this.#requests.length > 0 && !(api.overlapping && this.#overlapping)) break;
        const nowMs = this.#host.env.monotonicMs();
        if (startedMs < 0) startedMs = nowMs;
        if (nowMs - startedMs >= TURN_MS) {
          this.#proceedLater();
          break;
        }
        this.#next = undefined;
        this.#start(frame, api);
      }
    } catch (thrown) {
      this.#refuse(thrown);
    } finally {
      this.#pumping = false;
    }
  }

  #mayStart(): boolean {
    return (
      this.#state === 'open' &&
      !this.#stopping &&
      !this.#blocked &&
      this.#muteTimer === undefined &&
      this.#requests.length < this.#host.limits.maxRequestsInFlight
    );
  }

  /** Whether what is in hand lets others of its kind start. */
  get #overlapping(): boolean {
    return this.#requests[0]?.api.overlapping === true;
  }

  /** @throws ProtocolError when there is no such API or version here */
  #apiOf(bytes: Buffer): ServedApi {
    if (bytes.length < HEADER_BYTES) throw new ProtocolError(`a request of ${bytes.length} bytes has no header`);
    return this.#host.apis.find(bytes.readInt16BE(0), bytes.readInt16BE(2));
  }

  #start(frame: Frame, api: ServedApi): void {
    const request = new ServedRequest(this, api, frame);
    this.#requests.push(request);
    this.#host.metrics.requestsInFlight += 1;
    let body: unknown;
    try {
      body = api.decode(request);
      const response = api.handle(body, request);
      if (response instanceof Promise) {
        response.then(
          (response) => this.#answered(request, response),
          (thrown) => this.#failed(request, body, thrown),
        );
      } else this.#answered(request, response);
    } catch (thrown) {
      this.#failed(request, body, thrown);
    }
  }

  #answered(request: ServedRequest, response: unknown): void {
    let answer = NOTHING;
    if (response !== undefined && this.#state === 'open') {
      try {
        answer = request.api.encode(request, response);
        this.#muteFor(throttleOf(response));
      } catch (thrown) {
        this.#cannotAnswer(request, thrown, 'an answer could not be encoded');
        return;
      }
    }
    this.#done(request, answer);
  }

  #failed(request: ServedRequest, body: unknown, thrown: unknown): void {
    try {
      if (thrown instanceof CloseConnectionError) {
        this.log.debug('closing a connection at the wish of a handler', { ...this.#about(), reason: thrown.message });
        this.#abandon(request);
      } else if (thrown instanceof ProtocolError) {
        this.#done(request, NOTHING);
        this.#refuse(thrown);
      } else if (this.#hungUp && isAbort(thrown)) {
        this.#abandon(request); // nobody waits any more: not an error at all
      } else {
        const errorCode = errorCodeOf(thrown, this.log);
        const response = body === undefined ? undefined : request.api.failure(errorCode, body);
        if (response === undefined) this.#cannotAnswer(request, thrown, 'a request failed as a whole, and its API has no answer for that');
        else this.#answered(request, response);
      }
    } catch (thrown) {
      this.#cannotAnswer(request, thrown, 'a failed request could not be answered');
    }
  }

  /** The client must not wait for an answer that will not come. */
  #cannotAnswer(request: ServedRequest, thrown: unknown, why: string): void {
    if (thrown instanceof InvariantError) {
      this.#host.onFatal(thrown);
      return;
    }
    this.#host.notices.error(`${why}: closing the connection`, { ...this.#about(), api: request.api.name, error: thrown });
    this.#abandon(request);
  }

  #abandon(request: ServedRequest): void {
    this.#done(request, NOTHING);
    this.#drop();
  }

  #done(request: ServedRequest, answer: readonly Uint8Array[]): void {
    request.answer = answer;
    const { metrics, env } = this.#host;
    metrics.requestsInFlight -= 1;
    request.api.latency.observe(env.monotonicMs() - request.receivedMs);
    this.order.pass(request.place);
    if (metrics.requestsInFlight === 0) this.#host.onNothingInFlight();
    // Answers leave in the order of arrival: this one waits for those before it, those behind may have waited for it.
    for (let first = this.#requests[0]; first?.answer !== undefined; first = this.#requests[0]) {
      this.#requests.shift();
      this.#reader.release(first.frame);
      for (const buffer of first.answer) {
        this.#outgoing.push(buffer);
        this.#outgoingBytes += buffer.length;
      }
    }
    this.#host.memory.admitSoon();
    if (this.#outgoingBytes >= WRITE_BYTES) this.#flush();
    // Within a pump the caller goes on by itself; an answer that came later starts what waited for it, and is written with its like.
    if (this.#pumping || this.#state !== 'open') return;
    this.#pump();
    this.#proceedLater();
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#state !== 'open') return;
    const buffers = this.#outgoing;
    this.bytesOut += this.#outgoingBytes;
    this.#host.metrics.bytesOut += this.#outgoingBytes;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    this.#lastActiveMs = this.#host.env.monotonicMs();
    if (!this.#socket.write(buffers)) this.#blocked = true;
  }

  /** The answer has told the client to be quiet: it is held to that (KIP-219). */
  #muteFor(ms: number): void {
    if (ms <= 0) return;
    const untilMs = this.#host.env.monotonicMs() + ms;
    if (this.#muteTimer !== undefined && untilMs <= this.#mutedUntilMs) return;
    this.#muteTimer?.[Symbol.dispose]();
    this.#mutedUntilMs = untilMs;
    this.#muteTimer = this.#host.env.timer(ms, () => {
      this.#muteTimer = undefined;
      this.#proceed();
    });
  }

  // --- reading ---

  /** Reads, or stops reading, as the bounds and the memory of all requests demand. */
  #updateReading(): void {
    if (this.#state !== 'open') return;
    const bound = this.#boundReached();
    const { memory } = this.#host;
    if (!bound && !this.#waitsForMemory && !this.#hasTurn && memory.full && this.#reader.needsRoom) {
      this.#waitsForMemory = true;
      memory.wait(this);
    }
    this.#setPaused(bound || (this.#waitsForMemory && this.#probedMs === 0));
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#host.metrics.connectionsPaused += paused ? 1 : -1;
    const nowMs = this.#host.env.monotonicMs();
    if (paused) {
      this.#pausedSinceMs = nowMs;
      this.#socket.pause();
    } else {
      this.#reader.begunMs += nowMs - this.#pausedSinceMs; // the client could not send meanwhile
      this.#socket.resume();
    }
  }

  /** Once stopped at a bound, reading goes on at half of it: pausing costs system calls. */
  #boundReached(): boolean {
    const { maxRequestsInFlight, maxBytesInFlight } = this.#host.limits;
    const share = this.#paused ? 0.5 : 1;
    const inFlight = this.#requests.length + this.#reader.waitingFrames;
    if (inFlight >= maxRequestsInFlight * share || this.#reader.wholeBytes >= maxBytesInFlight * share) return true;
    return this.#held && this.#reader.waitingBytes + this.#reader.partialBytes + (this.#next?.bytes.length ?? 0) >= READ_AHEAD_BYTES;
  }

  /** What arrives now would have to wait before it is started. */
  get #held(): boolean {
    return this.#blocked || this.#muteTimer !== undefined || this.#next !== undefined || (this.#requests.length > 0 && !this.#overlapping);
  }

  #mayGrow(): boolean {
    return this.#hasTurn || (!this.#host.memory.full && !this.#held);
  }

  // --- the end ---

  get #hungUp(): boolean {
    return this.#clientEnded || this.#state === 'closed';
  }

  #endIfDone(): void {
    if (this.#requests.length > 0) return;
    const nothingWaits = this.#next === undefined && this.#reader.waitingFrames === 0;
    if (this.#stopping || (this.#clientEnded && nothingWaits)) this.#end();
  }

  /** Closes our end, after what is written, and waits for the client's. */
  #end(): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.#leaveOpen();
    this.#socket.end();
    if (this.#stopping) this.#lingerTimer = this.#host.env.timer(STOP_LINGER_MS, () => this.destroy());
  }

  /** Closes both ends at once; answers that are ready are given to the socket before. */
  #drop(): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.#leaveOpen();
    this.#socket.destroy();
  }

  #leaveOpen(): void {
    this.#setPaused(false);
    this.#state = 'ending';
    this.#endedMs = this.#host.env.monotonicMs();
    this.#dropWaiting();
  }

  /** What has not been started will not be. */
  #dropWaiting(): void {
    if (this.#next !== undefined) this.#reader.release(this.#next);
    this.#next = undefined;
    this.#reader.dispose();
    this.#host.memory.forget(this);
    this.#host.memory.admitSoon();
  }

  /** The client does not speak the protocol as we do. */
  #refuse(thrown: unknown): void {
    if (thrown instanceof InvariantError) {
      this.#host.onFatal(thrown);
      return;
    }
    if (!(thrown instanceof ProtocolError)) throw thrown;
    this.#host.metrics.protocolErrors += 1;
    const what = thrown instanceof UnservedError ? 'asked for what is not served' : 'broke the protocol';
    this.#host.notices.warn(`closing a connection that ${what}`, { ...this.#about(), reason: escapeClientText(thrown.message) });
    this.#drop();
  }

  #about(): Record<string, unknown> {
    return {
      connection: this.id,
      listener: this.listenerName,
      client: formatAddress(this.remoteAddress, this.remotePort),
      clientId: this.clientId === null ? undefined : escapeClientText(this.clientId),
    };
  }
}

/** What a response asks of the client's patience; few responses lack the field. */
function throttleOf(response: unknown): number {
  const { throttleTimeMs } = response as { throttleTimeMs?: unknown };
  return typeof throttleTimeMs === 'number' ? throttleTimeMs : 0;
}

const isAbort = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'AbortError';
