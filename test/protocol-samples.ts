// Values for any table at any version, from a seed, and a second encoder to hold the real one against: slow, plain, and
// written from the protocol guide rather than from compile-*.ts. It can also put tags between that no table knows.
import { defaultOf, isDefault } from '../src/protocol/compile-layout.ts';
import { requestHeader, responseHeader } from '../src/protocol/headers.ts';
import { apis } from '../src/protocol/messages/index.ts';
import * as consumerProtocol from '../src/protocol/records/consumer-protocol.ts';
import * as controlRecords from '../src/protocol/records/control-records.ts';
import * as files from '../src/protocol/records/files.ts';
import { groupRecords } from '../src/protocol/records/group-log.ts';
import { metadataRecords } from '../src/protocol/records/metadata-log.ts';
import * as principalData from '../src/protocol/records/principal-data.ts';
import { shareRecords } from '../src/protocol/records/share-log.ts';
import { transactionRecords } from '../src/protocol/records/transaction-log.ts';
import { includes, type Field, type Fields, type Message } from '../src/protocol/schema.ts';

const coordinators = [groupRecords, transactionRecords, shareRecords];

export const allMessages: readonly Message[] = [
  ...apis.flatMap(({ request, response }) => [request, response]),
  ...metadataRecords.values(),
  ...coordinators.flatMap((records) => [...records.values()].flatMap(({ key, value }) => [key, value])),
  ...[consumerProtocol, controlRecords, files, principalData].flatMap((exported) => Object.values(exported)),
  requestHeader,
  responseHeader,
];

export function* allVersions(): Generator<[Message, number]> {
  for (const message of allMessages) {
    for (let version = message.versions.min; version <= message.versions.max; version++) yield [message, version];
  }
}

/** Whole numbers from 0 to below `bound`. */
export type Dice = (bound: number) => number;

/** Reproducible chance: mulberry32. */
export function diceOf(seed: number): Dice {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

export type Sample = Record<string, unknown>;

/** How long lists get: one in a few is empty, and with `large` some have more elements than a one-byte count can say. */
export interface Shape {
  readonly large: boolean;
}

const pick = <T>(dice: Dice, choices: readonly T[]): T => choices[dice(choices.length)] as T;
const randomBytes = (dice: Dice, count: number): Buffer => Buffer.from(Array.from({ length: count }, () => dice(256)));

const texts = ['', 'a', 'orders', 'größe', '日本', '😀', 'x'.repeat(40), 'ö'.repeat(40), 'long '.repeat(30), '\u0000\n'];

const scalars: Record<Exclude<Field['kind'], 'array' | 'struct'>, (dice: Dice) => unknown> = {
  int8: (dice) => pick(dice, [0, 1, -1, 127, -128]),
  int16: (dice) => pick(dice, [0, 1, -1, 32_767, -32_768, 258]),
  int32: (dice) => pick(dice, [0, 1, -1, 2_147_483_647, -2_147_483_648, 16_909_060]),
  uint16: (dice) => pick(dice, [0, 1, 65_535, 258]),
  uint32: (dice) => pick(dice, [0, 1, 4_294_967_295, 16_909_060]),
  int64: (dice) => pick(dice, [0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 32, -(2 ** 32) - 1, 5_000_000_000]),
  int64Big: (dice) => pick(dice, [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]),
  float64: (dice) => pick(dice, [0, -0, 1.5, -1e300, Infinity, NaN]),
  boolean: (dice) => dice(2) === 1,
  uuid: (dice) => randomBytes(dice, 16).toString('base64url'),
  string: (dice) => pick(dice, texts),
  bytes: (dice) => randomBytes(dice, pick(dice, [0, 1, 3, 130])),
  records: (dice) => randomBytes(dice, pick(dice, [0, 1, 3, 130])),
};

/** A value of the message with everything the version has, and defaults where it has nothing. */
export const sampleOf = (message: Message, version: number, dice: Dice, shape: Shape): Sample =>
  sampleStruct(message.fields, version, dice, shape, 0);

/** A value of the field that is not its default, as if the field were there at the version. */
export function otherThanDefault(field: Field, dice: Dice): unknown {
  const version = field.versions.min;
  for (let tries = 0; tries < 100; tries++) {
    const value = sampleValue({ ...field, nullable: { min: 0, max: -1 } }, version, dice, { large: false }, 0);
    if (!isDefault(field, value)) return value;
  }
  throw new Error('the dice show nothing but the default');
}

function sampleStruct(fields: Fields, version: number, dice: Dice, shape: Shape, depth: number): Sample {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const stays = !includes(field.versions, version) || ((field.default !== undefined || field.tag !== undefined) && dice(4) === 0);
      return [name, stays ? defaultOf(field) : sampleValue(field, version, dice, shape, depth)];
    }),
  );
}

