import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMemoryEnv } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { KafkaError } from '../protocol/errors.ts';
import { FetchSessions, type FetchSessionRequest, type FetchTarget, type PartitionNews } from './fetch-sessions.ts';

const target = (partition: number, fetchOffset = 0): FetchTarget => ({
  topic: 'orders',
  topicId: '',
  partition,
  fetchOffset,
  maxBytes: 1000,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  knownName: '',
});
const request = (asked: Partial<FetchSessionRequest>): FetchSessionRequest => ({
  sessionId: 0,
  sessionEpoch: 0,
  usesTopicIds: false,
  targets: [],
  forgotten: [],
  ...asked,
});
const news = (highWatermark: number, more: Partial<PartitionNews> = {}): PartitionNews => ({
  errorCode: 0,
  highWatermark,
  logStartOffset: 0,
  bytes: 0,
  ...more,
});
const named = (errorName: string) => (thrown: unknown) => thrown instanceof KafkaError && thrown.errorName === errorName;

function sessionsWith(options: { slots?: number } = {}): { sessions: FetchSessions; env: ReturnType<typeof makeMemoryEnv> } {
  const env = makeMemoryEnv({ compute: makeCompute() });
  return { env, sessions: new FetchSessions({ env, slots: () => options.slots ?? 10, evictionMs: 1000 }) };
}

test('a full fetch opens a session, and an incremental one reads the partitions named before', () => {
  const { sessions } = sessionsWith();
  const { sessionId, listed } = sessions.open(request({ targets: [target(0), target(1)] })).conclude([news(5), news(7)]);
  assert.notEqual(sessionId, 0);
  assert.deepEqual(listed, [true, true]);
  const next = sessions.open(request({ sessionId, sessionEpoch: 1 }));
  assert.deepEqual(
    next.targets.map(({ partition }) => partition),
    [0, 1],
  );
});

test('an incremental answer lists only partitions with data, errors, moved offsets or another history', () => {
  const { sessions } = sessionsWith();
  const { sessionId } = sessions
    .open(request({ targets: [0, 1, 2, 3, 4, 5].map((partition) => target(partition)) }))
    .conclude([news(5), news(5), news(5), news(5), news(5), news(5)]);
  const answer = sessions
    .open(request({ sessionId, sessionEpoch: 1 }))
    .conclude([
      news(5),
      news(6),
      news(5, { bytes: 10 }),
      news(5, { errorCode: 3 }),
      news(5, { logStartOffset: 2 }),
      news(5, { diverges: true }),
    ]);
  assert.deepEqual(answer.listed, [false, true, true, true, true, true]);
  // The one that gave data has gone to the end; the error is told again although nothing about it has changed.
  const again = sessions.open(request({ sessionId, sessionEpoch: 2 }));
  assert.deepEqual(
    again.targets.map(({ partition }) => partition),
    [0, 1, 3, 4, 5, 2],
  );
  const same = [news(5), news(6), news(5, { errorCode: 3 }), news(5, { logStartOffset: 2 }), news(5), news(5)];
  assert.deepEqual(again.conclude(same).listed, [false, false, true, false, false, false]);
});

test('partitions are added, changed and forgotten by incremental requests', () => {
  const { sessions } = sessionsWith();
  const { sessionId } = sessions.open(request({ targets: [target(0), target(1)] })).conclude([news(1), news(1)]);
  const next = sessions.open(
    request({
      sessionId,
      sessionEpoch: 1,
      targets: [target(1, 42), target(2)],
      forgotten: [{ topic: 'orders', topicId: '', partition: 0 }],
    }),
  );
  assert.deepEqual(
    next.targets.map(({ partition, fetchOffset }) => [partition, fetchOffset]),
    [
      [1, 42],
      [2, 0],
    ],
  );
  assert.deepEqual(next.conclude([news(1), news(1)]).listed, [false, true], 'a partition that is new to the session is told of');
});

