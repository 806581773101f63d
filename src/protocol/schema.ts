// The words in which the tables of messages/ and records/ are written: a message, its fields, their types and the
// versions in which each exists. A table is plain data; TypeScript infers from it what decoding gives and what
// encoding takes. Nothing here reads or writes a byte: compile.ts turns a table into a codec.
import { invariant } from '../base/invariant.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** How a value lies on the wire. `boolean` is one byte, `records` are `bytes` that are never copied. */
export type ScalarKind =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint16'
  | 'uint32'
  | 'int64'
  | 'int64Big'
  | 'float64'
  | 'boolean'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records';

/** First and last version, both inclusive; empty when `min > max`. */
export interface Versions {
  readonly min: number;
  readonly max: number;
}

const NEVER: Versions = { min: 0, max: -1 };
const NEWEST = 32_767; // versions travel as int16

const parsed = new Map<string, Versions>([['none', NEVER]]);

/** Reads Kafka's notation: `3+`, `0-12`, `4`, `none`. */
export function parseVersions(text: string): Versions {
  // The tables write some forty ranges two thousand times, while the program starts.
  const known = parsed.get(text);
  if (known) return known;
  const [, min, rest] = /^(\d+)(\+|-\d+)?$/.exec(text) ?? [];
  invariant(min !== undefined, `'${text}' is not a range of versions`);
  const max = rest === undefined ? min : rest === '+' ? NEWEST : rest.slice(1);
  const versions = { min: Number(min), max: Number(max) };
  parsed.set(text, versions);
  return versions;
}

export const includes = (versions: Versions, version: number): boolean => versions.min <= version && version <= versions.max;

declare const types: unique symbol;

/** One row of a table. `Decoded` is what reading gives, `Encodable` what writing takes; `Omittable` rows may be left out of it. */
export interface Field<Decoded = unknown, Encodable = unknown, Omittable extends boolean = boolean> {
  readonly kind: ScalarKind | 'array' | 'struct';
  readonly versions: Versions;
  /** The versions in which null may stand for the value. */
  readonly nullable: Versions;
  /** Where a value is tagged, it is so at all its versions: it moves to the end of its struct, and is left out when default (KIP-482). */
  readonly tag: number | undefined;
  /** What the table says, or undefined: then zero, false, empty, or null where null is allowed. */
  readonly default: unknown;
  /** A value that the version has no room for is dropped; without this, it is an error (see `encode`). */
  readonly ignorable: boolean;
  /** Elements of the list are told apart by this field. Documentation only: duplicates are decoded as they came. */
  readonly mapKey: boolean;
  /** Stays in the old, non-compact form in flexible versions: the request header's client id (KIP-482). */
  readonly neverCompact: boolean;
  /** What an array holds. Elements have no versions of their own and are never null. */
  readonly element: Field | undefined;
  /** What a struct holds. */
  readonly fields: Fields | undefined;
  readonly [types]?: { readonly decoded: Decoded; readonly encodable: Encodable; readonly omittable: Omittable };
}

export interface Fields {
  readonly [name: string]: Field;
}

interface FieldOptions<Value> {
  readonly default?: Value;
  readonly tag?: number;
  readonly ignorable?: true;
  readonly mapKey?: true;
  /** Versions in which null is allowed, where these are fewer than the field's own. */
  readonly nullable?: string;
  readonly neverCompact?: true;
}

type NoOptions = { readonly ignorable?: true };
type IsOmittable<Options> = Options extends { readonly default: unknown } | { readonly tag: number } ? true : false;
type OrNull<Value, Options> = Options extends { readonly nullable: string } ? Value | null : Value;
type Built<Decoded, Encodable, Options> = Field<OrNull<Decoded, Options>, OrNull<Encodable, Options>, IsOmittable<Options>>;