function sampleValue(field: Field, version: number, dice: Dice, shape: Shape, depth: number): unknown {
  if (includes(field.nullable, version) && dice(4) === 0) return null;
  const { element } = field;
  if (element) {
    const count = shape.large && depth < 2 && dice(8) === 0 ? 130 : dice(4);
    return Array.from({ length: count }, () => sampleValue(element, version, dice, count < 100 ? shape : { large: false }, depth + 1));
  }
  if (field.fields) return sampleStruct(field.fields, version, dice, shape, depth);
  return scalars[field.kind as keyof typeof scalars](dice);
}

/** The bytes of a value; with dice, tags that no table knows stand among the others. */
export function referenceBytes(message: Message, version: number, value: Sample, unknownTags?: Dice): Buffer {
  return Buffer.concat(new Reference(version, includes(message.flexible, version), unknownTags).struct(message.fields, value));
}

const uvarint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
};

const fixed = (size: number, write: (buffer: Buffer) => unknown): Buffer[] => {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return [buffer];
};

class Reference {
  readonly version: number;
  readonly flexible: boolean;
  readonly unknownTags: Dice | undefined;

  constructor(version: number, flexible: boolean, unknownTags: Dice | undefined) {
    this.version = version;
    this.flexible = flexible;
    this.unknownTags = unknownTags;
  }

  struct(fields: Fields, value: Sample): Buffer[] {
    const present = Object.entries(fields).filter(([, field]) => includes(field.versions, this.version));
    const plain = present.filter(([, { tag }]) => tag === undefined);
    const bytes = plain.flatMap(([name, field]) => this.value(field, value[name], false));
    if (!this.flexible) return bytes;
    const tags = new Map<number, Buffer>();
    for (const [name, field] of present) {
      if (field.tag === undefined || isSame(value[name], defaultOf(field))) continue;
      tags.set(field.tag, Buffer.concat(this.value(field, value[name], true)));
    }
    for (let count = this.unknownTags?.(3) ?? 0; count > 0; count--) {
      // The tags of all tables lie below 10; above, nothing is known.
      tags.set(10 + (this.unknownTags?.(1000) ?? 0), randomBytes(this.unknownTags ?? diceOf(1), count * 50));
    }
    const sorted = [...tags].sort(([a], [b]) => a - b);
    return [...bytes, uvarint(sorted.length), ...sorted.flatMap(([tag, content]) => [uvarint(tag), uvarint(content.length), content])];
  }

  value(field: Field, value: unknown, tagged: boolean): Buffer[] {
    const compact = this.flexible && !field.neverCompact;
    const size = (count: number, narrow: boolean): Buffer =>
      compact ? uvarint(count + 1) : fixed(narrow ? 2 : 4, (b) => (narrow ? b.writeInt16BE(count) : b.writeInt32BE(count)))[0]!;
    if (field.kind === 'struct') {
      const nullable = includes(field.nullable, this.version);
      const mark = nullable ? [tagged ? uvarint(value === null ? 0 : 1) : Buffer.from([value === null ? 255 : 1])] : [];
      return value === null ? mark : [...mark, ...this.struct(field.fields!, value as Sample)];
    }
    if (field.kind === 'array') {
      const list = value as unknown[] | null;
      return [size(list?.length ?? -1, false), ...(list ?? []).flatMap((item) => this.value(field.element!, item, false))];
    }
    if (field.kind === 'string') return value === null ? [size(-1, true)] : sized(Buffer.from(value as string), (n) => size(n, true));
    if (field.kind === 'bytes' || field.kind === 'records') {
      return value === null ? [size(-1, false)] : sized(value as Buffer, (n) => size(n, false));
    }
    return this.fixedValue(field.kind, value as number);
  }

  fixedValue(kind: FixedKind, value: number): Buffer[] {
    const [size, write] = fixedKinds[kind];
    return fixed(size, (b) => write(b, value as never));
  }
}

type FixedKind = Exclude<Field['kind'], 'struct' | 'array' | 'string' | 'bytes' | 'records'>;

const fixedKinds: Record<FixedKind, readonly [bytes: number, write: (buffer: Buffer, value: never) => unknown]> = {
  int8: [1, (b, value) => b.writeInt8(value)],
  int16: [2, (b, value) => b.writeInt16BE(value)],
  int32: [4, (b, value) => b.writeInt32BE(value)],
  uint16: [2, (b, value) => b.writeUInt16BE(value)],
  uint32: [4, (b, value) => b.writeUInt32BE(value)],
  int64: [8, (b, value) => b.writeBigInt64BE(wide(value))],
  int64Big: [8, (b, value) => b.writeBigInt64BE(value)],
  float64: [8, (b, value) => b.writeDoubleBE(value)],
  boolean: [1, (b, value) => b.writeUInt8(value ? 1 : 0)],
  uuid: [16, (b, value) => b.write(value, 'base64url')],
};

const sized = (content: Buffer, size: (count: number) => Buffer): Buffer[] => [size(content.length), content];

const wide = (value: number): bigint =>
  value === Number.MAX_SAFE_INTEGER ? 2n ** 63n - 1n : value === Number.MIN_SAFE_INTEGER ? -(2n ** 63n) : BigInt(value);

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a, bigints) === JSON.stringify(b, bigints);
const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
