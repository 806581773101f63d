// Puts the same requests to our built program and to Apache Kafka, and prints where the answers differ. By hand: it needs a
// JVM and, the first time, Kafka's jars.
//
//   npm run test:differential -- [topics|settings|producing|reading|groups ...] [--all]
//
// Differences that are meant stand in `intended.ts` with their reasons and are only counted, unless --all asks for them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, startProgram } from '../clients/program.ts';
import { Duel, Party, type Difference } from './duel.ts';
import { reasonFor } from './intended.ts';
import { groups } from './groups.ts';
import { producing } from './producing.ts';
import { reading } from './reading.ts';
import { settings } from './settings.ts';
import { topics } from './topics.ts';

const areas: Readonly<Record<string, (duel: Duel) => Promise<void>>> = { topics, settings, producing, reading, groups };

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean', default: false } } });
const unknown = positionals.find((name) => !Object.hasOwn(areas, name));
if (unknown !== undefined) throw new Error(`there is no area ${unknown}; there are ${Object.keys(areas).join(', ')}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1));

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bucketrider-differential-'));
const start = async (name: string, file: string): Promise<Awaited<ReturnType<typeof startProgram>>> =>
  startProgram({
    file: join(root, file),
    port: await freePort(),
    dataDirectory: join(folder, name),
    settings: ['offsets.topic.num.partitions=5', 'group.initial.rebalance.delay.ms=0'],
  });
const programs = await Promise.all([start('ours', 'dist/bin.cjs'), start('kafka', 'scripts/reference-kafka.ts')]);
const [ours, kafka] = programs.map(({ bootstrap }, at) => new Party(at === 0 ? 'ours' : 'kafka', bootstrap)) as [Party, Party];

const show = ({ api, version, what, path, ours, kafka }: Difference): string => {
  const short = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 300);
  return `${api} ${version}, ${what}: ${path}\n    ours  ${short(ours)}\n    kafka ${short(kafka)}`;
};

let unexplained = 0;
try {
  const duel = new Duel(ours, kafka);
  for (const name of positionals.length > 0 ? positionals : Object.keys(areas)) {
    const [asked, from] = [duel.asked, duel.differences.length];
    await areas[name]?.(duel);
    const found = duel.differences.slice(from);
    const meant = found.filter((difference) => reasonFor(difference) !== undefined);
    for (const difference of found) {
      const reason = reasonFor(difference);
      if (reason === undefined) console.log(show(difference));
      else if (flags.all) console.log(`${show(difference)}\n    meant: ${reason}`);
    }
    unexplained += found.length - meant.length;
    console.log(`# ${name}: ${duel.asked - asked} requests, ${found.length - meant.length} differences, ${meant.length} that are meant`);
  }
} finally {
  ours.close();
  kafka.close();
  await Promise.all(programs.map((program) => program.stop()));
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = unexplained === 0 ? 0 : 1;