function field(
  kind: Field['kind'],
  versions: string,
  options: FieldOptions<unknown> | undefined,
  nullable: boolean,
  content: { element?: Field; fields?: Fields } = {},
): Field<never, never, never> {
  return {
    kind,
    versions: parseVersions(versions),
    nullable: nullable ? parseVersions(versions) : parseVersions(options?.nullable ?? 'none'),
    tag: options?.tag,
    default: options?.default,
    ignorable: options?.ignorable ?? false,
    mapKey: options?.mapKey ?? false,
    neverCompact: options?.neverCompact ?? false,
    element: content.element,
    fields: content.fields,
  };
}

/** Builds a field; given to `arrayOf` uncalled, it names the type of the elements: `arrayOf('0+', int32)`. */
interface ScalarBuilder<Decoded, Encodable = Decoded> {
  <const Options extends FieldOptions<Encodable | null> = NoOptions>(
    versions: string,
    options?: Options,
  ): Built<Decoded, Encodable, Options>;
  readonly [types]?: { readonly decoded: Decoded; readonly encodable: Encodable };
}

const scalar =
  <Decoded, Encodable = Decoded>(kind: ScalarKind): ScalarBuilder<Decoded, Encodable> =>
  (versions, options) =>
    field(kind, versions, options, false);

const nullableScalar =
  <Decoded, Encodable = Decoded>(kind: ScalarKind): ScalarBuilder<Decoded | null, Encodable | null> =>
  (versions, options) =>
    field(kind, versions, options, true);

export const int8 = scalar<number>('int8');
export const int16 = scalar<number>('int16');
export const int32 = scalar<number>('int32');
export const uint16 = scalar<number>('uint16');
export const uint32 = scalar<number>('uint32');
/** A number clamped to ±(2^53 - 1); `int64At` and `putInt64` have the rule. */
export const int64 = scalar<number>('int64');
/** The few 64-bit fields whose every bit counts. */
export const int64Big = scalar<bigint>('int64Big');
export const float64 = scalar<number>('float64');
export const boolean = scalar<boolean>('boolean');
/** Kafka's text form: 16 bytes as 22 characters of base64url. */
export const uuid = scalar<string>('uuid');
export const string = scalar<string>('string');
export const nullableString = nullableScalar<string>('string');
export const bytes = scalar<Buffer>('bytes');
export const nullableBytes = nullableScalar<Buffer>('bytes');

/** What `records` takes: buffers that follow each other on the wire. They are not copied, and may not change until sent. */
export type EncodableRecords = Buffer | readonly Buffer[];
export const records = scalar<Buffer, EncodableRecords>('records');
export const nullableRecords = nullableScalar<Buffer, EncodableRecords>('records');

interface AnyScalarBuilder {
  (versions: string): Field;
  readonly [types]?: { readonly decoded: unknown; readonly encodable: unknown };
}

type ElementType = AnyScalarBuilder | Fields;
type ElementTypes<Element extends AnyScalarBuilder> = NonNullable<Element[typeof types]>;
type DecodedElement<Element extends ElementType> = Element extends AnyScalarBuilder
  ? ElementTypes<Element>['decoded']
  : Element extends Fields
    ? DecodedFields<Element>
    : never;
type EncodableElement<Element extends ElementType> = Element extends AnyScalarBuilder
  ? ElementTypes<Element>['encodable']
  : Element extends Fields
    ? EncodableFields<Element>
    : never;

type DecodedArray<Element extends ElementType> = readonly DecodedElement<Element>[];
type EncodableArray<Element extends ElementType> = readonly EncodableElement<Element>[];

const ALWAYS = '0+';

function elementOf(element: ElementType): Field {
  return typeof element === 'function' ? element(ALWAYS) : field('struct', ALWAYS, undefined, false, { fields: element });
}

/** A list of structs, written as the table of their fields, or of scalars, written as the builder's name. */
export function arrayOf<const Element extends ElementType, const Options extends FieldOptions<EncodableArray<Element> | null> = NoOptions>(
  versions: string,
  element: Element,
  options?: Options,
): Built<DecodedArray<Element>, EncodableArray<Element>, Options> {
  return field('array', versions, options, false, { element: elementOf(element) });
}

