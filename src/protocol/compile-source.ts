// Codecs as source text: one function for each struct, no loop over fields, no look at the version. Neighbours of fixed
// size share one bounds check. The text is made of our own tables alone, never of what a peer sent.
import { invariant } from '../base/invariant.ts';
import { countMethodOf, lacks, methodOf } from './compile-closures.ts';
import { defaultOf, fixedBytes, isDefault, type Row, type StructLayout, type Value } from './compile-layout.ts';
import { int64At, uuidAt, type Reader } from './reader.ts';
import type { Field } from './schema.ts';
import { int16Of, int32Of, int8Of, putInt64, putUuid, uint16Of, uint32Of, type Writer } from './writer.ts';

/** What the text may call by name. */
const helpers = { int64At, uuidAt, int8Of, int16Of, int32Of, uint16Of, uint32Of, putInt64, putUuid, isDefault, lacks };

export function sourceDecoder(layout: StructLayout, name: string): (reader: Reader) => unknown {
  return new DecoderText(name).compile(layout) as (reader: Reader) => unknown;
}

export function sourceEncoder(layout: StructLayout, name: string): (value: unknown, writer: Writer) => void {
  return new EncoderText(name).compile(layout) as (value: unknown, writer: Writer) => void;
}

/** Collects functions, and the constants that text cannot spell (`k0`, `k1`, ...). */
abstract class CodecText {
  readonly name: string;
  readonly #functions: string[] = [];
  readonly #constants: unknown[] = [];
  #names = 0;

  constructor(name: string) {
    invariant(/^\w+$/.test(name), `'${name}' is no identifier`);
    this.name = name;
  }

  abstract structFunction(layout: StructLayout): string;

  compile(layout: StructLayout): unknown {
    const entry = this.structFunction(layout);
    const text = [
      `'use strict';`,
      `const { ${Object.keys(helpers).join(', ')} } = helpers;`,
      ...this.#constants.map((_, index) => `const k${index} = constants[${index}];`),
      ...this.#functions,
      `return ${entry};`,
    ].join('\n');
    // oxlint-disable-next-line typescript/no-implied-eval -- straight-line codecs from our own tables are the point of this file
    return new Function('helpers', 'constants', text)(helpers, this.#constants);
  }

  constant(value: unknown): string {
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'bigint') return `${value}n`;
    const known = this.#constants.indexOf(value);
    return `k${known >= 0 ? known : this.#constants.push(value) - 1}`;
  }

  /** A name that no other variable of the text has. */
  fresh(prefix: string): string {
    invariant(/^\w+$/.test(prefix), `'${prefix}' is no identifier`);
    return `${prefix}_${this.#names++}`;
  }

  addFunction(text: string): void {
    this.#functions.push(text);
  }
}

/** Rows in runs: neighbours of fixed size together, every other row alone. */
function* runsOf(rows: readonly Row[]): Generator<{ fixed: readonly Row[]; bytes: number } | { single: Row }> {
  let fixed: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = fixedBytes[row.field.kind];
    if (size === undefined) {
      if (fixed.length > 0) yield { fixed, bytes };
      fixed = [];
      bytes = 0;
      yield { single: row };
    } else {
      fixed.push(row);
      bytes += size;
    }
  }
  if (fixed.length > 0) yield { fixed, bytes };
}

const viewNames: Partial<Record<Row['field']['kind'], string>> = {
  int8: 'Int8',
  int16: 'Int16',
  int32: 'Int32',
  uint16: 'Uint16',
  uint32: 'Uint32',
  int64Big: 'BigInt64',
  float64: 'Float64',
};

