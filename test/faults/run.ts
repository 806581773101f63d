// Faults of the machine, made around the built broker in a process of its own: calls that fail, disks that are full, slow or not
// to be written, descriptors that run out, a process that stands still, files that hold something else. A client drives it, and
// every acknowledged record is looked for afterwards.
//
//   node test/faults/run.ts [--only TEXT] [--list] [--skip-missing]
//
// A machine that does not allow what a case needs fails that case: a suite that leaves itself out proves nothing, and nobody reads
// a line that says so. Who develops on such a machine says --skip-missing, and is told what was left out.
import { parseArgs } from 'node:util';
import { inParallel } from '../../src/base/in-parallel.ts';
import type { Case } from './case.ts';
import { fullDisks } from './cases-full-disk.ts';
import { garbage } from './cases-garbage.ts';
import { limits } from './cases-limits.ts';
import { refusals } from './cases-refusals.ts';
import { slowDisks } from './cases-slow-disk.ts';
import { type Ability, missing, Place } from './machine.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    'skip-missing': { type: 'boolean', default: false },
  },
});

const CASE_MS = 120_000;
const JOBS = 3;
const cases: Case[] = [...refusals, ...fullDisks, ...slowDisks, ...limits, ...garbage].filter(({ name }) => name.includes(flags.only));

async function runOne(one: Case): Promise<void> {
  const place = new Place();
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`it did not end within ${CASE_MS} ms`)), CASE_MS).unref();
  });
  try {
    await Promise.race([one.run(place), late]);
  } finally {
    await place.clear();
  }
}

const abilities = new Map<Ability, string | undefined>();
async function lacks(needs: readonly Ability[]): Promise<string | undefined> {
  for (const ability of needs) {
    if (!abilities.has(ability)) abilities.set(ability, await missing(ability));
    const why = abilities.get(ability);
    if (why !== undefined) return why;
  }
  return undefined;
}

let passed = 0;
let failed = 0;
let skipped = 0;
if (flags.list) for (const { name } of cases) console.log(name);
else {
  // Most of the time is spent in waiting.
  await inParallel(JOBS, cases, async (one) => {
    const startedMs = performance.now();
    const why = await lacks(one.needs);
    if (why !== undefined && flags['skip-missing']) {
      skipped += 1;
      console.log(`skipped - ${one.name}: ${why}`);
      return;
    }
    try {
      if (why !== undefined) throw new Error(why);
      await runOne(one);
      passed += 1;
      console.log(`ok - ${one.name} (${Math.round(performance.now() - startedMs)} ms)`);
    } catch (thrown) {
      failed += 1;
      console.log(`not ok - ${one.name}\n${thrown instanceof Error ? thrown.stack : String(thrown)}`);
    }
  });
  if (skipped > 0) console.log(`${skipped} left out, since this machine does not allow them`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