export function nullableArrayOf<
  const Element extends ElementType,
  const Options extends FieldOptions<EncodableArray<Element> | null> = NoOptions,
>(versions: string, element: Element, options?: Options): Built<DecodedArray<Element> | null, EncodableArray<Element> | null, Options> {
  return field('array', versions, options, true, { element: elementOf(element) });
}

export function struct<const Inner extends Fields, const Options extends FieldOptions<never> = NoOptions>(
  versions: string,
  fields: Inner,
  options?: Options,
): Built<DecodedFields<Inner>, EncodableFields<Inner>, Options> {
  return field('struct', versions, options, false, { fields });
}

export function nullableStruct<const Inner extends Fields, const Options extends FieldOptions<null> = NoOptions>(
  versions: string,
  fields: Inner,
  options?: Options,
): Built<DecodedFields<Inner> | null, EncodableFields<Inner> | null, Options> {
  return field('struct', versions, options, true, { fields });
}

type TypesOf<Row extends Field> = NonNullable<Row[typeof types]>;
type OmittableNames<Table extends Fields> = {
  [Name in keyof Table]: TypesOf<Table[Name]>['omittable'] extends true ? Name : never;
}[keyof Table];

export type DecodedFields<Table extends Fields> = { readonly [Name in keyof Table]: TypesOf<Table[Name]>['decoded'] };
export type EncodableFields<Table extends Fields> = {
  readonly [Name in Exclude<keyof Table, OmittableNames<Table>>]: TypesOf<Table[Name]>['encodable'];
} & { readonly [Name in OmittableNames<Table>]?: TypesOf<Table[Name]>['encodable'] | undefined };

export interface Message<Table extends Fields = Fields> {
  /** Kafka's name, such as `ProduceRequest`. */
  readonly name: string;
  readonly type: MessageType;
  /** The API of a request or response, the record type of a record; undefined where there is none. */
  readonly apiKey: number | undefined;
  /** What may be spoken: an unstable newest version is not in it. */
  readonly versions: Versions;
  /** From the first of these on, lengths are varints and structs end in tags (KIP-482). */
  readonly flexible: Versions;
  readonly unstable: number | undefined;
  readonly fields: Table;
  /** Codecs by version, filled by compile.ts at first use. */
  readonly compiled: CompiledCodecs;
}

/** `data` are structs outside any API: records of internal logs and files, and what clients hand each other through the broker. */
export type MessageType = 'request' | 'response' | 'data' | 'header';

export interface CompiledCodecs {
  readonly decoders: (((reader: Reader) => unknown) | undefined)[];
  readonly encoders: (((value: unknown, writer: Writer) => void) | undefined)[];
}

/** What decoding gives: one shape at every version, fields that the version lacks at their default. */
export type Decoded<M extends Message> = DecodedFields<M['fields']>;
/** What encoding takes. Fields with an explicit default or a tag may be left out; whatever was decoded may be encoded again. */
export type Encodable<M extends Message> = EncodableFields<M['fields']>;

export function message<const Table extends Fields>(
  name: string,
  about: { apiKey?: number; type: MessageType; versions: string; flexible: string; unstable?: string },
  fields: Table,
): Message<Table> {
  const { min, max } = parseVersions(about.versions);
  const unstable = about.unstable === undefined ? undefined : Number(about.unstable);
  invariant(unstable === undefined || unstable === max, `${name}: only the newest version can be unstable`);
  return {
    name,
    type: about.type,
    apiKey: about.apiKey,
    versions: { min, max: unstable === undefined ? max : max - 1 },
    flexible: parseVersions(about.flexible),
    unstable,
    fields,
    compiled: { decoders: [], encoders: [] },
  };
}
