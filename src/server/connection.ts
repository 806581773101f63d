// One client's connection: frames to requests, requests to handlers, answers back in the order of arrival. Decides what
// may run at the same time, and when the connection ends. When to stop reading is decided in intake.ts, what a request
// means by its handler.
import type { Env, Socket, SocketEvents } from '../base/env.ts';
import { InvariantError } from '../base/invariant.ts';
import type { Logger } from '../base/log.ts';
import type { Broker } from '../broker/broker.ts';
import { advertisedAddress, type Listener as ListenerConfig } from '../config/listeners.ts';
import { CloseConnectionError, type ConnectionView } from '../handlers/handler.ts';
import { errorCodeOf, KafkaError, ProtocolError } from '../protocol/errors.ts';
import { formatAddress, unmapped } from './addresses.ts';
import { ArrivalOrder } from './arrival-order.ts';
import { escapeClientText } from './client-text.ts';
import type { Frame } from './frames.ts';
import { Intake, type IntakeHost, type IntakeLimits, type IntakeOwner } from './intake.ts';
import { UnservedError, type ServedApi, type ServedApis } from './served-apis.ts';
import { ServedRequest } from './served-request.ts';

export interface ConnectionLimits extends IntakeLimits {
  readonly socketRequestMaxBytes: number;
  readonly connectionsMaxIdleMs: number;
  /** A request that takes longer is a line in the log, unless its API is meant to wait. */
  readonly slowRequestMs: number;
}

/** What the connections of a server share. */
export interface ConnectionHost extends IntakeHost {
  readonly env: Pick<Env, 'monotonicMs' | 'timer' | 'defer'>;
  readonly broker: Broker;
  readonly apis: ServedApis;
  readonly limits: ConnectionLimits;
  readonly log: Logger;
  /** For what clients can cause as often as they like: passes each message on every few seconds only. */
  readonly notices: Logger;
  /** A promise of our own is broken: the broker fails. */
  onFatal(error: InvariantError): void;
  onClosed(connection: Connection): void;
  /** The last request in hand of all connections is done. */
  onNothingInFlight(): void;
}

/** Who a client is that has not said who it is; on a PLAINTEXT listener nobody does. */
export const ANONYMOUS = 'User:ANONYMOUS';

/** What a client may ask for before it has authenticated: SaslHandshake, ApiVersions, SaslAuthenticate. */
const openApis = new Set([17, 18, 36]);
/** A frame from such a client is no larger (Kafka's sasl.server.max.receive.size). */
const UNAUTHENTICATED_FRAME_BYTES = 512 * 1024;

/** Answers are written when they come to this much, at the latest. */
const WRITE_BYTES = 64 * 1024;
/** After this much work on one connection, the others get their turn. */
const TURN_MS = 10;
/** How long a client may take to close its end after we have closed ours. */
const LINGER_MS = 10_000;

/** The same when the server stops: a client that is alive closes at once. */
const STOP_LINGER_MS = 500;
/** API key, version and correlation id. */
const HEADER_BYTES = 8;

const NOTHING: readonly Uint8Array[] = [];

