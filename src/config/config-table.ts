// What a setting is: one row of a table, with its type, default, bounds, names and meaning. DescribeConfigs, validation,
// the typed objects that the code reads and the settings page all come from the same rows.
// Only the shape of rows and the small functions that make them; which settings there are stands in the tables.

import { bounded, eachOf, noCheck, oneOfText, oneOfTextAnyCase, throttledReplicas, uniqueList, type Check } from './config-checks.ts';
import { canonicalText, clampToSafe, formatValue, parseValue, type ConfigType, type ConfigValue } from './config-value.ts';

export type Importance = 'high' | 'medium' | 'low';

/** What the number counts; files, flags and options may then write `1GiB` or `7d`. */
export type Unit = 'bytes' | 'ms' | 'seconds' | 'minutes' | 'hours';

/** Whether a running broker takes a new value: not, for one broker by its id, or for the whole cluster too. */
export type Update = 'read-only' | 'per-broker' | 'cluster-wide';

/** `accepted`: read, checked and reported, and nothing changes by it. */
export type Effect = 'acted' | 'accepted';

/** A broker setting that gives a topic or group setting its value; `factor` converts hours and minutes to milliseconds. */
export interface Synonym {
  readonly name: string;
  readonly factor: number;
}

/** One setting before the table gives it its name. */
export interface RowSpec<Value = unknown> {
  readonly type: ConfigType;
  /** The typed default; null where Kafka has none. Integers beyond 2^53 - 1 are clamped here and whole in `defaultText`. */
  readonly default: Value;
  readonly defaultText: string | null;
  /** @throws ConfigError with Kafka's words when the value lies outside what the setting takes */
  readonly check: Check;
  /** What the setting takes, as Kafka's documentation writes it; empty when anything of the type will do. */
  readonly valid: string;
  readonly unit: Unit | undefined;
  readonly importance: Importance;
  readonly update: Update;
  readonly effect: Effect;
  /** Broker settings that a topic's or group's value falls back to, the strongest first. */
  readonly synonyms: readonly Synonym[];
  readonly doc: string;
}

export interface Row<Value = unknown> extends RowSpec<Value> {
  readonly name: string;
}

export type Table = Readonly<Record<string, Row>>;

/** The typed object that belongs to a table: Kafka's names as keys. */
export type ValuesOf<T extends Readonly<Record<string, RowSpec>>> = { readonly [Name in keyof T]: T[Name]['default'] };

/** Names the rows. The result has the table's keys and no others; look names from outside up with `rowOf`. */
export function configTable<const T extends Readonly<Record<string, RowSpec>>>(
  specs: T,
): { readonly [Name in keyof T]: Row<T[Name]['default']> } {
  const rows = Object.entries(specs).map(([name, spec]) => [name, { name, ...spec }] as const);
  return Object.fromEntries(rows) as { readonly [Name in keyof T]: Row<T[Name]['default']> };
}

/** The row of a name that came from outside; undefined for one that the table does not have. */
export function rowOf(table: Table, name: string): Row | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/**
 * The typed value of a text as a client may send it: no units, within the row's bounds.
 * @throws ConfigError with Kafka's message
 */
export function parseChecked(row: Row, text: string): ConfigValue {
  const value = parseValue(row.name, row.type, text);
  row.check(row.name, value, canonicalText(row.name, row.type, text));
  return value;
}

interface Common {
  readonly doc: string;
  readonly importance?: Importance;
  readonly update?: Update;
  readonly effect?: Effect;
  /** Broker settings, the strongest first; a pair gives the factor. */
  readonly synonyms?: readonly (string | readonly [name: string, factor: number])[];
}

interface NumberSpec<Default> extends Common {
  readonly default: Default;
  readonly min?: number;
  readonly max?: number;
  readonly unit?: Unit;
}

type Whole = number | bigint | null;
type NumberOr<Default> = Default extends null ? number | null : number;
type TextOr<Default> = Default extends null ? string | null : string;
type ListOr<Default> = Default extends null ? readonly string[] | null : readonly string[];

