// Figures and what is said of them: several rounds of each party, smallest, median and largest, and ratios taken within
// each round, because a machine that has other work slows all parties of one round alike, and the next one differently.

export type Unit = 'MB/s' | 'requests/s' | 'ms' | 'MB' | 'KiB' | 's' | 'µs' | 'times';

/** A ratio that the budget (design.md, section 8) or the task names. */
export interface Goal {
  readonly of: string;
  readonly to: string;
  /** Reached when the ratio is at least this; for `atMost`, at most. */
  readonly ratio: number;
  readonly atMost?: boolean;
  readonly says: string;
}

export interface Series {
  readonly party: string;
  readonly values: number[];
  /** What else is worth a word: percentiles, processor time. */
  readonly remarks: string[];
}

export class Comparison {
  readonly title: string;
  readonly unit: Unit;
  readonly goals: readonly Goal[];
  readonly series: Series[] = [];

  constructor(about: { title: string; unit: Unit; goals?: readonly Goal[] }) {
    this.title = about.title;
    this.unit = about.unit;
    this.goals = about.goals ?? [];
  }

  /** Gives a party its row, in the order of the calls. */
  enlist(party: string): Series {
    let series = this.series.find((one) => one.party === party);
    if (series === undefined) this.series.push((series = { party, values: [], remarks: [] }));
    return series;
  }

  add(party: string, value: number, remark?: string): void {
    const series = this.enlist(party);
    series.values.push(value);
    if (remark !== undefined) series.remarks.push(remark);
  }

  /** The ratio in each round that both took part in. */
  ratios({ of, to }: Pick<Goal, 'of' | 'to'>): number[] {
    const [above, below] = [of, to].map((name) => this.series.find(({ party }) => party === name)?.values ?? []);
    return (above ?? []).flatMap((value, round) => {
      const other = below?.[round];
      return other === undefined || !Number.isFinite(value) || !Number.isFinite(other) || other === 0 ? [] : [value / other];
    });
  }
}

export function spreadOf(values: readonly number[]): { min: number; median: number; max: number } | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? max;
  return { min, median: sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2, max };
}
