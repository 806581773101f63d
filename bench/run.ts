// `npm run bench`: plays the cases, one after the other, and prints what came out. Progress goes to standard error, the
// tables to standard output.
//   npm run bench -- [--only CASE,...] [--rounds N] [--turns N] [--quick | --long] [--markdown] [--no-kafka] [--no-pin] [--data DIR]
//                    [--save FILE] [--render FILE,...]
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { BenchContext, Case } from './bench-context.ts';
import { fetchCase } from './case-fetch.ts';
import { groupCases } from './case-groups.ts';
import { memoryCases } from './case-memory.ts';
import { aloneCases } from './case-alone.ts';
import { latencyCase } from './case-latency.ts';
import { produceCases } from './case-produce.ts';
import { startCases } from './case-start.ts';
import { Comparison } from './comparison.ts';
import { Generator, javaIsThere, pinning } from './parties.ts';
import { diskFacts, machineFacts } from './machine.ts';
import { markdownOf, textOf } from './report.ts';

const cases: readonly Case[] = [...produceCases, latencyCase, fetchCase, ...groupCases, ...startCases, ...memoryCases, ...aloneCases];

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    turns: { type: 'string' },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    'no-kafka': { type: 'boolean', default: false },
    'no-pin': { type: 'boolean', default: false },
    data: { type: 'string', default: tmpdir() },
    save: { type: 'string' },
    render: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

interface Saved {
  readonly facts: string[];
  readonly comparisons: Comparison[];
}

function print({ facts, comparisons }: Saved): void {
  if (flags.markdown) console.log(markdownOf(facts, comparisons));
  else {
    for (const fact of facts) console.log(fact);
    for (const comparison of comparisons) console.log(`\n${textOf(comparison)}`);
  }
}

/** Figures of earlier runs, as `--save` kept them; a later file adds to an earlier one. */
function load(files: string): Saved {
  const saved = files.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')) as Saved);
  const comparisons = saved.flatMap(({ comparisons }) =>
    comparisons.map((plain) => {
      const comparison = new Comparison(plain);
      comparison.series.push(...plain.series.map((series) => ({ ...series, values: series.values.map((value) => value ?? Number.NaN) })));
      return comparison;
    }),
  );
  return { facts: [...new Set(saved.flatMap(({ facts }) => facts))], comparisons };
}

async function play(): Promise<Saved> {
  const wanted = flags.only?.split(',');
  const unknown = wanted?.find((name) => cases.every((one) => one.name !== name && !one.name.startsWith(`${name}-`)));
  if (unknown !== undefined) throw new Error(`there is no case ${unknown}; --list names them`);
  if (flags['no-pin']) pinning.enabled = false;
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const disk = diskFacts(flags.data);
  if (disk.includes('tmpfs')) log(`${flags.data} lies in memory (${disk}): a sync costs nothing there; --data names a folder on a disk`);
  const withKafka = !flags['no-kafka'] && javaIsThere();
  if (!withKafka) log('Kafka is left out: there is no java, or it was not wanted');
  const generator = new Generator();
  const context: BenchContext = {
    generator,
    dataParent: flags.data,
    rounds: Number(flags.rounds ?? (flags.quick ? 1 : flags.long ? 3 : 2)),
    turns: Number(flags.turns ?? (flags.quick ? 2 : flags.long ? 30 : 7)),
    turnMs: flags.quick ? 500 : 800,
    warmUpMs: flags.quick ? 500 : 3000,
    measureMs: flags.quick ? 1500 : flags.long ? 8000 : 3000,
    quick: flags.quick,
    long: flags.long,
    present: (parties) => parties.filter(({ name }) => withKafka || !name.startsWith('Kafka')),
    log,
  };
  const facts = machineFacts(flags.data, ['npm run bench --', ...process.argv.slice(2).filter((word) => !word.includes('/'))].join(' '));
  const comparisons: Comparison[] = [];
  try {
    for (const one of cases) {
      if (wanted !== undefined && !wanted.some((name) => one.name === name || one.name.startsWith(`${name}-`))) continue;
      log(`${one.name}: ${one.title}`);
      const startedMs = performance.now();
      try {
        comparisons.push(...(await one.run(context)));
      } catch (thrown) {
        // The figures of the others are worth having.
        log(`  ${one.name} failed: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
        process.exitCode = 1;
      }
      log(`  ${Math.round((performance.now() - startedMs) / 1000)} s`);
      if (flags.save !== undefined) writeFileSync(flags.save, JSON.stringify({ facts, comparisons }));
    }
  } finally {
    generator.close();
  }
  return { facts, comparisons };
}

if (flags.list) for (const { name, title } of cases) console.log(`${name.padEnd(30)} ${title}`);
else print(flags.render === undefined ? await play() : load(flags.render));
