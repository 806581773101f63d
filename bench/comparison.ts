// Figures and what is said of them: several rounds of each party, smallest, median and largest, and ratios taken within
// each round, because a machine that has other work slows all parties of one round alike, and the next one differently.

export type Unit = 'MB/s' | 'requests/s' | 'ms' | 'MB' | 'KiB' | 's' | 'µs' | 'times';

/** What the budget (design.md, section 8) or the task asks of a figure, or of its ratio to that of another party. */
export interface Goal {
  readonly of: string;
  /** Whom it is compared with; without it the figure itself is what counts. */
  readonly to?: string;
  /** Reached when the ratio, or the figure, is at least this; for `atMost`, at most. Absent: only to be known. */
  readonly wanted?: number;
  readonly atMost?: boolean;
  readonly says: string;
}

export interface Series {
  readonly party: string;
  /** One of each round; NaN where it failed in that round. */
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
  ratios({ of, to }: { readonly of: string; readonly to: string }): number[] {
    const [above, below] = [this.#valuesOf(of), this.#valuesOf(to)];
    return above.flatMap((value, round) => {
      const other = below[round];
      return other === undefined || !Number.isFinite(value) || !Number.isFinite(other) || other === 0 ? [] : [value / other];
    });
  }

  /** What each goal came to; nothing of one whose parties did not both take part. */
  verdicts(): Verdict[] {
    return this.goals.flatMap((goal) => {
      const spread = spreadOf(goal.to === undefined ? this.#valuesOf(goal.of) : this.ratios({ of: goal.of, to: goal.to }));
      return spread === undefined ? [] : [{ goal, spread, standing: standingOf(goal, spread) }];
    });
  }

  #valuesOf(party: string): readonly number[] {
    return this.series.find((one) => one.party === party)?.values ?? [];
  }
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? max;
  return { min, median: sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2, max };
}

export type Standing = 'reached' | 'on the line' | 'not yet' | 'no goal';

export interface Verdict {
  readonly goal: Goal;
  readonly spread: Spread;
  readonly standing: Standing;
}

/** Another run may fall on the other side: the rounds of this one lie on both, and the median this near. */
const NEAR = 0.1;

export function standingOf({ wanted, atMost = false }: Goal, { min, median, max }: Spread): Standing {
  if (wanted === undefined) return 'no goal';
  const isReached = (value: number): boolean => (atMost ? value <= wanted : value >= wanted);
  const rounds = [min, max].map((value) => isReached(value));
  if (rounds.includes(true) && rounds.includes(false) && Math.abs(median / wanted - 1) <= NEAR) return 'on the line';
  return isReached(median) ? 'reached' : 'not yet';
}
