// What measuring in turns computes: who comes when, and what one turn says.
import type { SeededRandom } from '../src/base/memory/random.ts';
import type { Unit } from './comparison.ts';
import type { LoadResult } from './load/messages.ts';

/**
 * The order of one round. Shuffled, so that nobody always comes behind the same one: what a party leaves to the kernel to write
 * is written while the next one has its turn.
 */
export function orderOfRound<Contender>(contenders: readonly Contender[], random: SeededRandom): Contender[] {
  const order = [...contenders];
  for (let left = order.length; left > 1; left -= 1) {
    const chosen = random.integer(left);
    [order[left - 1], order[chosen]] = [order[chosen] as Contender, order[left - 1] as Contender];
  }
  return order;
}

/** Megabytes where the table has megabytes, requests otherwise. */
export function rateOf(result: LoadResult, unit: Unit): number {
  return (unit === 'MB/s' ? result.bytes / 1e6 : result.requests) / result.seconds;
}

/** The processor time is that of the whole turn, so all that was answered in it counts: also before and after what is measured. */
export function remarkOn(result: LoadResult, cpuSeconds: number): string {
  const cost = (cpuSeconds * 1000) / (result.allBytes / 1e6);
  const generator = Math.round(result.generatorCpu * 100);
  return `p99 ${result.latencyMs.p99.toFixed(1)} ms, ${cost.toFixed(1)} ms of processor a MB, generator ${generator} % of a core`;
}
