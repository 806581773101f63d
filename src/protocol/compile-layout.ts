// What one version of a table looks like on the wire: which fields are there and in which form. Worked out once per
// message and version, for both ways of making a codec (compile-source.ts and compile-closures.ts), so that they
// can differ in speed only.
import { invariant } from '../base/invariant.ts';
import { ZERO_UUID } from './reader.ts';
import { includes, type Field, type Fields, type Message } from './schema.ts';

/** A struct at one version. */
export interface StructLayout {
  /** Path of field names from the message on, for naming what is generated: `Topics`, `TopicsPartitions`. */
  readonly path: string;
  readonly flexible: boolean;
  /** All fields of the table, in its order: the decoded object has them all. */
  readonly rows: readonly Row[];
  readonly plain: readonly Row[];
  /** In the order of their tags, which is that of the wire. */
  readonly tagged: readonly Row[];
  readonly absent: readonly Row[];
  /** The least a struct of this kind takes. */
  readonly minBytes: number;
}

/** A value at one version: a field, or the element of an array. */
export interface Value {
  readonly field: Field;
  readonly nullable: boolean;
  /** Lengths and counts are varints. */
  readonly compact: boolean;
  readonly element: Value | undefined;
  readonly struct: StructLayout | undefined;
  readonly minBytes: number;
}

export interface Row extends Value {
  readonly name: string;
  readonly path: string;
  readonly default: unknown;
}

/** Bytes of the kinds that always take as many. */
export const fixedBytes: Partial<Record<Field['kind'], number>> = {
  int8: 1,
  int16: 2,
  int32: 4,
  uint16: 2,
  uint32: 4,
  int64: 8,
  int64Big: 8,
  float64: 8,
  boolean: 1,
  uuid: 16,
};

export function layoutOf(message: Message, version: number): StructLayout {
  return structLayout('', message.fields, version, includes(message.flexible, version));
}

function structLayout(path: string, fields: Fields, version: number, flexible: boolean): StructLayout {
  const rows = Object.entries(fields).map(([name, field]): Row => {
    const rowPath = path + name.charAt(0).toUpperCase() + name.slice(1);
    return { ...valueLayout(rowPath, field, version, flexible), name, path: rowPath, default: defaultOf(field) };
  });
  const present = rows.filter(({ field }) => includes(field.versions, version));
  const plain = present.filter(({ field }) => field.tag === undefined);
  const tagged = present.filter(({ field }) => field.tag !== undefined).sort((a, b) => Number(a.field.tag) - Number(b.field.tag));
  invariant(flexible || tagged.length === 0, `${path}: a tagged field needs a flexible version`);
  // Otherwise a count could not be held against the bytes left.
  invariant(!present.some(({ element }) => element?.minBytes === 0), `${path}: an element without any bytes cannot be counted`);
  return {
    path,
    flexible,
    rows,
    plain,
    tagged,
    absent: rows.filter((row) => !present.includes(row)),
    minBytes: plain.reduce((sum, row) => sum + row.minBytes, flexible ? 1 : 0),
  };
}

function valueLayout(path: string, field: Field, version: number, flexible: boolean): Value {
  const nullable = includes(field.nullable, version);
  const compact = flexible && !field.neverCompact;
  const element = field.element && valueLayout(path, field.element, version, flexible);
  // A struct that this version lacks may hold fields that make no sense in it; it is never looked into.
  const struct = field.fields && includes(field.versions, version) ? structLayout(path, field.fields, version, flexible) : undefined;
  return { field, nullable, compact, element, struct, minBytes: minBytesOf(field, nullable, compact, struct) };
}

function minBytesOf(field: Field, nullable: boolean, compact: boolean, struct: StructLayout | undefined): number {
  if (field.kind === 'struct') return nullable ? 1 : (struct?.minBytes ?? 0);
  const lengthBytes = compact ? 1 : field.kind === 'string' ? 2 : 4;
  return fixedBytes[field.kind] ?? lengthBytes;
}

const EMPTY_LIST: readonly never[] = Object.freeze([]);
const EMPTY_BYTES = Buffer.alloc(0);

const zeroes: Record<Exclude<Field['kind'], 'struct'>, unknown> = {
  int8: 0,
  int16: 0,
  int32: 0,
  uint16: 0,
  uint32: 0,
  int64: 0,
  int64Big: 0n,
  float64: 0,
  boolean: false,
  uuid: ZERO_UUID,
  string: '',
  bytes: EMPTY_BYTES,
  records: EMPTY_BYTES,
  array: EMPTY_LIST,
};

const emptyStructs = new WeakMap<Field, object>();

/** What stands for a field that is not there. Structs and lists are shared between all messages, and frozen. */
export function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  // Kafka takes the empty value here even where null is allowed. Absent as null loses nothing and reads better.
  if (field.nullable.min <= field.nullable.max) return null;
  if (field.kind !== 'struct') return zeroes[field.kind];
  const known = emptyStructs.get(field);
  if (known) return known;
  const made = Object.freeze(Object.fromEntries(Object.entries(field.fields ?? {}).map(([name, inner]) => [name, defaultOf(inner)])));
  emptyStructs.set(field, made);
  return made;
}

/** Whether leaving the value out says the same. A field without an explicit default may be empty as well as null. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined || value === defaultOf(field)) return true;
  if (value === null || field.default === null) return false;
  if (field.kind === 'struct') {
    const given = value as Record<string, unknown>;
    return Object.entries(field.fields ?? {}).every(([name, inner]) => isDefault(inner, given[name]));
  }
  if (field.kind === 'string') return field.default === undefined && value === '';
  return fixedBytes[field.kind] === undefined && (value as ArrayLike<unknown>).length === 0;
}