test('an unknown session, a wrong epoch and a change from names to ids are refused, each with its own error', () => {
  const { sessions } = sessionsWith();
  const { sessionId } = sessions.open(request({ targets: [target(0)] })).conclude([news(1)]);
  assert.throws(() => sessions.open(request({ sessionId: sessionId + 1, sessionEpoch: 1 })), named('FETCH_SESSION_ID_NOT_FOUND'));
  assert.throws(() => sessions.open(request({ sessionId, sessionEpoch: 2 })), named('INVALID_FETCH_SESSION_EPOCH'));
  assert.throws(() => sessions.open(request({ sessionId, sessionEpoch: 1, usesTopicIds: true })), named('FETCH_SESSION_TOPIC_ID_ERROR'));
});

test('epoch -1 closes the session and goes without one', () => {
  const { sessions } = sessionsWith();
  const { sessionId } = sessions.open(request({ targets: [target(0)] })).conclude([news(1)]);
  const last = sessions.open(request({ sessionId, sessionEpoch: -1, targets: [target(0)] }));
  assert.equal(last.conclude([news(1)]).sessionId, 0);
  assert.equal(sessions.size, 0);
});

test('with all slots taken a new fetch goes without a session, until one has been idle for long enough', async () => {
  const { sessions, env } = sessionsWith({ slots: 1 });
  const first = sessions.open(request({ targets: [target(0)] })).conclude([news(1)]);
  assert.equal(sessions.open(request({ targets: [target(0)] })).conclude([news(1)]).sessionId, 0);
  await env.advanceMs(1001);
  const second = sessions.open(request({ targets: [target(0)] })).conclude([news(1)]);
  assert.notEqual(second.sessionId, 0);
  assert.throws(() => sessions.open(request({ sessionId: first.sessionId, sessionEpoch: 1 })), named('FETCH_SESSION_ID_NOT_FOUND'));
});

test('a session in use gives its slot to a larger one once it is old enough, and to a smaller one never', async () => {
  const { sessions, env } = sessionsWith({ slots: 1 });
  const first = sessions.open(request({ targets: [target(0), target(1)] })).conclude([news(1), news(1)]);
  await env.advanceMs(900);
  sessions.open(request({ sessionId: first.sessionId, sessionEpoch: 1 })).conclude([news(1), news(1)]);
  await env.advanceMs(200);
  assert.equal(sessions.open(request({ targets: [target(0)] })).conclude([news(1)]).sessionId, 0);
  assert.notEqual(
    sessions.open(request({ targets: [target(0), target(1), target(2)] })).conclude([news(1), news(1), news(1)]).sessionId,
    0,
  );
});

test('all sessions together remember a bounded number of partitions; who comes later is served without a session', async () => {
  const { sessions, env } = sessionsWith({ slots: 1000 });
  const open = (partitions: number): { sessionId: number; listed: readonly boolean[] } => {
    const targets = Array.from({ length: partitions }, (_, partition) => target(partition));
    return sessions.open(request({ targets })).conclude(targets.map(() => news(0)));
  };
  assert.equal(open(50_001).sessionId, 0, 'one session is no larger than that');
  const first = open(50_000).sessionId;
  for (let more = 0; more < 3; more += 1) assert.notEqual(open(50_000).sessionId, 0);
  const late = open(1);
  assert.deepEqual(late, { sessionId: 0, listed: [true] });
  await env.advanceMs(500);
  sessions.open(request({ sessionId: first, sessionEpoch: 1 })).conclude([]);
  await env.advanceMs(501);
  assert.notEqual(open(1).sessionId, 0, 'sessions that are idle for long make room');
  assert.doesNotThrow(() => sessions.open(request({ sessionId: first, sessionEpoch: 2 })), 'and the others stay');
});

test('a session that grows beyond what is remembered ends with an answer that lists all', () => {
  const { sessions } = sessionsWith();
  const { sessionId } = sessions.open(request({ targets: [target(0)] })).conclude([news(5)]);
  const many = Array.from({ length: 50_000 }, (_, partition) => target(partition + 1));
  const grown = sessions.open(request({ sessionId, sessionEpoch: 1, targets: many }));
  assert.equal(grown.targets.length, 50_001);
  const answer = grown.conclude(grown.targets.map(() => news(5)));
  assert.equal(answer.sessionId, 0);
  assert.ok(answer.listed.length === 50_001 && answer.listed.every(Boolean));
  assert.equal(sessions.size, 0);
});
