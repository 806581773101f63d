// What one partition knows of its idempotent and transactional producers (KIP-98): the last five batches of each, and its
// open transaction. Says which batches may be appended, which were appended before, and how far committed reads may go.
// `append` alone changes it, for new batches and for replayed ones alike; files are left to producer-snapshot.ts.
import { invariant, present } from '../../base/invariant.ts';
import { KafkaError } from '../../protocol/errors.ts';

/** A resend of any of this many batches is recognised; clients have at most as many in flight. */
export const RETAINED_BATCHES = 5;
const NONE = -1;
const MAX_INT32 = 0x7fff_ffff;

/**
 * Who appends, and so what is checked: a client's batch in full, a coordinator's (it has no sequences) and a marker by
 * epoch, a replayed one not at all, since that was done before it came into the log.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'marker' | 'replay';

/** The end of a transaction, from a control batch. */
export interface TransactionMarker {
  readonly outcome: 'commit' | 'abort';
  /** Of the transaction coordinator that wrote it. */
  readonly coordinatorEpoch: number;
}

/** What of a record batch concerns its producer. */
export interface ProducerBatch {
  /** -1 without a producer: such a batch is always accepted. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 without sequences. */
  readonly baseSequence: number;
  /** Last offset less base offset: after compaction more than the records that are left. */
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** Of a control batch; undefined when the cleaner has removed its one record. */
  readonly marker?: TransactionMarker | undefined;
}

/** A batch that was appended. Sequences and offsets are inclusive at both ends. */
export interface RetainedBatch<Commit = unknown> {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** The owner's: what a duplicate waits for. To be set to undefined once the batch is durable, so that it holds nothing. */
  commit: Commit | undefined;
}

/** A producer as it is kept in files, and handed over between them and this state. */
export interface StoredProducer<Commit = unknown> {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 before the first marker. */
  readonly coordinatorEpoch: number;
  readonly lastTimestamp: number;
  /** -1 without an open transaction. */
  readonly currentTransactionFirstOffset: number;
  /** The oldest first, at most five. */
  readonly batches: readonly RetainedBatch<Commit>[];
}

/** A row of a DescribeProducers answer. */
export interface ProducerDescription {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  readonly currentTransactionStartOffset: number;
}

export interface CompletedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker, inclusive. */
  readonly lastOffset: number;
  readonly isAborted: boolean;
  /** What the transaction index keeps with an aborted one: where the oldest transaction still open begins, else behind the marker. */
  readonly lastStableOffset: number;
}

/** What a check needs to know beyond the batch. */
export interface CheckRules {
  /** Of a marker: from 2 on (KIP-890) its epoch must lie above the producer's, before it may equal it. */
  readonly transactionVersion?: number;
  /** A verification with the coordinator that went before this append (KIP-890), when the producer has one. */
  readonly verification?: { readonly lowestSequence: number; readonly supportsEpochBump: boolean };
}

interface Producer<Commit> {
  readonly producerId: number;
  producerEpoch: number;
  coordinatorEpoch: number;
  lastTimestamp: number;
  currentTransactionFirstOffset: number;
  batches: RetainedBatch<Commit>[];
}

