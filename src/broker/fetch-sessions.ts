// Fetch sessions (KIP-227): a client names the partitions it reads once, and from then on only what changes; we answer
// only what has changed. Keeps the sessions within their slots; what a partition has to say is read elsewhere.
import type { Env } from '../base/env.ts';
import { KafkaError } from '../protocol/errors.ts';

/** What a client asks of one partition. Topics are named by id from version 13 on, by name before; the other is empty. */
export interface FetchTarget {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
  readonly currentLeaderEpoch: number;
  readonly lastFetchedEpoch: number;
  /** The name that the id had when the session first found it: a topic made anew under it is told from one that is gone. */
  knownName: string;
}

interface SessionPartition {
  target: FetchTarget;
  /** As the client was told last; -1 when it is to be told whatever they are. */
  highWatermark: number;
  logStartOffset: number;
}

/** What an answer says of a partition, as far as a session cares. */
export interface PartitionNews {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly bytes: number;
  /** The client is told that its log and ours have parted. */
  readonly diverges?: boolean;
}

export const NO_SESSION = 0;
/** The request opens a session, or stays without one. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;
const MAX_EPOCH = 2 ** 31 - 1;
/**
 * What all sessions remember together: some 300 bytes for each partition. Kafka counts sessions only, and a thousand of them
 * may name whatever comes to a client's mind. Whom this leaves without a session is served all the same, and names its partitions each time.
 */
const MOST_PARTITIONS = 200_000;
const MOST_PARTITIONS_OF_ONE = 50_000;

const keyOf = ({ topic, topicId, partition }: { topic: string; topicId: string; partition: number }): string =>
  `${topicId} ${topic} ${partition}`;

class FetchSession {
  readonly id: number;
  readonly createdMs: number;
  readonly usesTopicIds: boolean;
  lastUsedMs: number;
  /** Of the next request. */
  epoch = 1;
  /** In the order in which they are read; one that gave data goes to the end, so that each gets its turn. */
  readonly partitions = new Map<string, SessionPartition>();

  constructor(id: number, nowMs: number, usesTopicIds: boolean) {
    this.id = id;
    this.createdMs = nowMs;
    this.lastUsedMs = nowMs;
    this.usesTopicIds = usesTopicIds;
  }
}

/** One fetch, with or without a session behind it. */
export interface FetchContext {
  readonly targets: readonly FetchTarget[];
  /** Called once, with the news of each target; says which session the answer names, and which targets it lists. */
  conclude(news: readonly PartitionNews[]): { sessionId: number; listed: readonly boolean[] };
}

export interface FetchSessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly usesTopicIds: boolean;
  readonly targets: readonly FetchTarget[];
  readonly forgotten: readonly { topic: string; topicId: string; partition: number }[];
}

export class FetchSessions {
  readonly #env: Env;
  readonly #slots: () => number;
  readonly #evictionMs: number;
  /** The longest unused first. */
  readonly #sessions = new Map<number, FetchSession>();

  constructor(options: { env: Env; slots: () => number; evictionMs?: number }) {
    this.#env = options.env;
    this.#slots = options.slots;
    this.#evictionMs = options.evictionMs ?? 120_000;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @throws KafkaError FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR */
  open(request: FetchSessionRequest): FetchContext {
    if (request.sessionEpoch === INITIAL_EPOCH || request.sessionEpoch === FINAL_EPOCH) {
      // Either way the client has done with the session it had.
      if (request.sessionId !== NO_SESSION) this.#sessions.delete(request.sessionId);
      return request.sessionEpoch === INITIAL_EPOCH ? this.#full(request) : withoutSession(request.targets);
    }
    return this.#incremental(request);
  }

  #full({ targets, usesTopicIds }: FetchSessionRequest): FetchContext {
    return {
      targets,
      conclude: (news) => {
        const listed = targets.map(() => true);
        const session = this.#create(targets.length, usesTopicIds);
        if (session === undefined) return { sessionId: NO_SESSION, listed };
        for (const [at, target] of targets.entries()) session.partitions.set(keyOf(target), { target, ...toldBy(news[at]) });
        return { sessionId: session.id, listed };
      },
    };
  }

