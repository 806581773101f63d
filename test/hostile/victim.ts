// The broker under attack, in memory, beside a client who keeps to the rules: what has to hold after every attack stands in
// `check`. Nothing of the honest topic may have changed, nothing may be left of the attack in the server, and no file may
// lie where none belongs.
import assert from 'node:assert/strict';
import { startTestBroker, type TestBroker } from '../../src/assemble/broker.testing.ts';
import { batchOf, createTopic, fetchOne, produce, recordsOf } from '../../src/handlers/data-path.testing.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../../src/protocol/messages/api-versions.ts';
import { partitionDirectoryName } from '../../src/storage/log/log-names.ts';
import { Attacker, isProbeAnswer, probe, sized } from './attacker.ts';

/** Nobody attacks this one: it is what the others have. */
export const HONEST = 'honest';
/** The attacker may do to this one whatever the protocol lets him do. */
export const TARGET = 'target';

export interface Victim extends AsyncDisposable {
  readonly test: TestBroker;
  readonly honestId: string;
  /** The id of the target, which is made again when the attacker has removed it. */
  target(): Promise<string>;
  /** Another connection of the attacker. */
  enemy(): Promise<Attacker>;
  /**
   * Sends each of the frames (without size) on a connection of its own, and a probe behind it. Returns what came of each;
   * all connections are gone afterwards.
   */
  attack(frames: readonly Buffer[]): Promise<Outcome[]>;
  /** All that must hold after an attack. */
  check(what: string): Promise<void>;
}

export interface Outcome {
  readonly answers: readonly Buffer[];
  /** The broker closed the connection. */
  readonly closed: boolean;
  /** The probe behind the attack was answered too. */
  readonly goesOn: boolean;
}

const honestRecords = ['one', 'two', 'three'];
const NOTICES_MS = 10_001;
/** Every waiting fetch and every deadline of the server lies within. */
const LONG_MS = 60_000;

export async function startVictim(settings: Readonly<Record<string, string>> = {}): Promise<Victim> {
  const test = await startTestBroker({ settings });
  const honestId = await createTopic(test, { name: HONEST });
  await test.env.clock.until(produce(test.client, batchOf(honestRecords), { topic: HONEST }));
  const enemies = test.env.wire.join();
  const enemy = (): Promise<Attacker> => Attacker.connect(enemies, test.port);
  let toldErrors = 0;

  return {
    test,
    honestId,
    target: async () =>
      test.broker.image.findTopic(TARGET)?.id ?? (await test.env.clock.until(createTopic(test, { name: TARGET, partitions: 3 }))),
    enemy,
    attack: async (frames) => {
      const attackers: Attacker[] = [];
      for (const frame of frames) {
        const attacker = await enemy();
        attacker.send(sized(frame), probe);
        attackers.push(attacker);
      }
      await test.env.settle();
      if (attackers.some(({ closed, answers }) => !closed && !isProbeAnswer(answers.at(-1)))) await test.env.advanceMs(LONG_MS);
      const outcomes = attackers.map(({ answers, closed }): Outcome => {
        const goesOn = isProbeAnswer(answers.at(-1));
        return { closed, goesOn, answers: goesOn ? answers.slice(0, -1) : answers };
      });
      for (const attacker of attackers) attacker.leave();
      await test.env.settle();
      return outcomes;
    },
    check: async (what) => {
      await test.env.advanceMs(NOTICES_MS); // a notice that was told just now is held back when it comes again
      assert.deepEqual(test.failures, [], `${what}: the broker failed`);
      const errors = test.log.lines.filter(({ level }) => level === 'error');
      const news = errors.slice(toldErrors).map(({ message, fields }) => `${message}: ${String(fields['error'])}`);
      toldErrors = errors.length;
      assert.deepEqual(news, [], what);
      assert.equal(test.server.metrics.requestsInFlight, 0, `${what}: requests are left`);
      assert.equal(test.server.requestMemoryBytes, 0, `${what}: memory of requests is left`);
      assert.equal(test.server.connections().length, 1, `${what}: connections are left`);
      await checkHonest(test, what);
      await checkFiles(test, what);
    },
    [Symbol.asyncDispose]: () => test.stop(),
  };
}

async function checkHonest(test: TestBroker, what: string): Promise<void> {
  const { clock } = test.env;
  const tables = { request: apiVersionsRequest, response: apiVersionsResponse };
  const versions = await clock.until(test.client.request(tables, 4, { clientSoftwareName: 'honest', clientSoftwareVersion: '1.0' }));
  assert.ok(versions.apiKeys.length > 10, what);
  const fetched = await clock.until(fetchOne(test.client, 0, { topic: HONEST }));
  assert.equal(fetched.highWatermark, honestRecords.length, `${what}: the honest log has changed`);
  assert.deepEqual(
    await recordsOf(fetched),
    honestRecords.map((value, offset) => `${offset}:${value}`),
    what,
  );
}

/** What lies beside the partitions while the broker runs. */
const ownFolders: ReadonlySet<string> = new Set(['__cluster_metadata-0', '.bucketrider-lock']);

/** The data dir is all there is on the disk, and in it are folders of partitions that the metadata knows. */
async function checkFiles({ env, broker }: TestBroker, what: string): Promise<void> {
  const roots = await env.files.readDirectory('/');
  assert.deepEqual(
    roots.map(({ name }) => name),
    ['data'],
    `${what}: something was made outside of the data dir`,
  );
  const known = new Set(
    [...broker.image.topics.values()].flatMap(({ name, partitions }) => partitions.map(({ index }) => partitionDirectoryName(name, index))),
  );
  for (const { name, isDirectory } of await env.files.readDirectory('/data'))
    if (isDirectory && !ownFolders.has(name) && !name.endsWith('-delete'))
      assert.ok(known.has(name), `${what}: ${name} is no partition's folder`);
}
