// Figures about a running broker: counters, gauges and histograms with labels, read by tests and benches through `snapshot`
// and by Prometheus as text. One registry per broker, none of it global. Why not a library: docs/decisions/metrics.md.
// What is measured, and under which of Kafka's or our names, is decided where it happens.
import { invariant } from './invariant.ts';

/** Label names to values. */
export type Labels<Name extends string = string> = Readonly<Record<Name, string>>;

/** Upper bounds in seconds, from a memory operation to a stuck disk. */
export const latencySeconds: readonly number[] = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Upper bounds in bytes, from a record to the largest frame. */
export const sizeBytes: readonly number[] = Array.from({ length: 10 }, (_, index) => 256 * 4 ** index);

/** Upper bounds of counts: members of a group commit, records of a batch. */
export const groupSizes: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096];

export class Counter {
  value = 0;

  /** Adds a count that is not negative, 1 when left out. */
  add(count = 1): void {
    this.value += count;
  }
}

export class Gauge {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(count: number): void {
    this.value += count;
  }
}

export class Histogram {
  /** Upper bounds, inclusive, ascending. */
  readonly bounds: readonly number[];
  /** Observations in each bucket, not cumulated; the last one holds what is above every bound. */
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    counts[low] = (counts[low] as number) + 1;
    this.sum += value;
    this.count += 1;
  }

  /** An estimate: observations lie evenly within their bucket. Above the last bound it is that bound; NaN without observations. */
  quantile(share: number): number {
    if (this.count === 0) return Number.NaN;
    let wanted = share * this.count;
    for (const [index, bound] of this.bounds.entries()) {
      const inBucket = this.counts[index] ?? 0;
      if (wanted <= inBucket && inBucket > 0) {
        const below = index === 0 ? Math.min(0, bound) : (this.bounds[index - 1] ?? 0);
        return below + ((bound - below) * wanted) / inBucket;
      }
      wanted -= inBucket;
    }
    return this.bounds.at(-1) ?? Number.NaN;
  }
}

/** One series at the moment of a snapshot. A histogram's `value` is its count. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  readonly histogram?: {
    readonly sum: number;
    readonly count: number;
    readonly bounds: readonly number[];
    readonly counts: readonly number[];
  };
}

type Kind = 'counter' | 'gauge' | 'histogram';

/** What clients can make series of (topics, client ids) must not grow without bound: further ones share a last series. */
const MOST_SERIES = 10_000;
const OVERFLOW_LABEL = '(other)';

/** The series of one name, told apart by their labels. Keep what `with` returns where it is used often. */
export class Family<Series, Name extends string> {
  readonly labelNames: readonly Name[];
  readonly #make: () => Series;
  readonly #mostSeries: number;
  readonly #series = new Map<string, { labels: Labels<Name>; series: Series }>();

  constructor(labelNames: readonly Name[], make: () => Series, mostSeries: number) {
    this.labelNames = labelNames;
    this.#make = make;
    this.#mostSeries = mostSeries;
  }

  with(labels: Labels<Name>): Series {
    const known = this.#series.get(this.#keyOf(labels));
    if (known !== undefined) return known.series;
    const kept = this.#series.size < this.#mostSeries ? labels : this.#overflow();
    const key = this.#keyOf(kept);
    const shared = this.#series.get(key);
    if (shared !== undefined) return shared.series;
    const series = this.#make();
    this.#series.set(key, { labels: { ...kept }, series });
    return series;
  }

  /** Forgets a series: its topic or connection is gone. */
  remove(labels: Labels<Name>): void {
    this.#series.delete(this.#keyOf(labels));
  }

  get all(): Iterable<{ labels: Labels<Name>; series: Series }> {
    return this.#series.values();
  }

  #keyOf(labels: Labels<Name>): string {
    const { labelNames } = this;
    if (labelNames.length === 1) return labels[labelNames[0] as Name];
    let key = '';
    for (const name of labelNames) key += `${labels[name].length}:${labels[name]}`;
    return key;
  }

  #overflow(): Labels<Name> {
    return Object.fromEntries(this.labelNames.map((name) => [name, OVERFLOW_LABEL])) as Record<Name, string>;
  }
}

/** Labels and value of what is computed when somebody looks. */
export type Reading<Name extends string = string> = readonly [labels: Labels<Name>, value: number];

interface Registered {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly shape: string;
  readonly family: Family<Counter | Gauge | Histogram, string> | undefined;
  readonly read: (() => Iterable<Reading>) | undefined;
}

export class Metrics {
  readonly #registered = new Map<string, Registered>();
  readonly #mostSeries: number;

  constructor({ mostSeries = MOST_SERIES }: { mostSeries?: number } = {}) {
    this.#mostSeries = mostSeries;
  }

  /** Only ever grows. Asking again for a name gives the same counter; another kind under the same name is a broken invariant. */
  counter(name: string, help: string): Counter;
  counter<Name extends string>(name: string, help: string, labels: readonly Name[]): Family<Counter, Name>;
  counter<Name extends string>(name: string, help: string, labels?: readonly Name[]): Counter | Family<Counter, Name> {
    const family = this.#family(name, help, 'counter', labels ?? [], '', () => new Counter());
    return labels === undefined ? family.with({} as Labels<Name>) : family;
  }