export class Connection implements ConnectionView, SocketEvents, IntakeOwner {
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
  /** Whether it may ask for anything, or has to say who it is before. */
  authenticated: boolean;
  bytesIn = 0;
  bytesOut = 0;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #intake: Intake;
  /** In hand, in the order of arrival; what is answered leaves from the front. */
  readonly #requests: ServedRequest[] = [];
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
  #pumping = false;
  #laterScheduled = false;
  #lastActiveMs: number;
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
    this.authenticated = !about.listener.protocol.startsWith('SASL_');
    const { socketRequestMaxBytes } = host.limits;
    const maxFrameBytes = this.authenticated ? socketRequestMaxBytes : Math.min(socketRequestMaxBytes, UNAUTHENTICATED_FRAME_BYTES);
    this.#intake = new Intake(host, socket, this, maxFrameBytes);
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
    return this.#intake.paused;
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
    try {
      this.#intake.push(chunk, nowMs);
    } catch (thrown) {
      this.#refuse(thrown);
      return;
    }
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
    this.#intake.close();
    this.#muteTimer?.[Symbol.dispose]();
    this.#lingerTimer?.[Symbol.dispose]();
    this.#outgoing = [];
    this.#abort?.abort();
    this.#host.onClosed(this);
  }

  // --- what the server wants ---

  /** Starts nothing more, and closes when what is in hand is answered. */
  finish(): void {
    this.#stopping = true;
    if (this.#state === 'ending') this.#linger();
    else this.#proceed();
  }

  /** Closes at once. Requests in hand go on, and their answers are dropped. */
  destroy(): void {
    if (this.#state !== 'closed') this.#socket.destroy();
  }

  /** The client has shown who it is: it may ask for anything now, in frames of any size. */
  authenticateAs(principal: string): void {
    this.principal = principal;
    this.authenticated = true;
    this.#intake.maxFrameBytes = this.#host.limits.socketRequestMaxBytes;
  }

  /** Looks after deadlines; called every few seconds. */
  sweep(nowMs: number): void {
    const queued = this.#socket.queuedBytes;
    if (queued !== this.#queuedAtSweep) this.#lastActiveMs = nowMs; // the client takes what we send, however slowly
    this.#queuedAtSweep = queued;
    if (this.#state !== 'open') {
      if (nowMs - this.#lastActiveMs >= LINGER_MS) this.destroy();
      return;
    }
    if (this.#intake.isLate(nowMs)) this.#dropSlowFrame();
    else this.#endIfIdle(nowMs);
  }

  #endIfIdle(nowMs: number): void {
    const { limits, metrics } = this.#host;
    if (nowMs - this.#lastActiveMs < limits.connectionsMaxIdleMs) return;
    if (this.#blocked) this.#drop();
    else if (this.#requests.length === 0 && !this.#intake.midFrame && !this.#intake.paused) this.#end();
    else return; // a request is under way, or in hand, or we do not read
    metrics.connectionsCut.idle += 1;
  }

  #dropSlowFrame(): void {
    const { metrics, notices } = this.#host;
    const { partialBytes, missingBytes } = this.#intake;
    metrics.connectionsCut.slow += 1;
    notices.warn('closing a connection whose request takes too long to arrive', { ...this.#about(), partialBytes, missingBytes });
    this.#drop();
  }

  // --- requests ---

  /** Does what can be done now. Called whenever something has changed from outside. */
  #proceed(): void {
    if (this.#state !== 'open') return;
    this.#pump();
    this.#flush();
    this.#intake.update();
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
        const frame = this.#intake.peek();
        if (frame === undefined) break;
        const api = this.#apiOf(frame.bytes);
        if (this.#requests.length > 0 && !(api.overlapping && this.#overlapping)) break;
        const nowMs = this.#host.env.monotonicMs();
        if (startedMs < 0) startedMs = nowMs;
        if (nowMs - startedMs >= TURN_MS) {
          this.#proceedLater();
          break;
        }
        this.#intake.next();
        this.#start(frame, api);
      }
    } catch (thrown) {
      this.#refuse(thrown);
    } finally {
      this.#pumping = false;
    }
  }

  /** What arrives now would have to wait: told to the intake. */
  get held(): boolean {
    if (this.#blocked || this.#muteTimer !== undefined || this.#intake.waitingFrames > 0) return true;
    return this.#requests.length > 0 && !this.#overlapping;
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
    const api = this.#host.apis.find(bytes.readInt16BE(0), bytes.readInt16BE(2));
    if (!this.authenticated && !openApis.has(api.key))
      throw new ProtocolError(`${api.name} is asked for before the client has authenticated`);
    return api;
  }

  #start(frame: Frame, api: ServedApi): void {
    const request = new ServedRequest(this, api, frame);
    this.#requests.push(request);
    this.#host.metrics.requestsInFlight += 1;
    let body: unknown;
    let response: unknown;
    try {
      body = api.decode(request);
      response = api.handle(body, request);
    } catch (thrown) {
      this.#failed(request, body, thrown);
      return;
    }
    if (response instanceof Promise) this.#answerLater(request, body, response);
    else this.#answered(request, response);
  }

  #answerLater(request: ServedRequest, body: unknown, response: Promise<unknown>): void {
    response
      .then(
        (response) => this.#answered(request, response),
        (thrown) => this.#failed(request, body, thrown),
      )
      .catch((thrown: unknown) => this.#broken(thrown));
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
        const message = thrown instanceof KafkaError ? thrown.message : null; // what nobody foresaw is told by its code alone
        const response = body === undefined ? undefined : request.api.failure(errorCode, body, message);
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
    const { metrics, env, limits } = this.#host;
    metrics.requestsInFlight -= 1;
    const tookMs = env.monotonicMs() - request.receivedMs;
    request.api.latency.observe(tookMs / 1000);
    if (tookMs >= limits.slowRequestMs && !request.api.waits)
      this.#host.notices.warn('a request took long', { ...this.#about(), api: request.api.name, tookMs });
    this.order.pass(request.place);
    if (metrics.requestsInFlight === 0) this.#host.onNothingInFlight();
    // Answers leave in the order of arrival: this one waits for those before it, those behind may have waited for it.
    for (let first = this.#requests[0]; first?.answer !== undefined; first = this.#requests[0]) {
      this.#requests.shift();
      this.#intake.release(first.frame);
      for (const buffer of first.answer) {
        this.#outgoing.push(buffer);
        this.#outgoingBytes += buffer.length;
      }
    }
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

  // --- the end ---

  get #hungUp(): boolean {
    return this.#clientEnded || this.#state === 'closed';
  }

  #endIfDone(): void {
    if (this.#requests.length > 0) return;
    if (this.#stopping || (this.#clientEnded && this.#intake.waitingFrames === 0)) this.#end();
  }

  /** Closes our end, after what is written, and waits for the client's. */
  #end(): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.#leaveOpen();
    this.#socket.end();
    if (this.#stopping) this.#linger();
  }

  #linger(): void {
    this.#lingerTimer?.[Symbol.dispose]();
    this.#lingerTimer = this.#host.env.timer(STOP_LINGER_MS, () => {
      if (this.#socket.queuedBytes > 0) this.#linger();
      else this.destroy();
    });
  }

  /** Closes both ends at once; answers that are ready are given to the socket before. */
  #drop(): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.#leaveOpen();
    this.#socket.destroy();
  }

  #leaveOpen(): void {
    this.#state = 'ending';
    this.#lastActiveMs = this.#host.env.monotonicMs();
    this.#intake.close();
  }

  /** The client does not speak the protocol as we do. */
  #refuse(thrown: unknown): void {
    if (!(thrown instanceof ProtocolError)) {
      this.#broken(thrown);
      return;
    }
    this.#host.metrics.connectionsCut.protocol += 1;
    const what = thrown instanceof UnservedError ? 'asked for what is not served' : 'broke the protocol';
    this.#host.notices.warn(`closing a connection that ${what}`, { ...this.#about(), reason: escapeClientText(thrown.message) });
    this.#drop();
  }

  /** Not a client's fault and not a handler's: ours. Others need not suffer for it. */
  #broken(thrown: unknown): void {
    if (thrown instanceof InvariantError) this.#host.onFatal(thrown);
    else this.#host.notices.error('closing a connection that the server failed to serve', { ...this.#about(), error: thrown });
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