class DecoderText extends CodecText {
  structFunction(layout: StructLayout): string {
    const name = this.fresh(`decode${this.name}${layout.path}`);
    const locals = new Map<Row, string>();
    const lines: string[] = ['const view = r.view;'];
    for (const run of runsOf(layout.plain)) {
      if ('single' in run) {
        const local = this.fresh(run.single.name);
        locals.set(run.single, local);
        lines.push(`let ${local};`, this.read(run.single, local, false));
      } else {
        const at = this.fresh('at');
        lines.push(`const ${at} = r.take(${run.bytes});`);
        let offset = 0;
        for (const row of run.fixed) {
          const local = this.fresh(row.name);
          locals.set(row, local);
          lines.push(`const ${local} = ${fixedRead(row, `${at} + ${offset}`)};`);
          offset += fixedBytes[row.field.kind] ?? 0;
        }
      }
    }
    if (layout.flexible) lines.push(this.#tags(layout, locals));
    const members = layout.rows.map((row) => `${row.name}: ${locals.get(row) ?? this.constant(row.default)}`);
    lines.push(`return { ${members.join(', ')} };`);
    this.addFunction(`function ${name}(r) {\n${lines.join('\n')}\n}`);
    return name;
  }

  #tags(layout: StructLayout, locals: Map<Row, string>): string {
    if (layout.tagged.length === 0) return 'r.skipTags();';
    const lines: string[] = [];
    const cases: string[] = [];
    for (const row of layout.tagged) {
      const local = this.fresh(row.name);
      locals.set(row, local);
      lines.push(`let ${local} = ${this.constant(row.default)};`);
      cases.push(`case ${row.field.tag}: ${this.read(row, local, true)} break;`);
    }
    lines.push(
      'for (let left = r.tagCount(); left > 0; left--) {',
      'const tag = r.uvarint(), size = r.uvarint(), end = r.at + size;',
      `switch (tag) { ${cases.join('\n')} default: r.skip(size); }`,
      'r.endTag(end);',
      '}',
    );
    return lines.join('\n');
  }

  /** A statement that reads the value into `local`. */
  read(value: Row, local: string, tagged: boolean): string {
    if (value.struct) {
      const read = `${this.structFunction(value.struct)}(r)`;
      if (!value.nullable) return `${local} = ${read};`;
      return `${local} = r.${tagged ? 'taggedPresent' : 'present'}() ? ${read} : null;`;
    }
    if (value.element) return this.#readArray(value, value.element, local);
    return `${local} = r.${methodOf(value, 'read')}();`;
  }

  #readArray(value: Row, element: Value, local: string): string {
    const size = fixedBytes[element.field.kind];
    const list = this.fresh('list');
    const count = this.fresh('count');
    const at = this.fresh('at');
    let loop: string;
    if (size !== undefined) {
      const item = fixedRead(element, `${at} + i * ${size}`);
      loop = `const ${at} = r.take(${count} * ${size}); for (let i = 0; i < ${count}; i++) ${list}.push(${item});`;
    } else {
      const item = element.struct ? `${this.structFunction(element.struct)}(r)` : `r.${methodOf(element, 'read')}()`;
      loop = `for (let i = 0; i < ${count}; i++) ${list}.push(${item});`;
    }
    const fill = `{ const ${list} = []; ${loop} ${local} = ${list}; }`;
    return `{ const ${count} = r.${countMethodOf(value)}(${element.minBytes}); ${value.nullable ? `if (${count} < 0) ${local} = null; else ` : ''}${fill} }`;
  }
}

function fixedRead({ field }: Value, at: string): string {
  if (field.kind === 'int64') return `int64At(view, ${at})`;
  if (field.kind === 'uuid') return `uuidAt(view, ${at})`;
  if (field.kind === 'boolean') return `view.getUint8(${at}) !== 0`;
  return `view.get${viewNames[field.kind]}(${at})`;
}

class EncoderText extends CodecText {
  structFunction(layout: StructLayout): string {
    const name = this.fresh(`encode${this.name}${layout.path}`);
    const lines = layout.absent.filter(({ field }) => !field.ignorable).map((row) => this.#refuse(row));
    for (const run of runsOf(layout.plain)) {
      if ('single' in run) {
        const local = this.fresh(run.single.name);
        lines.push(`const ${local} = ${this.#given(run.single)};`, this.write(run.single, local, false));
      } else {
        const at = this.fresh('at');
        const view = this.fresh('view');
        lines.push(`const ${at} = w.reserve(${run.bytes}), ${view} = w.view;`);
        let offset = 0;
        for (const row of run.fixed) {
          lines.push(`${fixedWrite(row, view, `${at} + ${offset}`, this.#given(row))};`);
          offset += fixedBytes[row.field.kind] ?? 0;
        }
      }
    }
    if (layout.flexible) lines.push(this.#tags(layout));
    this.addFunction(`function ${name}(value, w) {\n${lines.join('\n')}\n}`);
    return name;
  }

  #given(row: Row): string {
    const given = `value.${row.name}`;
    return row.field.default === undefined ? given : `(${given} === undefined ? ${this.constant(row.default)} : ${given})`;
  }

  #refuse(row: Row): string {
    return `if (${this.#differs(row.field, `value.${row.name}`)}) throw lacks('${this.name}', '${row.path}');`;
  }