  /** A value that is set, or moved up and down. */
  gauge(name: string, help: string): Gauge;
  gauge<Name extends string>(name: string, help: string, labels: readonly Name[]): Family<Gauge, Name>;
  gauge<Name extends string>(name: string, help: string, labels?: readonly Name[]): Gauge | Family<Gauge, Name> {
    const family = this.#family(name, help, 'gauge', labels ?? [], '', () => new Gauge());
    return labels === undefined ? family.with({} as Labels<Name>) : family;
  }

  /** `bounds`: upper bounds of the buckets, ascending. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  histogram<Name extends string>(name: string, help: string, bounds: readonly number[], labels: readonly Name[]): Family<Histogram, Name>;
  histogram<Name extends string>(
    name: string,
    help: string,
    bounds: readonly number[],
    labels?: readonly Name[],
  ): Histogram | Family<Histogram, Name> {
    invariant(
      bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound)),
      'the bounds of a histogram ascend',
    );
    const family = this.#family(name, help, 'histogram', labels ?? [], bounds.join(','), () => new Histogram(bounds));
    return labels === undefined ? family.with({} as Labels<Name>) : family;
  }

  /** A gauge, or with `kind` a counter, whose value is computed when somebody looks; a later one of the same name takes its place. */
  measure(name: string, help: string, read: () => number, kind: 'gauge' | 'counter' = 'gauge'): void {
    this.measureEach(name, help, [], () => [[{}, read()]], kind);
  }

  /** Many series computed together when somebody looks. At most as many as a family keeps are shown. */
  measureEach<Name extends string>(
    name: string,
    help: string,
    labels: readonly Name[],
    read: () => Iterable<Reading<Name>>,
    kind: 'gauge' | 'counter' = 'gauge',
  ): void {
    checkName(name, labels);
    const shape = `measured ${kind} ${labels.join(',')}`;
    const known = this.#registered.get(name);
    invariant(known === undefined || known.shape === shape, `${name} is one metric`);
    this.#registered.set(name, { name, help, kind, shape, family: undefined, read });
  }

  #family<Series extends Counter | Gauge | Histogram, Name extends string>(
    name: string,
    help: string,
    kind: Kind,
    labels: readonly Name[],
    detail: string,
    make: () => Series,
  ): Family<Series, Name> {
    const shape = `${kind} ${labels.join(',')} ${detail}`;
    const known = this.#registered.get(name);
    if (known !== undefined) {
      invariant(known.shape === shape, `${name} is one metric`);
      return known.family as unknown as Family<Series, Name>;
    }
    checkName(name, labels);
    const family = new Family<Series, Name>(labels, make, this.#mostSeries);
    const untyped = family as unknown as Family<Counter | Gauge | Histogram, string>;
    this.#registered.set(name, { name, help, kind, shape, family: untyped, read: undefined });
    return family;
  }

  /** Every series as it is now, in the order of registration. */
  snapshot(): Sample[] {
    return [...this.#registered.values()].flatMap((registered) => this.#samplesOf(registered));
  }

  /** One series as it is now; a histogram's count. Undefined when there is no such series. */
  value(name: string, labels: Labels = {}): number | undefined {
    const registered = this.#registered.get(name);
    if (registered === undefined) return undefined;
    return this.#samplesOf(registered).find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      ?.value;
  }

  #samplesOf({ name, family, read }: Registered): Sample[] {
    if (read !== undefined) {
      const samples: Sample[] = [];
      for (const [labels, value] of read()) {
        if (samples.length >= this.#mostSeries) break;
        samples.push({ name, labels, value });
      }
      return samples;
    }
    return Array.from(family?.all ?? [], ({ labels, series }): Sample => {
      if (!(series instanceof Histogram)) return { name, labels, value: series.value };
      const { sum, count, bounds } = series;
      return { name, labels, value: count, histogram: { sum, count, bounds, counts: [...series.counts] } };
    });
  }

  /** Prometheus' text format, version 0.0.4 (content type `text/plain; version=0.0.4`). */
  exposition(): string {
    const lines: string[] = [];
    for (const registered of this.#registered.values()) {
      lines.push(`# HELP ${registered.name} ${escapeHelp(registered.help)}`, `# TYPE ${registered.name} ${registered.kind}`);
      for (const sample of this.#samplesOf(registered)) writeSample(lines, sample);
    }
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }
}

function checkName(name: string, labels: readonly string[]): void {
  invariant(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name), 'a metric has a name Prometheus takes');
  invariant(
    labels.every((label) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && label !== 'le'),
    'labels have names Prometheus takes',
  );
}

function writeSample(lines: string[], { name, labels, value, histogram }: Sample): void {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  if (histogram === undefined) {
    lines.push(`${name}${braced(pairs)} ${format(value)}`);
    return;
  }
  let cumulated = 0;
  for (const [index, bound] of [...histogram.bounds, Infinity].entries()) {
    cumulated += histogram.counts[index] ?? 0;
    lines.push(`${name}_bucket${braced([...pairs, `le="${format(bound)}"`])} ${cumulated}`);
  }
  lines.push(`${name}_sum${braced(pairs)} ${format(histogram.sum)}`, `${name}_count${braced(pairs)} ${histogram.count}`);
}

const braced = (pairs: readonly string[]): string => (pairs.length === 0 ? '' : `{${pairs.join(',')}}`);

function format(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
