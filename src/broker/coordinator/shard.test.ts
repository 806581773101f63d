// The shard over a log of a whole broker in memory, with a machine that counts: when answers leave, and what a refusal leaves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../../assemble/broker.testing.ts';
import { silentLogger } from '../../base/log.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { Shard, type Answer, type Machine } from './shard.ts';

interface Counter {
  value: number;
  readonly loadedAt: number;
}

interface Made {
  readonly shard: Shard<Counter, string>;
  readonly background: Promise<void>[];
  readonly dropped: string[];
}

const machine = (dropped: string[]): Machine<Counter, string> => ({
  start: () => ({ value: 0, loadedAt: dropped.length }),
  encode: (record) => ({ key: Buffer.from(record), value: Buffer.from(record) }),
  decode: ({ key }) => key.toString(),
  apply: (state, record) => (state.value += Number(record)),
  endTransaction: () => undefined,
  loaded: () => undefined,
  dropped: (state, error) => dropped.push(`${state.value} ${error.errorName}`),
});

async function make(broker: TestBroker, refuse: () => boolean = () => false): Promise<Made> {
  const { topics, image, partitions } = broker.broker;
  await broker.env.clock.until(topics.createOnFirstUse(['counted']));
  const topic = image.findTopic('counted');
  assert.ok(topic);
  const dropped: string[] = [];
  const background: Promise<void>[] = [];
  const shard = new Shard<Counter, string>({
    env: broker.env,
    log: silentLogger,
    name: 'counted-0',
    machine: machine(dropped),
    findLog: () => partitions.find(topic, 0),
    openLog: () => {
      if (refuse()) throw new KafkaError('KAFKA_STORAGE_ERROR');
      return partitions.ledHere(topic, 0);
    },
    inBackground: (_name, work) => background.push(work()),
  });
  return { shard, background, dropped };
}

const add = (count: number, answers: Answer[] = []) => ({
  step: (state: Counter) => ({ records: [String(count)], reply: state.value + count, answers }),
  options: { writes: true },
});

test('a step sees what earlier ones have made at once, and its answer waits until that is durable', async () => {
  await using broker = await startTestBroker();
  const { shard } = await make(broker);
  const { clock, disk } = broker.env;
  using _slow = disk.inject({ kinds: ['dataSync'], delayMs: 1_000 });
  const first = shard.execute('a', add(2).step, { writes: true });
  const second = shard.execute('a', add(3).step, { writes: true });
  assert.equal(shard.state?.value, 5);
  const other = shard.query('b', (state) => state.value);
  assert.equal(other, 5, 'who asks about another key does not wait');
  const looked = shard.query('a', (state) => state.value);
  assert.ok(looked instanceof Promise);
  const startMs = clock.monotonicMs();
  assert.deepEqual(await clock.until(Promise.all([first, second, looked])), [2, 5, 5]);
  assert.ok(clock.monotonicMs() - startMs >= 1_000);
  assert.equal(
    shard.query('a', (state) => state.value),
    5,
    'what is durable is answered without a promise',
  );
});

test('an answer that holds whatever a crash takes back leaves at once', async () => {
  await using broker = await startTestBroker();
  const { shard } = await make(broker);
  const delivered: string[] = [];
  const answer = (name: string, transient: boolean): Answer => ({
    transient,
    deliver: () => delivered.push(name),
    fail: () => delivered.push(`${name} failed`),
  });
  const reply = shard.execute('a', add(1, [answer('durable', false), answer('transient', true)]).step, { writes: true });
  assert.deepEqual(delivered, ['transient']);
  await broker.env.clock.until(Promise.resolve(reply));
  assert.deepEqual(delivered, ['transient', 'durable']);
});

test('a log that takes nothing fails everybody whom the step would have answered, and the state is read again', async () => {
  await using broker = await startTestBroker();
  let refuses = false;
  const { shard, background, dropped } = await make(broker, () => refuses);
  await broker.env.clock.until(Promise.resolve(shard.execute('a', add(4).step, { writes: true })));
  refuses = true;
  const failed: string[] = [];
  const waiting: Answer = { transient: true, deliver: () => failed.push('delivered'), fail: (error) => failed.push(error.errorName) };
  assert.throws(() => shard.execute('a', add(1, [waiting]).step, { writes: true }), { errorName: 'NOT_COORDINATOR' });
  assert.deepEqual(failed, ['NOT_COORDINATOR']);
  assert.deepEqual(dropped, ['4 NOT_COORDINATOR']);
  await broker.env.clock.until(Promise.all(background));
  assert.equal(shard.state?.value, 4);
});

test('a step that refuses changes nothing; one that fails otherwise costs the state, which is read again', async () => {
  await using broker = await startTestBroker();
  const { shard, background, dropped } = await make(broker);
  await broker.env.clock.until(Promise.resolve(shard.execute('a', add(4).step, { writes: true })));
  const refuse = (): never => {
    throw new KafkaError('UNKNOWN_MEMBER_ID');
  };
  assert.throws(() => shard.execute('a', refuse, { writes: false }), { errorName: 'UNKNOWN_MEMBER_ID' });
  assert.deepEqual(dropped, []);
  const fail = (state: Counter): never => {
    state.value = 99;
    throw new TypeError('a mistake of ours');
  };
  assert.throws(() => shard.execute('a', fail, { writes: false }), TypeError);
  assert.throws(() => shard.query('a', (state) => state.value), { errorName: 'COORDINATOR_LOAD_IN_PROGRESS' });
  await broker.env.clock.until(Promise.all(background));
  assert.equal(
    shard.query('a', (state) => state.value),
    4,
  );
});

test('a closed shard sends everybody elsewhere', async () => {
  await using broker = await startTestBroker();
  const { shard, dropped } = await make(broker);
  assert.equal(
    shard.query('a', (state) => state.value),
    0,
  );
  shard.close(new KafkaError('NOT_COORDINATOR'));
  shard.close(new KafkaError('NOT_COORDINATOR'));
  assert.deepEqual(dropped, ['0 NOT_COORDINATOR']);
  assert.throws(() => shard.query('a', (state) => state.value), { errorName: 'NOT_COORDINATOR' });
});
