// How a command shows what it found: a table for people, JSON, JSON lines and YAML for programs, bare names for shells.
// Standard output carries this and nothing else.
import { usageError } from './exit-codes.ts';

export const outputFormats = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string | number;
  /** Shown only in `wide`. */
  readonly wide?: true;
}

export interface Shape<Row> {
  readonly columns: readonly Column<Row>[];
  /** What a shell loops over. */
  readonly name: (row: Row) => string;
  /** The row as programs see it: an interface, see docs/cli.md. */
  readonly json: (row: Row) => unknown;
}

/** @throws CommandError for a format that does not exist, or that this command has no use for */
export function readFormat(text: string | undefined, allowed: readonly OutputFormat[] = outputFormats): OutputFormat {
  const format = allowed.find((one) => one === (text ?? 'table'));
  if (format === undefined) throw usageError(`-o takes one of ${allowed.join(', ')}, not '${text ?? ''}'`);
  return format;
}

/** Prints rows; `json` and `yaml` as one list. */
export function printRows<Row>(rows: readonly Row[], shape: Shape<Row>, format: OutputFormat): void {
  write(formatRows(rows, shape, format));
}

export function formatRows<Row>(rows: readonly Row[], shape: Shape<Row>, format: OutputFormat): string {
  if (format === 'name') return rows.map((row) => `${shape.name(row)}\n`).join('');
  if (format === 'jsonl') return rows.map((row) => `${JSON.stringify(shape.json(row))}\n`).join('');
  if (format === 'json' || format === 'yaml') return formatDocument(rows.map(shape.json), format);
  const columns = shape.columns.filter(({ wide }) => wide !== true || format === 'wide');
  return tableOf(rows, columns);
}

export function formatDocument(value: unknown, format: 'json' | 'jsonl' | 'yaml'): string {
  if (format === 'yaml') return `${yamlOf(value, 0).replace(/^\n/, '')}\n`;
  return `${JSON.stringify(value, null, format === 'json' ? 2 : 0)}\n`;
}

/** Pipes take what is written before the call returns, so nothing is lost when the process ends after it. */
export function write(text: string | Buffer): void {
  process.stdout.write(text);
}

/**
 * Resolves once standard output takes more: whoever reads it may be slow, and what it has not read lies in our memory.
 * Also when nobody reads it any more, or `signal` aborts.
 */
export function written(signal: AbortSignal): Promise<void> | undefined {
  const { stdout } = process;
  if (!stdout.writableNeedDrain || signal.aborted) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'error', 'close']) stdout.off(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of ['drain', 'error', 'close']) stdout.on(event, done);
    signal.addEventListener('abort', done);
  });
}

/** No lines, no colours, two spaces between columns: a table that `awk` reads too. Empty for no rows. */
export function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  if (rows.length === 0) return '';
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => String(text(row))))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

const plainScalar = /^[A-Za-z_][A-Za-z0-9_./ -]*$/;
/** Words that YAML would not read as text. */
const notText = /^(true|false|yes|no|on|off|null|y|n|~)$/i;

/** Block style for lists and maps, JSON's quotes for texts that are not plain words. Begins with a line break unless it is a scalar. */
function yamlOf(value: unknown, depth: number): string {
  const indent = '  '.repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.map((item: unknown) => `\n${indent}- ${yamlOf(item, depth + 1).replace(/^\n\s*/, '')}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    if (entries.length === 0) return '{}';
    return entries
      .map(([key, inner]) => {
        const text = yamlOf(inner, depth + 1);
        return `\n${indent}${scalar(key)}:${text.startsWith('\n') ? text : ` ${text}`}`;
      })
      .join('');
  }
  return typeof value === 'string' ? scalar(value) : JSON.stringify(value);
}

function scalar(text: string): string {
  return plainScalar.test(text) && !notText.test(text) && !text.endsWith(' ') ? text : JSON.stringify(text);
}