interface DecidedTransaction {
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export class ProducerState<Commit = unknown> {
  /** The maps are absent until they have something to hold, as most partitions are idle. */
  #producers: Map<number, Producer<Commit>> | undefined;
  /** First offset -> producer id of open transactions. They begin at the end of the log, so the map's order is that of offsets. */
  #open: Map<number, number> | undefined;
  /**
   * Decided, but with a marker at or above the high watermark: still unstable. In the order of the markers, without those
   * that a later one with an older beginning outlives: the head is the oldest that counts, now and after any head has gone.
   */
  #undurable: DecidedTransaction[] | undefined;
  #endOffset: number;

  constructor(endOffset = 0) {
    this.#endOffset = endOffset;
  }

  /** Exclusive: the state is that after all batches below. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get producerCount(): number {
    return this.#producers?.size ?? 0;
  }

  get openTransactionCount(): number {
    return this.#open?.size ?? 0;
  }

  /**
   * Whether the batch may be appended now; changes nothing. A batch that is one of the producer's last five comes back as
   * `duplicate`: it is to be answered with what it got the first time.
   * @throws KafkaError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED
   */
  check(batch: ProducerBatch, origin: AppendOrigin, rules: CheckRules = {}): { duplicate: RetainedBatch<Commit> } | undefined {
    if (batch.producerId < 0 || origin === 'replay') return undefined;
    const producer = this.#producers?.get(batch.producerId);
    if (origin === 'client') {
      const duplicate = producer && findDuplicate(producer, batch);
      if (duplicate) return { duplicate };
    }
    checkEpoch(producer, batch, rules.transactionVersion ?? 0);
    if (batch.isControl) checkCoordinatorEpoch(producer, batch);
    else if (origin === 'client') checkSequence(producer, batch, rules.verification);
    if (!batch.isControl && !batch.isTransactional && producer && producer.currentTransactionFirstOffset >= 0)
      throw new KafkaError('INVALID_TXN_STATE', `${named(batch)} has an open transaction; a batch outside of it came`);
    return undefined;
  }

  /**
   * Takes in a batch that `check` let pass, or one that is replayed, and moves `endOffset` behind it. Offsets ascend from
   * call to call. Returns the transaction that the batch completes: an aborted one belongs into the transaction index.
   */
  append(batch: ProducerBatch, baseOffset: number, commit?: Commit): CompletedTransaction | undefined {
    invariant(baseOffset >= this.#endOffset, 'producer state takes in batches in the order of the log');
    this.#endOffset = baseOffset + batch.lastOffsetDelta + 1;
    if (batch.producerId < 0) return undefined;
    if (!batch.isControl) {
      this.#takeData(batch, baseOffset, commit);
      return undefined;
    }
    // The cleaner leaves the shell of a marker whose transaction is gone altogether: it decides nothing any more.
    return batch.marker && this.#takeMarker(batch, batch.marker, baseOffset);
  }

  /** For batches that are known to have no producer, and at a roll: the state holds up to `endOffset`. */
  advanceTo(endOffset: number): void {
    invariant(endOffset >= this.#endOffset, 'the end of the producer state does not move back');
    this.#endOffset = endOffset;
  }

  /** Whether the producer has written in a transaction of this epoch that is not decided yet. */
  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    const producer = this.#producers?.get(producerId);
    return producer !== undefined && producer.currentTransactionFirstOffset >= 0 && producer.producerEpoch === producerEpoch;
  }

  /** The epoch the producer used last; undefined when nothing is known of it. */
  producerEpoch(producerId: number): number | undefined {
    return this.#producers?.get(producerId)?.producerEpoch;
  }

  /**
   * The first offset of a transaction that is open, or decided by a marker that is not below `highWatermark`: until then a
   * crash could take the decision back. Undefined when there is none. The high watermark never falls from call to call.
   */
  firstUnstableOffset(highWatermark: number): number | undefined {
    this.#forgetDecidedBelow(highWatermark);
    const open = this.#open?.keys().next().value;
    const undurable = this.#undurable?.[0]?.firstOffset;
    return open === undefined || (undurable !== undefined && undurable < open) ? undurable : open;
  }

  /** Up to where (exclusive) a committed read may go. */
  lastStableOffset(highWatermark: number, logStartOffset: number): number {
    const unstable = this.firstUnstableOffset(highWatermark);
    return unstable === undefined ? highWatermark : Math.min(highWatermark, Math.max(unstable, logStartOffset));
  }

  /** The log now begins later. Producers stay (KIP-360), also those whose batches are all gone; only their age removes them. */
  advanceLogStartTo(logStartOffset: number): void {
    this.#forgetDecidedBelow(logStartOffset);
    this.#endOffset = Math.max(this.#endOffset, logStartOffset);
  }

  /** Forgets producers without an open transaction whose last batch is `producerIdExpirationMs` old; returns how many. */
  expire(nowMs: number, producerIdExpirationMs: number): number {
    if (!this.#producers) return 0;
    const before = this.#producers.size;
    for (const producer of this.#producers.values())
      if (isExpired(producer, nowMs, producerIdExpirationMs)) this.#producers.delete(producer.producerId);
    const expired = before - this.#producers.size;
    if (this.#producers.size === 0) this.#producers = undefined;
    return expired;
  }

  /** Forgets everything: the log has nothing below `offset`. */
  truncateFullyAndStartAt(offset: number): void {
    this.#producers = undefined;
    this.#open = undefined;
    this.#undurable = undefined;
    this.#endOffset = offset;
  }

  /** Becomes what a snapshot at `endOffset` says, less the expired; the batches from there on are to be replayed. Takes over the objects. */
  restore(producers: Iterable<StoredProducer<Commit>>, endOffset: number, age: { nowMs: number; producerIdExpirationMs: number }): void {
    this.truncateFullyAndStartAt(endOffset);
    const open: Producer<Commit>[] = [];
    for (const stored of producers) {
      if (isExpired(stored, age.nowMs, age.producerIdExpirationMs)) continue;
      const producer = { ...stored, batches: stored.batches.slice(-RETAINED_BATCHES) };
      this.#producers ??= new Map();
      this.#producers.set(producer.producerId, producer);
      if (producer.currentTransactionFirstOffset >= 0) open.push(producer);
    }
    open.sort((one, other) => one.currentTransactionFirstOffset - other.currentTransactionFirstOffset);
    if (open.length > 0) this.#open = new Map(open.map((producer) => [producer.currentTransactionFirstOffset, producer.producerId]));
  }

  /** All producers, for a snapshot at `endOffset`. To be read at once: the objects are the live ones. */
  stored(): Iterable<StoredProducer<Commit>> {
    return this.#producers?.values() ?? [];
  }

  describe(): ProducerDescription[] {
    return Array.from(this.#producers?.values() ?? [], (producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      lastSequence: lastSequenceOf(producer),
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTransactionStartOffset: producer.currentTransactionFirstOffset,
    }));
  }

  #takeData(batch: ProducerBatch, baseOffset: number, commit: Commit | undefined): void {
    const producer = this.#producerInEpoch(batch);
    if (producer.batches.length === RETAINED_BATCHES) producer.batches.shift();
    producer.batches.push({
      baseSequence: batch.baseSequence,
      lastSequence: batchLastSequence(batch),
      baseOffset,
      lastOffset: baseOffset + batch.lastOffsetDelta,
      maxTimestamp: batch.maxTimestamp,
      commit,
    });
    producer.lastTimestamp = batch.maxTimestamp;
    if (!batch.isTransactional || producer.currentTransactionFirstOffset >= 0) return;
    producer.currentTransactionFirstOffset = baseOffset;
    this.#open ??= new Map();
    this.#open.set(baseOffset, batch.producerId);
  }

  /** A marker without a transaction is legal: a coordinator writes it to every partition that was announced to it. */
  #takeMarker(batch: ProducerBatch, marker: TransactionMarker, offset: number): CompletedTransaction | undefined {
    const producer = this.#producerInEpoch(batch);
    const firstOffset = producer.currentTransactionFirstOffset;
    producer.coordinatorEpoch = marker.coordinatorEpoch;
    producer.lastTimestamp = batch.maxTimestamp;
    producer.currentTransactionFirstOffset = NONE;
    if (firstOffset < 0) return undefined;
    const open = present(this.#open, 'the map of open transactions');
    invariant(open.delete(firstOffset), 'a transaction that ends was open');
    const stillOpen = open.keys().next().value;
    if (stillOpen === undefined) this.#open = undefined;
    this.#noteDecided({ firstOffset, lastOffset: offset });
    const lastStableOffset = stillOpen ?? offset + 1;
    return { producerId: batch.producerId, firstOffset, lastOffset: offset, isAborted: marker.outcome === 'abort', lastStableOffset };
  }

  /** The producer, made when it is new; batches of another epoch no longer count. */
  #producerInEpoch({ producerId, producerEpoch }: ProducerBatch): Producer<Commit> {
    this.#producers ??= new Map();
    let producer = this.#producers.get(producerId);
    if (!producer) {
      producer = {
        producerId,
        producerEpoch,
        coordinatorEpoch: NONE,
        lastTimestamp: NONE,
        currentTransactionFirstOffset: NONE,
        batches: [],
      };
      this.#producers.set(producerId, producer);
    } else if (producer.producerEpoch !== producerEpoch) {
      producer.producerEpoch = producerEpoch;
      producer.batches = [];
    }
    return producer;
  }

  #noteDecided(transaction: DecidedTransaction): void {
    this.#undurable ??= [];
    while ((this.#undurable.at(-1)?.firstOffset ?? NONE) > transaction.firstOffset) this.#undurable.pop();
    this.#undurable.push(transaction);
  }

  #forgetDecidedBelow(offset: number): void {
    if (!this.#undurable) return;
    const left = this.#undurable.findIndex(({ lastOffset }) => lastOffset >= offset);
    if (left < 0) this.#undurable = undefined;
    else if (left > 0) this.#undurable.splice(0, left);
  }
}

/** The sequence of a batch's last record, -1 without sequences: they wrap from 2^31 - 1 to 0, also inside a batch. */
function batchLastSequence({ baseSequence, lastOffsetDelta }: ProducerBatch): number {
  return baseSequence < 0 ? NONE : (baseSequence + lastOffsetDelta) % (MAX_INT32 + 1);
}

function findDuplicate<Commit>(producer: Producer<Commit>, batch: ProducerBatch): RetainedBatch<Commit> | undefined {
  if (batch.producerEpoch !== producer.producerEpoch) return undefined;
  const lastSequence = batchLastSequence(batch);
  return producer.batches.find((known) => known.baseSequence === batch.baseSequence && known.lastSequence === lastSequence);
}

const lastSequenceOf = (producer: Producer<unknown>): number => producer.batches.at(-1)?.lastSequence ?? NONE;

const isExpired = (producer: StoredProducer, nowMs: number, producerIdExpirationMs: number): boolean =>
  producer.currentTransactionFirstOffset < 0 && nowMs - producer.lastTimestamp >= producerIdExpirationMs;

const named = (batch: ProducerBatch): string => `producer ${batch.producerId} of epoch ${batch.producerEpoch}`;

function checkEpoch(producer: Producer<unknown> | undefined, batch: ProducerBatch, transactionVersion: number): void {
  const current = producer?.producerEpoch ?? NONE;
  const isMarkerOfVersion2 = batch.isControl && transactionVersion >= 2;
  if (isMarkerOfVersion2 ? batch.producerEpoch > current : batch.producerEpoch >= current) return;
  const relation = isMarkerOfVersion2 ? 'not above' : 'below';
  throw new KafkaError('INVALID_PRODUCER_EPOCH', `${named(batch)}: that is ${relation} the last epoch seen, ${current}`);
}

function checkCoordinatorEpoch(producer: Producer<unknown> | undefined, batch: ProducerBatch): void {
  if (!producer || !batch.marker || batch.marker.coordinatorEpoch >= producer.coordinatorEpoch) return;
  throw new KafkaError(
    'TRANSACTION_COORDINATOR_FENCED',
    `${named(batch)}: a marker from coordinator epoch ${batch.marker.coordinatorEpoch}, but ${producer.coordinatorEpoch} has written already`,
  );
}

function checkSequence(producer: Producer<unknown> | undefined, batch: ProducerBatch, verification: CheckRules['verification']): void {
  const outOfOrder = (why: string): KafkaError =>
    new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', `${named(batch)}: sequence ${batch.baseSequence} came, ${why}`);
  const nothingKnown = !producer || producer.batches.length === 0;
  if (verification?.supportsEpochBump && nothingKnown && batch.baseSequence !== 0)
    throw outOfOrder('but a producer of transactions version 2 that is new here begins with 0');
  if (verification && batch.baseSequence > verification.lowestSequence)
    throw outOfOrder(`but ${verification.lowestSequence} was announced first`);
  // The state of an unknown producer may have expired, or gone with the log's beginning: any sequence may be its next.
  if (!producer) return;
  if (batch.producerEpoch !== producer.producerEpoch) {
    if (batch.baseSequence !== 0)
      throw outOfOrder(`but epoch ${batch.producerEpoch} is new (the last was ${producer.producerEpoch}) and begins with 0`);
    return;
  }
  const last = lastSequenceOf(producer);
  const expected = last === MAX_INT32 ? 0 : last + 1;
  if (batch.baseSequence !== expected) throw outOfOrder(`expected was ${expected}`);
}