function row<Value>(
  type: ConfigType,
  value: ConfigValue,
  defaultText: string | null,
  spec: Common,
  check: Check,
  valid: string,
  unit?: Unit,
): RowSpec<Value> {
  return {
    type,
    default: value as Value,
    defaultText,
    check,
    valid,
    unit,
    importance: spec.importance ?? 'medium',
    update: spec.update ?? 'read-only',
    effect: spec.effect ?? 'acted',
    synonyms: (spec.synonyms ?? []).map((synonym) =>
      typeof synonym === 'string' ? { name: synonym, factor: 1 } : { name: synonym[0], factor: synonym[1] },
    ),
    doc: spec.doc,
  };
}

function number<Default extends Whole>(type: ConfigType, spec: NumberSpec<Default>): RowSpec<NumberOr<Default>> {
  const value = spec.default === null ? null : clampToSafe(spec.default);
  const text = spec.default === null ? null : type === 'double' ? formatValue(type, value) : String(spec.default);
  const { check, valid } = bounded(spec.min, spec.max);
  return row(type, value, text, spec, check, valid, spec.unit);
}

export const int = <const D extends number | null>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => number('int', spec);
export const short = <const D extends number | null>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => number('short', spec);
export const long = <const D extends Whole>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => number('long', spec);
export const double = <const D extends number | null>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => number('double', spec);

/** A whole number with a rule of its own, such as "1 to 9 or -1". */
export function intWith(rule: { check: Check; valid: string }, spec: Common & { readonly default: number }): RowSpec<number> {
  return row('int', spec.default, String(spec.default), spec, rule.check, rule.valid);
}

export function boolean(spec: Common & { readonly default: boolean }): RowSpec<boolean> {
  return row('boolean', spec.default, String(spec.default), spec, noCheck, '');
}

export function string<const D extends string | null>(
  spec: Common & { readonly default: D; readonly check?: Check; readonly valid?: string },
): RowSpec<TextOr<D>> {
  return row('string', spec.default, spec.default, spec, spec.check ?? noCheck, spec.valid ?? '');
}

export function oneOf<const T extends string>(
  values: readonly T[],
  spec: Common & { readonly default: NoInfer<T>; readonly anyCase?: boolean },
): RowSpec<T> {
  const { check, valid } = spec.anyCase === true ? oneOfTextAnyCase(values) : oneOfText(values);
  return row('string', spec.default, spec.default, spec, check, valid);
}

/** A comma-separated list of any texts; duplicates are dropped with Kafka 4.2, empty entries refused. */
export function list<const D extends readonly string[] | null>(
  spec: Common & { readonly default: D; readonly mayBeEmpty?: boolean },
): RowSpec<ListOr<D>> {
  const check = uniqueList({ mayBeEmpty: spec.mayBeEmpty ?? true });
  return row('list', spec.default, spec.default === null ? null : spec.default.join(','), spec, check, '');
}

export function listOf<const T extends string>(
  values: readonly T[],
  spec: Common & { readonly default: readonly NoInfer<T>[]; readonly mayBeEmpty?: boolean },
): RowSpec<readonly T[]> {
  const { check, valid } = eachOf(values, { mayBeEmpty: spec.mayBeEmpty ?? true });
  return row('list', spec.default, spec.default.join(','), spec, check, valid);
}

/** `partition:broker` pairs or `*`, as the reassignment tool sets them. */
export function replicaList(spec: Common): RowSpec<readonly string[]> {
  return row('list', [], '', spec, throttledReplicas.check, throttledReplicas.valid);
}

/** The name of a Java class. We load none, so a row of this type either takes no effect or is refused. */
export function className<const D extends string | null>(spec: Common & { readonly default: D }): RowSpec<TextOr<D>> {
  return row('class', spec.default, spec.default, spec, noCheck, '');
}

/** A secret: never shown, neither in answers nor in logs. */
export function password(spec: Common): RowSpec<string | null> {
  return row('password', null, null, spec, noCheck, '');
}

export const durationMs = <const D extends Whole>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => long({ ...spec, unit: 'ms' });
export const bytes = <const D extends Whole>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => long({ ...spec, unit: 'bytes' });
export const intMs = <const D extends number | null>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => int({ ...spec, unit: 'ms' });
export const intBytes = <const D extends number | null>(spec: NumberSpec<D>): RowSpec<NumberOr<D>> => int({ ...spec, unit: 'bytes' });

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
export const days = (count: number): number => count * 86_400_000;

/** Java's largest int and long: Kafka's word for "no limit". */
export const INT_MAX = 2_147_483_647;
export const LONG_MAX = 9_223_372_036_854_775_807n;