  /** An expression: whether leaving the value out would say something else. The same rule as `isDefault`, unrolled. */
  #differs(field: Field, given: string): string {
    const fallback = defaultOf(field);
    if (field.default === null) return `(${given} !== undefined && ${given} !== null)`;
    if (fallback === null || field.kind === 'bytes' || field.kind === 'records') return `!isDefault(${this.constant(field)}, ${given})`;
    if (field.kind === 'array') return `(${given} !== undefined && ${given}.length !== 0)`;
    const differs = `${given} !== undefined && ${given} !== ${this.constant(fallback)}`;
    if (field.kind !== 'struct') return `(${differs})`;
    const inner = Object.entries(field.fields ?? {}).map(([name, part]) => this.#differs(part, `${given}.${name}`));
    return `(${differs} && (${inner.join(' || ')}))`;
  }

  #tags(layout: StructLayout): string {
    if (layout.tagged.length === 0) return 'w.uvarint(0);';
    const filled = layout.tagged.map((row) => ({ row, has: this.fresh('has') }));
    return [
      ...filled.map(({ row, has }) => `const ${has} = ${this.#differs(row.field, `value.${row.name}`)};`),
      `w.uvarint(${filled.map(({ has }) => `(${has} ? 1 : 0)`).join(' + ')});`,
      ...filled.map(({ row, has }) => {
        const local = this.fresh(row.name);
        const mark = this.fresh('mark');
        return [
          `if (${has}) {`,
          `const ${local} = value.${row.name}; w.uvarint(${row.field.tag}); const ${mark} = w.beginTag();`,
          this.write(row, local, true),
          `w.endTag(${mark});`,
          '}',
        ].join('\n');
      }),
    ].join('\n');
  }

  /** A statement that writes the value that `local` holds. */
  write(value: Row, local: string, tagged: boolean): string {
    const refuseNull = value.nullable ? '' : `if (${local} === null) throw lacks('${this.name}', '${value.path}');`;
    if (value.struct) return `${refuseNull} ${this.#writeStruct(value, value.struct, local, tagged)}`;
    if (value.element) return `${refuseNull} ${this.#writeArray(value, value.element, local)}`;
    return `${refuseNull} w.${methodOf(value, 'write')}(${local});`;
  }

  #writeStruct(value: Row, struct: StructLayout, local: string, tagged: boolean): string {
    const write = `${this.structFunction(struct)}(${local}, w);`;
    if (!value.nullable) return write;
    const mark = tagged ? [`w.uvarint(0)`, `w.uvarint(1)`] : [`w.int8(-1)`, `w.int8(1)`];
    return `if (${local} === null) ${mark[0]}; else { ${mark[1]}; ${write} }`;
  }

  #writeArray(value: Row, element: Value, local: string): string {
    const count = value.compact ? `w.uvarint(${local}.length + 1);` : `w.int32(${local}.length);`;
    const size = fixedBytes[element.field.kind];
    let loop: string;
    if (size !== undefined) {
      const at = this.fresh('at');
      const view = this.fresh('view');
      const put = fixedWrite(element, view, `${at} + i * ${size}`, `${local}[i]`);
      loop = `const ${at} = w.reserve(${local}.length * ${size}), ${view} = w.view; for (let i = 0; i < ${local}.length; i++) ${put};`;
    } else {
      const put = element.struct
        ? `${this.structFunction(element.struct)}(${local}[i], w)`
        : `w.${methodOf(element, 'write')}(${local}[i])`;
      loop = `for (let i = 0; i < ${local}.length; i++) ${put};`;
    }
    const filled = `{ ${count} ${loop} }`;
    if (!value.nullable) return filled;
    return `if (${local} === null) ${value.compact ? 'w.uvarint(0)' : 'w.int32(-1)'}; else ${filled}`;
  }
}

function fixedWrite({ field }: Value, view: string, at: string, given: string): string {
  const { kind } = field;
  if (kind === 'int64') return `putInt64(${view}, ${at}, ${given})`;
  if (kind === 'uuid') return `putUuid(${view}, ${at}, ${given})`;
  if (kind === 'boolean') return `${view}.setUint8(${at}, ${given} ? 1 : 0)`;
  const put = `${view}.set${viewNames[kind]}`;
  if (kind === 'int64Big' || kind === 'float64') return `${put}(${at}, ${given})`;
  return `${put}(${at}, ${kind}Of(${given}))`;
}