  #incremental(request: FetchSessionRequest): FetchContext {
    const session = this.#sessions.get(request.sessionId);
    if (session === undefined) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND');
    if (session.epoch !== request.sessionEpoch) throw new KafkaError('INVALID_FETCH_SESSION_EPOCH');
    if (session.usesTopicIds !== request.usesTopicIds) throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR');
    const sizeBefore = session.partitions.size;
    for (const forgotten of request.forgotten) session.partitions.delete(keyOf(forgotten));
    for (const target of request.targets) {
      const known = session.partitions.get(keyOf(target));
      if (known === undefined) session.partitions.set(keyOf(target), { target, highWatermark: -1, logStartOffset: -1 });
      else known.target = { ...target, knownName: known.target.knownName };
    }
    session.epoch = session.epoch === MAX_EPOCH ? 1 : session.epoch + 1;
    this.#touch(session);
    if (session.partitions.size > sizeBefore && !this.#hasRoom(session.partitions.size, session)) {
      // It has grown beyond what can be remembered: the client is told that it is over, and begins anew.
      const targets = Array.from(session.partitions.values(), ({ target }) => target);
      this.#sessions.delete(session.id);
      return withoutSession(targets);
    }
    if (session.partitions.size === 0) {
      // Nothing is left to read: the session ends with this answer.
      this.#sessions.delete(session.id);
      return { targets: [], conclude: () => ({ sessionId: NO_SESSION, listed: [] }) };
    }
    const targets = Array.from(session.partitions.values(), ({ target }) => target);
    return {
      targets,
      conclude: (news) => ({ sessionId: session.id, listed: targets.map((target, at) => this.#tell(session, target, news[at])) }),
    };
  }

  /** Must the answer list the partition? Then the client knows it from now on. */
  #tell(session: FetchSession, target: FetchTarget, news: PartitionNews | undefined): boolean {
    const key = keyOf(target);
    const partition = session.partitions.get(key);
    if (partition === undefined || news === undefined) return false;
    const told = toldBy(news);
    const isNews =
      news.bytes > 0 ||
      news.errorCode !== 0 ||
      news.diverges === true ||
      told.highWatermark !== partition.highWatermark ||
      told.logStartOffset !== partition.logStartOffset;
    if (!isNews) return false;
    partition.highWatermark = told.highWatermark;
    partition.logStartOffset = told.logStartOffset;
    if (news.bytes > 0) {
      session.partitions.delete(key);
      session.partitions.set(key, partition);
    }
    return true;
  }

  /** A new session, if there is a slot or one can be had: an idle one's, or, from an older one, a smaller one's. */
  #create(size: number, usesTopicIds: boolean): FetchSession | undefined {
    const nowMs = this.#env.monotonicMs();
    if (size === 0 || (this.#sessions.size >= this.#slots() && !this.#evictFor(size, nowMs)) || !this.#hasRoom(size)) return undefined;
    const session = new FetchSession(this.#newId(), nowMs, usesTopicIds);
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Whether a session may have so many partitions, beside what all others have; those that have been idle for long make room. */
  #hasRoom(size: number, grown?: FetchSession): boolean {
    if (size > MOST_PARTITIONS_OF_ONE) return false;
    let held = size;
    for (const session of this.#sessions.values()) if (session !== grown) held += session.partitions.size;
    const idleSinceMs = this.#env.monotonicMs() - this.#evictionMs;
    for (const { id, lastUsedMs, partitions } of this.#sessions.values()) {
      if (held <= MOST_PARTITIONS || lastUsedMs >= idleSinceMs) break;
      held -= partitions.size;
      this.#sessions.delete(id);
    }
    return held <= MOST_PARTITIONS;
  }

  #evictFor(size: number, nowMs: number): boolean {
    const [idle] = this.#sessions.values();
    if (idle !== undefined && nowMs - idle.lastUsedMs > this.#evictionMs) return this.#sessions.delete(idle.id);
    let smallest: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      if (nowMs - session.createdMs <= this.#evictionMs) continue;
      if (smallest === undefined || session.partitions.size < smallest.partitions.size) smallest = session;
    }
    return smallest !== undefined && smallest.partitions.size < size && this.#sessions.delete(smallest.id);
  }

  #touch(session: FetchSession): void {
    session.lastUsedMs = this.#env.monotonicMs();
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  #newId(): number {
    for (;;) {
      const id = 1 + Math.floor(this.#env.random() * (2 ** 31 - 1));
      if (id < 2 ** 31 && !this.#sessions.has(id)) return id;
    }
  }
}

const withoutSession = (targets: readonly FetchTarget[]): FetchContext => ({
  targets,
  conclude: () => ({ sessionId: NO_SESSION, listed: targets.map(() => true) }),
});

/** An error is told again each time: what was known of the partition counts no more. */
function toldBy(news: PartitionNews | undefined): { highWatermark: number; logStartOffset: number } {
  if (news === undefined || news.errorCode !== 0) return { highWatermark: -1, logStartOffset: -1 };
  return { highWatermark: news.highWatermark, logStartOffset: news.logStartOffset };
}
