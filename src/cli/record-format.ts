// `-f`: how a record is written, in the tokens of kcat and of rpk. Compiled once; what it gives is bytes, since keys and
// values are. Where the two disagree (%T) kcat's meaning holds.
import { usageError } from './exit-codes.ts';
import type { LocatedRecord } from './record-json.ts';

/** `count` is the number of the record in this run, from 1. */
export type FormatRecord = (located: LocatedRecord, count: number) => Buffer;

type Part = (located: LocatedRecord, count: number) => Buffer | string;
type Encoding = 'hex' | 'base64' | 'json' | undefined;

const lengthOf = (bytes: Uint8Array | null): string => String(bytes === null ? -1 : bytes.length);

const tokens: Readonly<Record<string, Part>> = {
  t: ({ topic }) => topic,
  p: ({ partition }) => String(partition),
  o: ({ record }) => String(record.offset),
  K: ({ record }) => lengthOf(record.key),
  S: ({ record }) => lengthOf(record.value),
  V: ({ record }) => lengthOf(record.value),
  R: ({ record }) => int32(record.value?.length ?? -1),
  T: ({ record }) => String(record.timestamp),
  d: ({ record }) => String(record.timestamp),
  H: ({ record }) => String(record.headers.length),
  i: (_located, count) => String(count),
  '%': () => '%',
};

/** @throws CommandError for a token that means nothing */
export function compileFormat(format: string): FormatRecord {
  const parts = parseFormat(format);
  return (located, count) => joined(parts.map((part) => (typeof part === 'function' ? part(located, count) : part)));
}

function joined(pieces: (Buffer | string)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}

function parseFormat(format: string): (Buffer | Part)[] {
  const parts: (Buffer | Part)[] = [];
  let literal: Buffer[] = [];
  const endLiteral = (): void => {
    if (literal.length > 0) parts.push(Buffer.concat(literal));
    literal = [];
  };
  for (let at = 0; at < format.length;) {
    if (format[at] === '%') {
      const { part, length } = tokenAt(format, at);
      endLiteral();
      parts.push(part);
      at += length;
    } else {
      const [bytes, length] = literalAt(format, at);
      literal.push(bytes);
      at += length;
    }
  }
  endLiteral();
  return parts;
}

function tokenAt(format: string, at: number): { part: Part; length: number } {
  const name = format[at + 1] ?? '';
  const braced = bracedAt(format, at + 2);
  const length = 2 + (braced === undefined ? 0 : braced.length + 2);
  if (name === 'k' || name === 'v' || name === 's') {
    const encoding = encodingOf(name, braced);
    return { part: ({ record }) => encoded(name === 'k' ? record.key : record.value, encoding), length };
  }
  if (name === 'h') return { part: braced === undefined ? kcatHeaders : headersPart(braced), length };
  if (name === 'd' && braced === 'iso') return { part: ({ record }) => isoTime(record.timestamp), length };
  const plain = Object.hasOwn(tokens, name) ? tokens[name] : undefined;
  if (plain === undefined) throw usageError(`-f: %${name} means nothing`, `the tokens are %k %v %s %t %p %o %T %d %h %K %V %S %R %H %i %%`);
  return { part: plain, length: 2 };
}

/** The text between braces that open at `at`, braces within it matched. */
function bracedAt(format: string, at: number): string | undefined {
  if (format[at] !== '{') return undefined;
  let depth = 0;
  for (let end = at; end < format.length; end += 1) {
    if (format[end] === '{') depth += 1;
    if (format[end] === '}') depth -= 1;
    if (depth === 0) return format.slice(at + 1, end);
  }
  throw usageError(`-f: a brace is never closed in '${format.slice(at)}'`);
}

function encodingOf(name: string, braced: string | undefined): Encoding {
  if (braced === undefined || braced === 'hex' || braced === 'base64' || braced === 'json') return braced;
  throw usageError(`-f: %${name}{${braced}} means nothing`, `write %${name}, %${name}{hex}, %${name}{base64} or %${name}{json}`);
}

function encoded(bytes: Buffer | null, encoding: Encoding): Buffer | string {
  if (encoding === 'json') return JSON.stringify(bytes === null ? null : bytes.toString());
  if (bytes === null) return '';
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

/** name=value, with commas between them. */
const kcatHeaders: Part = ({ record }) => {
  const pieces = record.headers.flatMap(({ key, value }, index): (Buffer | string)[] => [
    index === 0 ? '' : ',',
    key,
    '=',
    value ?? 'NULL',
  ]);
  return joined(pieces);
};

/** rpk's `%h{%k=%v }`: for each header, with its own %k and %v. */
function headersPart(format: string): Part {
  const inner = compileFormat(format);
  return ({ record, ...where }, count) =>
    joined(
      record.headers.map(({ key, value }) => inner({ ...where, record: { ...record, key: Buffer.from(key), value, headers: [] } }, count)),
    );
}

export const isoTime = (timestampMs: number): string => (timestampMs < 0 ? '-' : new Date(timestampMs).toISOString());

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

/** The bytes of the letter or escape at `at`, and how long it is written; a backslash before anything else stands for itself. */
function literalAt(text: string, at: number): [bytes: Buffer, length: number] {
  if (text[at] === '\\') {
    const hex = /^\\x([0-9a-f]{2})/i.exec(text.slice(at, at + 4))?.[1];
    if (hex !== undefined) return [Buffer.from(hex, 'hex'), 4];
    const known = escapes[text[at + 1] ?? ''];
    return known === undefined ? [Buffer.from('\\'), 1] : [Buffer.from(known), 2];
  }
  const letter = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return [Buffer.from(letter), letter.length];
}

/** `\n`, `\t`, `\x1f` and the like, as a person types them between quotes. */
export function unescape(text: string): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    const [bytes, length] = literalAt(text, at);
    pieces.push(bytes);
    at += length;
  }
  return Buffer.concat(pieces);
}
