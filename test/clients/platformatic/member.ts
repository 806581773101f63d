// A group member on @platformatic/kafka; see ../member.ts. Its stream goes on over a rebalance with what it had fetched
// before, so the member keeps the position of each partition it owns and drops what does not follow it: then no offset is
// committed for a partition that belongs to another by now. A fetch that was under way as the group changed also moves the
// stream past what it was told to begin from; the member sees the gap and opens another stream.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Message, Consumer, cooperativeStickyAssigner, COOPERATIVE_STICKY_ASSIGNOR, findErrorBy, Producer } from '@platformatic/kafka';
import { isToldToLeave, memberOrder, tell, toldToLeave } from '../member-program.ts';

const mostAtOnce = 200;

type Raw = Message<Buffer, Buffer, Buffer, Buffer>;

const order = memberOrder();

const base = { clientId: 'platformatic-member', bootstrapBrokers: [order.brokers], retryDelay: 100, connectTimeout: 5_000 };

const isGivenUp = (error: Error): boolean => findErrorBy(error, 'apiId', 'UNKNOWN_MEMBER_ID') !== null;

class Member {
  /** No retries: the library would repeat a commit that was refused for its generation under the next one, and take offsets back. */
  readonly #consumer = new Consumer({
    ...base,
    retries: 0,
    groupId: order.group,
    groupProtocol: order.protocol,
    ...(order.instanceId !== undefined && { groupInstanceId: order.instanceId }),
    ...(order.protocol === 'classic' && {
      sessionTimeout: order.sessionTimeoutMs,
      rebalanceTimeout: Math.max(order.sessionTimeoutMs, 10_000),
      heartbeatInterval: 200,
      protocols: [{ name: order.assignor === 'cooperative' ? COOPERATIVE_STICKY_ASSIGNOR : 'roundrobin', version: 1 }],
      ...(order.assignor === 'cooperative' && { partitionAssigner: cooperativeStickyAssigner }),
    }),
  });
  readonly #producer = new Producer({ ...base, retries: 20 });
  /** The next offset of each partition it owns, as far as the broker has been asked. */
  #positions = new Map<number, bigint>();
  /** Counts what the group did to the member: an offset is only committed when nothing came between. */
  #changes = 0;
  /** What ended it, if not we; the next member begins anew. */
  #failure: Error | undefined;
  #wake = (): void => undefined;

  constructor() {
    const changed = (): void => {
      this.#positions = new Map();
      this.#changes += 1;
    };
    // What stays with a member of a cooperative group goes on where it is; it may have read further than it has committed.
    const assigned = (): void => {
      const owned = this.#owned();
      const kept = order.assignor === 'cooperative' || order.protocol === 'consumer' ? [...this.#positions] : [];
      changed();
      this.#positions = new Map(kept.filter(([partition]) => owned.includes(partition)));
      tell.assigned(owned);
    };
    const rebalancing = (): void => {
      if (order.assignor === 'eager' && order.protocol === 'classic') changed();
    };
    this.#consumer.on('consumer:group:join', assigned);
    // By the consumer protocol the library tells of the first assignment alone.
    let last = '';
    if (order.protocol === 'consumer')
      setInterval(() => {
        const owned = this.#owned().join();
        if (owned !== last) assigned();
        last = owned;
      }, 20).unref();
    this.#consumer.on('consumer:group:rebalance', rebalancing);
    this.#consumer.on('consumer:group:leave', changed);
    this.#consumer.on('consumer:heartbeat:error', ({ error }) => {
      changed();
      // By the consumer protocol the library (2.12.1) begins anew when it is fenced, but goes on for ever as the member it was when the
      // group has given it up (UNKNOWN_MEMBER_ID); with nothing to read and to commit, nothing else would tell.
      if (order.protocol === 'consumer' && isGivenUp(error)) this.#end(error);
    });
    this.#consumer.on('error', (error) => this.#end(error));
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    this.#wake();
  }

  #owned(): number[] {
    return this.#consumer.assignments?.find(({ topic }) => topic === order.topic)?.partitions ?? [];
  }

  /** Until it is told to leave, or the stream has to be opened anew. */
  async run(): Promise<void> {
    const stream = await this.#consumer.consume({
      topics: [order.topic],
      autocommit: false,
      mode: 'committed',
      fallbackMode: 'earliest',
      maxWaitTime: 200,
      maxBytes: 262_144,
      highWaterMark: mostAtOnce,
    });
    const waiting: Raw[] = [];
    stream.on('data', (message) => {
      waiting.push(message);
      if (waiting.length >= mostAtOnce) stream.pause();
      this.#wake();
    });
    stream.on('error', (error) => this.#end(error));
    void toldToLeave.then(() => this.#wake());
    let whole = true;
    while (!isToldToLeave() && this.#failure === undefined && whole) {
      if (waiting.length === 0) {
        stream.resume();
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      whole = await this.#take(waiting.splice(0));
    }
    if (this.#failure !== undefined) throw this.#failure;
    await Promise.race([stream.close(), sleep(5_000).then(() => Promise.reject(new Error('the stream has not closed within 5 s')))]);
  }

  /** False when the stream has passed what is not committed, and has to be opened anew. */
  async #take(messages: readonly Raw[]): Promise<boolean> {
    const changes = this.#changes;
    await this.#findPositions();
    if (changes !== this.#changes) return false; // what is dropped here has to come again
    const positions = this.#positions;
    let whole = true;
    const mine = messages.filter(({ partition, offset }) => {
      const position = positions.get(partition);
      if (position !== undefined && position < offset) whole = false;
      if (position !== offset) return false;
      positions.set(partition, offset + 1n);
      return true;
    });
    if (mine.length === 0) return whole;
    if (order.to !== undefined) {
      const { to } = order;
      await this.#producer.send({ messages: mine.map(({ key, value, partition }) => ({ topic: to, partition, key, value })), acks: -1 });
    }
    const partitions = new Map(mine.map(({ partition, offset }) => [partition, offset + 1n]));
    for (const partition of partitions.keys())
      tell.read(
        partition,
        mine.filter((message) => message.partition === partition).map(({ offset }) => offset),
      );
    if (changes !== this.#changes) return false; // not committed, so whoever owns it now begins before it
    await this.#consumer.commit({
      offsets: [...partitions].map(([partition, offset]) => ({ topic: order.topic, partition, offset, leaderEpoch: -1 })),
    });
    for (const [partition, offset] of partitions) tell.committed(partition, offset);
    return whole;
  }

  async #findPositions(): Promise<void> {
    const partitions = this.#owned().filter((partition) => !this.#positions.has(partition));
    if (partitions.length === 0) return;
    const found = await this.#consumer.listCommittedOffsets({ topics: [{ topic: order.topic, partitions }] });
    const offsets = found.get(order.topic) ?? [];
    for (const partition of partitions) {
      const offset = offsets[partition] ?? -1n;
      this.#positions.set(partition, offset < 0n ? 0n : offset);
    }
  }

  async close(): Promise<void> {
    await this.#consumer.close(true);
    await this.#producer.close();
  }
}

// A broken connection ends the stream; a program then begins again, as this one does.
while (!isToldToLeave()) {
  const member = new Member();
  try {
    while (!isToldToLeave()) await member.run();
  } catch (thrown) {
    tell.trouble(thrown);
    await sleep(100);
  }
  await member.close().catch(tell.trouble);
}
process.exit(0); // connections that were being made when it was told may still be held
