// Codecs made of closures, one for each field, for processes that forbid generating code. Same bytes and same values
// as compile-source.ts, several times slower.
import { isDefault, type Row, type StructLayout, type Value } from './compile-layout.ts';
import { KafkaError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

type Read = (reader: Reader) => unknown;
type Write = (value: never, writer: Writer) => void;
type Plain = Record<string, unknown>;

/** The method of Reader that reads the value, which Writer has under the same name; records differ only in writing. */
export function methodOf({ field, nullable, compact }: Value, direction: 'read' | 'write'): string {
  const kind = field.kind === 'records' && direction === 'read' ? 'bytes' : field.kind;
  if (kind !== 'string' && kind !== 'bytes' && kind !== 'records') return kind;
  const name = (compact ? 'compact' : '') + (nullable ? 'Nullable' : '') + kind.charAt(0).toUpperCase() + kind.slice(1);
  return name.charAt(0).toLowerCase() + name.slice(1);
}

export function countMethodOf({ nullable, compact }: Value): 'count' | 'nullableCount' | 'compactCount' | 'compactNullableCount' {
  if (compact) return nullable ? 'compactNullableCount' : 'compactCount';
  return nullable ? 'nullableCount' : 'count';
}

export function closureDecoder(layout: StructLayout): Read {
  const plain = layout.plain.map((row) => ({ name: row.name, read: valueReader(row, false) }));
  const tagged = new Map(layout.tagged.map((row) => [row.field.tag, { name: row.name, read: valueReader(row, true) }]));
  return (reader) => {
    const result: Plain = {};
    for (const row of layout.rows) result[row.name] = row.default;
    for (const { name, read } of plain) result[name] = read(reader);
    if (!layout.flexible) return result;
    for (let left = reader.tagCount(); left > 0; left--) {
      const known = tagged.get(reader.uvarint());
      const size = reader.uvarint();
      const end = reader.at + size;
      if (known) result[known.name] = known.read(reader);
      else reader.skip(size);
      reader.endTag(end);
    }
    return result;
  };
}

function valueReader(value: Value, tagged: boolean): Read {
  if (value.struct) return structReader(value, value.struct, tagged);
  if (value.element) return arrayReader(value, value.element);
  const method = methodOf(value, 'read') as 'int8';
  return (reader) => reader[method]();
}

function structReader(value: Value, struct: StructLayout, tagged: boolean): Read {
  const read = closureDecoder(struct);
  if (!value.nullable) return read;
  return (reader) => ((tagged ? reader.taggedPresent() : reader.present()) ? read(reader) : null);
}

function arrayReader(value: Value, element: Value): Read {
  const read = valueReader(element, false);
  const method = countMethodOf(value);
  return (reader) => {
    const count = reader[method](element.minBytes);
    if (count < 0) return null;
    const list: unknown[] = [];
    for (let index = 0; index < count; index++) list.push(read(reader));
    return list;
  };
}

export function closureEncoder(layout: StructLayout, name: string): (value: unknown, writer: Writer) => void {
  const plain = layout.plain.map((row) => ({ row, write: valueWriter(row, false, name) }));
  const tagged = layout.tagged.map((row) => ({ row, write: valueWriter(row, true, name) }));
  return (value, writer) => {
    const given = value as Plain;
    for (const row of layout.absent) {
      if (!row.field.ignorable && !isDefault(row.field, given[row.name])) throw lacks(name, row.name);
    }
    for (const { row, write } of plain) {
      const part = given[row.name];
      write((part === undefined && row.field.default !== undefined ? row.default : part) as never, writer);
    }
    if (!layout.flexible) return;
    const filled = tagged.filter(({ row }) => !isDefault(row.field, given[row.name]));
    writer.uvarint(filled.length);
    for (const { row, write } of filled) {
      writer.uvarint(Number(row.field.tag));
      const mark = writer.beginTag();
      write(given[row.name] as never, writer);
      writer.endTag(mark);
    }
  };
}

/** The error of a value that the version has no room for. */
export const lacks = (message: string, field: string): KafkaError =>
  new KafkaError('UNSUPPORTED_VERSION', `${message} has no room for this value of ${field}`);

function valueWriter(value: Value, tagged: boolean, name: string): Write {
  const write = notNullWriter(value, tagged, name);
  if (value.nullable) return write;
  const path = 'path' in value ? (value as Row).path : 'an element';
  return (part: unknown, writer) => {
    if (part === null) throw lacks(name, path);
    write(part as never, writer);
  };
}

function notNullWriter(value: Value, tagged: boolean, name: string): Write {
  if (value.struct) return structWriter(value, value.struct, tagged, name);
  if (value.element) return arrayWriter(value, value.element, name);
  const method = methodOf(value, 'write') as 'int8';
  return (part, writer) => writer[method](part);
}

function structWriter(value: Value, struct: StructLayout, tagged: boolean, name: string): Write {
  const write = closureEncoder(struct, name);
  if (!value.nullable) return write;
  return (part: unknown, writer) => {
    if (tagged) writer.uvarint(part === null ? 0 : 1);
    else writer.int8(part === null ? -1 : 1);
    if (part !== null) write(part, writer);
  };
}

function arrayWriter(value: Value, element: Value, name: string): Write {
  const write = valueWriter(element, false, name);
  return (part: readonly never[] | null, writer) => {
    const count = part === null ? -1 : part.length;
    if (value.compact) writer.uvarint(count + 1);
    else writer.int32(count);
    for (const item of part ?? []) write(item, writer);
  };
}
