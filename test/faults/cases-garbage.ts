// Files that hold something else than they should, or nothing, or are gone: one kind after the other, each under the built broker.
// What can be made again is; what cannot is refused by its name, and nothing is ever begun anew in its place.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '../../src/base/memory/random.ts';
import { Broker } from './broker.ts';
import type { Case } from './case.ts';
import { createTopic, Ledger } from './ledger.ts';
import { Place } from './machine.ts';

type Damage = 'garbage' | 'empty' | 'missing' | 'half';
type After = 'a clean stop' | 'a kill';

interface Template {
  readonly data: string;
  /** Of the partition whose files are damaged, and of its neighbour. */
  readonly ledger: Ledger;
  readonly neighbour: Ledger;
}

const first = '00000000000000000000';
const templates = new Map<After, Promise<Template>>();

/** A log dir with two topics, one of them of several segments; made once. */
function templateAfter(after: After): Promise<Template> {
  let template = templates.get(after);
  if (template === undefined) templates.set(after, (template = makeTemplate(after)));
  return template;
}

async function makeTemplate(after: After): Promise<Template> {
  const place = new Place();
  process.on('exit', () => void place.clear());
  const data = place.folder();
  const broker = await Broker.start(place, { data });
  const client = await broker.connect();
  await createTopic(client, 'orders', 1, { 'segment.bytes': '1048576' });
  await createTopic(client, 'neighbour');
  const ledger = new Ledger('orders');
  const neighbour = new Ledger('neighbour');
  for (let n = 0; n < 45; n += 1) await ledger.write(client, { bytes: 60_000 });
  for (let n = 0; n < 10; n += 1) await neighbour.write(client);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // a checkpoint
  for (let n = 0; n < 10; n += 1) await ledger.write(client, { bytes: 200 });
  if (after === 'a clean stop') await broker.stop();
  else await broker.kill();
  return { data, ledger, neighbour };
}

function damage(path: string, how: Damage): void {
  if (how === 'missing') rmSync(path);
  else if (how === 'empty') writeFileSync(path, '');
  else {
    const before = readFileSync(path);
    const bytes = Math.max(40, before.length);
    writeFileSync(path, how === 'half' ? before.subarray(0, before.length >> 1) : new SeededRandom(bytes).bytes(bytes));
  }
}

interface Kind {
  readonly what: string;
  readonly after: After;
  /** Below the log dir; by name, or found in it. */
  readonly file: string | ((data: string) => string);
  readonly damages: readonly Damage[];
  readonly outcome: string;
  readonly check: (found: Found) => Promise<void>;
}

interface Found extends Template {
  readonly place: Place;
  readonly path: string;
  readonly how: Damage;
}

const segmentsOf = (data: string): string[] =>
  readdirSync(join(data, 'orders-0'))
    .filter((name) => name.endsWith('.log'))
    .sort();

/** Starts, and everything is there and goes on; `says` where the operator should hear of it. */
const harmless =
  (says?: RegExp): Kind['check'] =>
  async ({ place, data, ledger, neighbour, how }) => {
    const broker = await Broker.start(place, { data });
    const client = await broker.connect();
    for (const one of [ledger.copy(), neighbour.copy()]) {
      await one.check(client);
      assert.equal(await one.write(client), 'NONE');
      await one.check(client);
    }
    if (says !== undefined && how === 'garbage') assert.match(broker.said, says);
    await broker.kill();
  };

/** The start is refused, with the path and without a stack; what is there is not touched. */
const refused: Kind['check'] = async ({ place, data, path }) => {
  const broker = Broker.launch(place, { data });
  const end = await broker.endsWithin(10_000);
  assert.ok(end.code !== null && end.code > 0, `it ended with ${end.code ?? end.signal}`);
  const named = [path, join(data, '__cluster_metadata-0'), data].find((one) => broker.said.includes(one));
  assert.ok(named !== undefined, broker.said);
  assert.doesNotMatch(broker.said, /\n\s+at /, 'a stack is no advice');
};

/** That partition is neither read nor written, its neighbours are. */
const partitionRefused: Kind['check'] = async ({ place, data, ledger, neighbour }) => {
  const broker = await Broker.start(place, { data });
  const client = await broker.connect();
  await assert.rejects(ledger.copy().check(client), /orders-0 at 0: KAFKA_STORAGE_ERROR/);
  assert.equal(await ledger.copy().write(client), 'KAFKA_STORAGE_ERROR');
  await neighbour.copy().check(client);
  assert.equal(await neighbour.copy().write(client), 'NONE');
  assert.match(broker.said, /orders-0.*a partition cannot be opened/);
  await broker.kill();
};

/** What lies before the damage is read; the partition says where it stops, and its neighbours go on. */
const readableUpTo =
  (says: RegExp, writes: 'NONE' | 'KAFKA_STORAGE_ERROR'): Kind['check'] =>
  async ({ place, data, ledger, neighbour }) => {
    const broker = await Broker.start(place, { data });
    const client = await broker.connect();
    await assert.rejects(ledger.copy().check(client), (thrown: Error) => {
      const at = Number(/orders-0 at (\d+): (KAFKA_STORAGE_ERROR|OFFSET_OUT_OF_RANGE)/.exec(thrown.message)?.[1] ?? 0);
      // Or the log ends there: then the record is named that was acknowledged and cannot be read.
      const missing = Number(/offset (\d+) of orders-0 was acknowledged/.exec(thrown.message)?.[1] ?? 0);
      return at > 0 || missing > 0 || /orders-0 has a gap/.test(thrown.message);
    });
    assert.equal(await ledger.copy().write(client), writes);
    await neighbour.copy().check(client);
    assert.match(broker.said, says);
    await broker.kill();
  };

