// The figures as a person reads them: as text, or as tables that can be put into docs/benchmarks.md as they are.
import { spreadOf, type Comparison, type Goal, type Spread, type Unit, type Verdict } from './comparison.ts';

export function formatValue(value: number, unit?: Unit): string {
  const text =
    value >= 1000
      ? Math.round(value).toLocaleString('en')
      : value >= 100
        ? value.toFixed(0)
        : value >= 10
          ? value.toFixed(1)
          : value.toFixed(2);
  return unit === undefined ? text : `${text} ${unit}`;
}

/** The median, and behind it the smallest and the largest where there is more than one. */
function formatSpread({ min, median, max }: Spread, format: (value: number, unit?: Unit) => string, unit?: Unit): string {
  return min === max ? format(median, unit) : `${format(median, unit)} (${format(min)} to ${format(max)})`;
}

const formatRatio = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

function measuredText({ goal, spread }: Verdict, unit: Unit): string {
  return goal.to === undefined ? formatSpread(spread, formatValue, unit) : formatSpread(spread, formatRatio);
}

function wantedText({ to, wanted, atMost }: Goal, unit: Unit): string {
  if (wanted === undefined) return '';
  return `${atMost === true ? 'at most' : 'at least'} ${to === undefined ? `${wanted} ${unit}` : wanted}`;
}

type Align = 'left' | 'right';

/** Padded as the formatter of this repository wants it. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[], aligns: readonly Align[]): string[] {
  const escaped = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')));
  const widths = head.map((_, column) => Math.max(3, ...escaped.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (aligns[column] === 'right' ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (aligns[column] === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const [first = [], ...others] = escaped;
  return [line(first), line(rule), ...others.map(line)];
}

/** The figures of one comparison: a row for each party. */
export function figuresOf({ title, unit, series }: Comparison): string {
  const rounds = Math.max(0, ...series.map(({ values }) => values.filter(Number.isFinite).length));
  const rows = series.map(({ party, values, remarks }) => {
    const spread = spreadOf(values);
    return [party, spread === undefined ? 'failed' : formatSpread(spread, formatValue, unit), remarks.at(-1) ?? ''];
  });
  const hasRemarks = rows.some(([, , remark]) => remark !== '');
  const measured = rounds === 1 ? 'one round' : `median of ${rounds} rounds`;
  const head = ['', measured, ...(hasRemarks ? ['in the last of them'] : [])];
  const table = tableOf(head, hasRemarks ? rows : rows.map((cells) => cells.slice(0, 2)), ['left', 'right', 'left']);
  return [`### ${title}`, '', ...table, ''].join('\n');
}

/** The goals of all comparisons in one table, and the ratios that are only to be known. */
export function goalsOf(comparisons: readonly Comparison[]): string {
  const rows = comparisons.flatMap((comparison) =>
    comparison
      .verdicts()
      .map((verdict) => [
        `${comparison.title}: ${verdict.goal.says}`,
        wantedText(verdict.goal, comparison.unit),
        measuredText(verdict, comparison.unit),
        verdict.standing === 'no goal' ? '' : verdict.standing,
      ]),
  );
  if (rows.length === 0) return '';
  return ['### Goals and ratios', '', ...tableOf(['goal', 'wanted', 'measured', ''], rows, ['left', 'right', 'left', 'left']), ''].join(
    '\n',
  );
}

export function markdownOf(facts: readonly string[], comparisons: readonly Comparison[]): string {
  return [facts.map((fact) => `- ${fact}`).join('\n'), '', ...comparisons.map(figuresOf), goalsOf(comparisons)].join('\n').trimEnd();
}

const SIGNS = { reached: '+', 'on the line': '~', 'not yet': '-', 'no goal': ' ' } as const;

export function textOf(comparison: Comparison): string {
  const { title, unit, series } = comparison;
  const width = Math.max(...series.map(({ party }) => party.length));
  const figures = series.map(({ party, values }) => {
    const spread = spreadOf(values);
    return `  ${party.padEnd(width)}  ${spread === undefined ? 'failed' : formatSpread(spread, formatValue, unit)}`;
  });
  const goals = comparison.verdicts().map((verdict) => {
    const { of, to, says } = verdict.goal;
    const what = to === undefined ? of : `${of} to ${to}`;
    return `  ${SIGNS[verdict.standing]} ${what}: ${measuredText(verdict, unit)}; ${verdict.standing === 'no goal' ? says : `goal: ${wantedText(verdict.goal, unit)}, ${says}`}`;
  });
  return [title, ...figures, ...goals, ''].join('\n');
}
