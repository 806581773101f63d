// What every case gets: how long and how often to measure, where the data may lie, whom to compare with.
import type { Comparison } from './comparison.ts';
import type { Generator, Party } from './parties.ts';

export interface BenchContext {
  readonly generator: Generator;
  /** Where each run makes its own directory. */
  readonly dataParent: string;
  readonly rounds: number;
  /** Rounds of what is measured in short turns, and how long a turn is. */
  readonly turns: number;
  readonly turnMs: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Quick runs look at the bench, not at the broker. */
  readonly quick: boolean;
  /** Memory under load is watched for five minutes instead of two. */
  readonly long: boolean;
  /** Those of the list that can run here. */
  present(parties: readonly Party[]): Party[];
  log(line: string): void;
}

export interface Case {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<Comparison[]>;
}
