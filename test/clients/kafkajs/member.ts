// A group member on kafkajs. Moves a batch as it came, waits for its acknowledgement, commits, and says so; see ../member.ts.
import kafkajs, { type Consumer, type EachBatchPayload } from 'kafkajs';
import { memberOrder, tell, toldToLeave } from '../member-program.ts';

const { Kafka, logLevel } = kafkajs;
const order = memberOrder();
const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 100 };
const kafka = new Kafka({
  clientId: 'kafkajs-member',
  brokers: [order.brokers],
  logLevel: logLevel.NOTHING,
  connectionTimeout: 5_000,
  requestTimeout: 10_000,
  retry,
});
const producer = kafka.producer({ allowAutoTopicCreation: false });

async function move({ batch: { partition, messages } }: EachBatchPayload, to: string): Promise<void> {
  const moved = messages.map(({ key, value, headers }) => ({ partition, key, value, ...(headers && { headers }) }));
  await producer.send({ topic: to, messages: moved, acks: -1 });
}

async function take(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
  const { partition, messages } = payload.batch;
  const last = messages.at(-1);
  if (!payload.isRunning() || payload.isStale() || last === undefined) return;
  if (order.to !== undefined) await move(payload, order.to);
  tell.read(
    partition,
    messages.map(({ offset }) => offset),
  );
  const next = String(BigInt(last.offset) + 1n);
  await consumer.commitOffsets([{ topic: order.topic, partition, offset: next }]);
  if (!payload.isRunning()) return; // kafkajs commits nothing any more once it is told to stop, and says nothing of it
  tell.committed(partition, next);
  payload.resolveOffset(last.offset);
  await payload.heartbeat();
}

/** kafkajs begins anew by itself after most failures, and stops for good after some, such as a commit by a member expelled. */
async function startConsumer(): Promise<Consumer> {
  const consumer = kafka.consumer({
    groupId: order.group,
    sessionTimeout: order.sessionTimeoutMs,
    rebalanceTimeout: Math.max(order.sessionTimeoutMs, 10_000),
    heartbeatInterval: 200,
    maxWaitTimeInMs: 200,
    maxBytesPerPartition: 16_384,
    retry,
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => tell.assigned(payload.memberAssignment[order.topic] ?? []));
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    tell.trouble(payload.error);
    if (!payload.restart) current = startConsumer();
  });
  await consumer.connect();
  await consumer.subscribe({ topic: order.topic, fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => take(consumer, payload) });
  return consumer;
}

if (order.to !== undefined) await producer.connect();
let current = startConsumer();
await toldToLeave;
await (await current).disconnect();
await producer.disconnect();
process.exit(); // a socket that kafkajs was opening as it was told to disconnect would hold the process
