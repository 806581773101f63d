// Attacks an in-memory broker with fresh seeds, for as many rounds as asked.
//   node test/hostile/run.ts [--rounds 10] [--seed N]
import { parseArgs } from 'node:util';
import { breakRequests } from './campaigns.ts';
import { startVictim } from './victim.ts';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const first = Number(flags.seed ?? Math.floor(Math.random() * 1_000_000));
for (let round = 0; round < Number(flags.rounds); round += 1) {
  await using victim = await startVictim();
  const { sent, answered } = await breakRequests(victim, first + round, 60);
  console.log(`ok - seed ${first + round}: ${sent} broken requests, ${answered} answered`);
}
