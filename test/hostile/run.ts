// Attacks an in-memory broker with fresh seeds, for as many rounds as asked.
//   node test/hostile/run.ts [--rounds 10] [--seed N]
import { parseArgs } from 'node:util';
import { askMadly, breakRequests, forgeAndReadBack } from './campaigns.ts';
import { startVictim } from './victim.ts';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const first = Number(flags.seed ?? Math.floor(Math.random() * 1_000_000));
for (let seed = first; seed < first + Number(flags.rounds); seed += 1) {
  await using victim = await startVictim();
  const { sent, answered } = await breakRequests(victim, seed, 60);
  console.log(`ok - seed ${seed}: ${sent} broken requests, ${answered} answered`);
  await askMadly(victim, seed, 60);
  console.log(`ok - seed ${seed}: mad requests of every API and version`);
  const batches = await forgeAndReadBack(seed, 300);
  console.log(`ok - seed ${seed}: ${batches.sent} forged batches, ${batches.taken} taken and read back`);
}