const anyway = ['garbage', 'empty', 'missing'] as const;

const kinds: Kind[] = [
  ...(['.index', '.timeindex'] as const).map((suffix): Kind => ({
    what: suffix,
    after: 'a clean stop',
    file: `orders-0/${first}${suffix}`,
    damages: anyway,
    outcome: 'is made again',
    check: harmless(),
  })),
  {
    what: 'snapshot of producers',
    after: 'a clean stop',
    file: (data) =>
      join(
        'orders-0',
        readdirSync(join(data, 'orders-0'))
          .filter((name) => name.endsWith('.snapshot'))
          .sort()
          .at(-1) ?? '',
      ),
    damages: anyway,
    outcome: 'is made again',
    check: harmless(/a snapshot of producers is damaged/),
  },
  {
    what: 'leader-epoch-checkpoint',
    after: 'a clean stop',
    file: 'orders-0/leader-epoch-checkpoint',
    damages: anyway,
    outcome: 'is read from the batches',
    check: harmless(/leader epochs.* are damaged/),
  },
  ...['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', 'replication-offset-checkpoint', 'cleaner-offset-checkpoint'].map(
    (file): Kind => ({
      what: file,
      after: 'a kill',
      file,
      damages: ['garbage', 'empty'],
      outcome: 'costs a longer start',
      check: harmless(),
    }),
  ),
  {
    what: 'partition.metadata',
    after: 'a kill',
    file: 'orders-0/partition.metadata',
    damages: ['garbage', 'empty', 'missing'],
    outcome: 'keeps that partition closed, and nothing else',
    check: partitionRefused,
  },
  {
    what: 'meta.properties',
    after: 'a clean stop',
    file: 'meta.properties',
    damages: ['garbage', 'empty', 'missing'],
    outcome: 'refuses the start',
    check: refused,
  },
  {
    what: 'quorum-state',
    after: 'a clean stop',
    file: '__cluster_metadata-0/quorum-state',
    damages: ['garbage', 'empty', 'half'],
    outcome: 'refuses the start',
    check: refused,
  },
  {
    what: 'quorum-state that is gone',
    after: 'a kill',
    file: '__cluster_metadata-0/quorum-state',
    damages: ['missing'],
    outcome: 'is written again, since the log tells the epoch too',
    check: harmless(),
  },
  {
    what: 'metadata log',
    after: 'a clean stop',
    file: `__cluster_metadata-0/${first}.log`,
    damages: ['garbage', 'empty', 'missing', 'half'],
    outcome: 'refuses the start',
    check: refused,
  },
  {
    what: 'metadata log after a kill',
    after: 'a kill',
    file: `__cluster_metadata-0/${first}.log`,
    damages: ['garbage', 'empty', 'half'],
    outcome: 'refuses the start',
    check: refused,
  },
  {
    what: 'metadata snapshot',
    after: 'a clean stop',
    file: '__cluster_metadata-0/00000000000000000003-0000000001.checkpoint',
    damages: ['garbage', 'empty'],
    outcome: 'is set aside, since the log says the same',
    check: harmless(/a snapshot of the metadata is damaged/),
  },
  {
    what: 'bootstrap.checkpoint',
    after: 'a clean stop',
    file: 'bootstrap.checkpoint',
    damages: ['garbage', 'empty', 'missing'],
    outcome: 'means nothing to a log dir that has begun',
    check: harmless(),
  },
  {
    what: 'journal',
    after: 'a kill',
    file: 'bucketrider.journal',
    damages: ['garbage', 'missing', 'half'],
    outcome: 'costs nothing but an error line, since a kill leaves the segments',
    check: harmless(/the journal is damaged/),
  },
  {
    what: 'full segment',
    after: 'a clean stop',
    file: `orders-0/${first}.log`,
    damages: ['half'],
    outcome: 'is read up to there, the log goes on behind it, and what lies between is missed',
    check: readableUpTo(/records of a partition are missing/, 'NONE'),
  },
  {
    what: 'active segment',
    after: 'a kill',
    file: (data) => join('orders-0', segmentsOf(data).at(-1) ?? ''),
    damages: ['half'],
    outcome: 'makes the partition read-only up to there',
    check: readableUpTo(/a partition is damaged: it can be read up to there, and takes no more records/, 'KAFKA_STORAGE_ERROR'),
  },
];

export const garbage: Case[] = kinds.map(({ what, after, file, damages, outcome, check }) => ({
  name: `after ${after} a ${what} (${damages.join(', ')}) ${outcome}`,
  needs: [],
  run: async (place) => {
    const template = await templateAfter(after);
    for (const how of damages) {
      const data = join(place.folder(), 'data');
      cpSync(template.data, data, { recursive: true });
      const path = join(data, typeof file === 'string' ? file : file(data));
      try {
        readFileSync(path);
      } catch {
        writeFileSync(path, ''); // there is none yet: somebody put it there
      }
      damage(path, how);
      await check({ ...template, place, data, path, how }).catch((thrown: unknown) => {
        throw new Error(`${how}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
      });
      rmSync(data, { recursive: true, force: true });
    }
  },
}));
