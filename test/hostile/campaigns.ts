// The attacks that are run with any seed: once in each test run, and for as long as wanted by `npm run test:hostile`.
import assert from 'node:assert/strict';
import type { Api } from '../../src/handlers/handler.ts';
import { diceOf, type Dice } from '../protocol-samples.ts';
import { startTestBroker } from '../../src/assemble/broker.testing.ts';
import { createTopic } from '../../src/handlers/data-path.testing.ts';
import { decodedAnswer, errorCodesIn } from './answers.ts';
import { batchTopics, forgeBatches, readAllLogs } from './batches.ts';
import { cuts, mutated } from './mutations.ts';
import { frameOf, hostileNames, pointedSample, servedVersions, type Known } from './samples.ts';
import { TARGET, type Outcome, type Victim } from './victim.ts';

/** Their clients ask them to wait: Fetch, JoinGroup, SyncGroup, ShareFetch. */
const waitingApis = new Set([1, 11, 14, 78]);
const UNKNOWN_SERVER_ERROR = -1;
/** Larger samples say nothing more, and there are as many cuts as bytes. */
const COMFORTABLE_BYTES = 500;

const knownTo = async (victim: Victim): Promise<Known> => ({
  names: [TARGET, TARGET, TARGET, TARGET, ...hostileNames],
  ids: [await victim.target()],
});

/** Every version of every API: a valid request, cut at every byte and broken in `mutations` ways. Returns how many frames were sent. */
export async function breakRequests(victim: Victim, seed: number, mutations: number): Promise<{ sent: number; answered: number }> {
  const dice = diceOf(seed);
  let sent = 0;
  let answered = 0;
  for (const { api, version } of servedVersions()) {
    const whole = smallFrame(api, version, dice, await knownTo(victim));
    const frames = [whole, ...cuts(whole), ...Array.from({ length: mutations }, () => mutated(whole, dice))];
    const what = `${api.name} v${version}, seed ${seed}`;
    const outcomes = await victim.attack(frames);
    for (const [at, outcome] of outcomes.entries()) if (judge(frames[at] as Buffer, outcome, what)) answered += 1;
    assert.ok(outcomes[0]?.goesOn || waitingApis.has(api.key) || mayClose(api), `${what}: a valid request was not answered`);
    await victim.check(what);
    sent += frames.length;
  }
  return { sent, answered };
}

/** Every version of every API: requests that are well-formed, and whose values nobody should have sent. */
export async function askMadly(victim: Victim, seed: number, rounds: number): Promise<void> {
  const dice = diceOf(seed);
  for (const { api, version } of servedVersions()) {
    const known = await knownTo(victim);
    const frames = Array.from({ length: rounds }, () =>
      frameOf(api, version, pointedSample(api, version, dice, known), { correlationId: 7 }),
    );
    const what = `${api.name} v${version}, seed ${seed}`;
    for (const [at, outcome] of (await victim.attack(frames)).entries()) {
      judge(frames[at] as Buffer, outcome, what);
      assert.ok(
        !outcome.closed || mayClose(api),
        `${what}: ${(frames[at] as Buffer).toString('hex').slice(0, 400)} is well-formed, and was not answered`,
      );
    }
    await victim.check(what);
  }
}

/** Batches that lie, to every kind of topic: what was taken is read from end to end, before a kill and after it, and is the same. */
export async function forgeAndReadBack(seed: number, rounds: number): Promise<{ sent: number; taken: number }> {
  const test = await startTestBroker();
  for (const [name, configs] of Object.entries(batchTopics)) await createTopic(test, { name, configs });
  const counts = await forgeBatches(test, seed, rounds);
  const before = await readAllLogs(test);
  assert.deepEqual(test.failures, []);
  await using again = await test.crash();
  assert.deepEqual(await readAllLogs(again), before, `seed ${seed}`);
  assert.deepEqual(again.failures, []);
  return counts;
}

/** Produce with acks=0 ends the connection when a batch is refused. */
const mayClose = ({ key }: Api): boolean => key === 0;

function smallFrame(api: Api, version: number, dice: Dice, known: Known): Buffer {
  const frame = (): Buffer => frameOf(api, version, pointedSample(api, version, dice, known), { correlationId: 7, unknownTags: dice });
  let smallest = frame();
  for (let tries = 0; tries < 20 && smallest.length > COMFORTABLE_BYTES; tries++) {
    const other = frame();
    if (other.length < smallest.length) smallest = other;
  }
  return smallest;
}

/** Answered, or closed, or waiting as it was asked to; and the answer is one to this request. Returns whether there was one. */
export function judge(frame: Buffer, { answers, closed, goesOn }: Outcome, what: string): boolean {
  const shown = `${what}: ${frame.toString('hex').slice(0, 400)}`;
  assert.ok(answers.length <= 1, `${shown} has ${answers.length} answers`);
  assert.ok(closed || goesOn || waitingApis.has(frame.readInt16BE(0)), `${shown} was neither answered nor refused`);
  const [answer] = answers;
  if (answer === undefined) return false;
  const body = decodedAnswer(frame, answer);
  assert.ok(!errorCodesIn(body).includes(UNKNOWN_SERVER_ERROR), `${shown} met something that nobody foresaw`);
  return true;
}
