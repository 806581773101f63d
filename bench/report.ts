// The figures as a person reads them: a table for each comparison, what the goals say of it, and the facts of the
// machine without which none of it means anything.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { spreadOf, type Comparison, type Goal, type Unit } from './comparison.ts';
import { pinning } from './parties.ts';

export interface Report {
  readonly facts: readonly string[];
  readonly sections: readonly { readonly comparison: Comparison }[];
}

export function machineFacts(dataParent: string, command: string): string[] {
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${memoryGiB} GiB memory, ${process.platform} ${release()}`,
    `data on ${diskFacts(dataParent)}`,
    `Node.js ${process.version}${javaFacts()}`,
    pinning.enabled ? 'servers pinned to the first core, the load generator to the second' : 'nothing pinned',
    `made by \`${command}\``,
  ];
}

function javaFacts(): string {
  const said = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return said.status === 0 ? `, ${said.stderr.split('\n')[0] ?? ''}` : ', no Java: Kafka is left out';
}

/** File system and class of the disk below a folder; no names. */
export function diskFacts(path: string): string {
  const fileSystem = spawnSync('stat', ['-f', '-c', '%T', path], { encoding: 'utf8' }).stdout?.trim() || 'an unknown file system';
  const device = spawnSync('df', ['--output=source', path], { encoding: 'utf8' }).stdout?.split('\n')[1]?.trim() ?? '';
  const disk = /\/dev\/([a-z]+|nvme\d+n\d+)/.exec(device)?.[1];
  if (disk === undefined) return fileSystem;
  return `${fileSystem} on ${disk.startsWith('vd') ? 'a virtual disk (virtio)' : disk.startsWith('nvme') ? 'NVMe' : 'a disk'}${cacheOf(disk)}`;
}

function cacheOf(disk: string): string {
  try {
    return `, ${readFileSync(`/sys/block/${disk}/queue/write_cache`, 'latin1').trim()} cache`;
  } catch {
    return '';
  }
}

export const formatValue = (value: number, unit?: Unit): string => {
  const text =
    value >= 1000
      ? Math.round(value).toLocaleString('en')
      : value >= 100
        ? value.toFixed(0)
        : value >= 10
          ? value.toFixed(1)
          : value.toFixed(2);
  return unit === undefined ? text : `${text} ${unit}`;
};

export interface Verdict {
  readonly goal: Goal;
  readonly median: number;
  readonly range: string;
  readonly reached: boolean;
}

export function verdictsOf(comparison: Comparison): Verdict[] {
  return comparison.goals.flatMap((goal) => {
    const ratios = spreadOf(comparison.ratios(goal));
    if (ratios === undefined) return [];
    const reached = goal.atMost === true ? ratios.median <= goal.ratio : ratios.median >= goal.ratio;
    return [{ goal, median: ratios.median, range: `${ratios.min.toFixed(2)} to ${ratios.max.toFixed(2)}`, reached }];
  });
}

export function markdownOf(comparison: Comparison): string {
  const lines = [
    `### ${comparison.title}`,
    '',
    `| | median ${comparison.unit} | smallest to largest | remarks on the last round |`,
    '|---|---:|---|---|',
  ];
  for (const { party, values, remarks } of comparison.series) {
    const spread = spreadOf(values);
    const figures =
      spread === undefined ? '- | -' : `${formatValue(spread.median)} | ${formatValue(spread.min)} to ${formatValue(spread.max)}`;
    lines.push(`| ${party} | ${figures} | ${remarks.at(-1) ?? ''} |`);
  }
  const verdicts = verdictsOf(comparison);
  if (verdicts.length > 0) {
    lines.push('', '| goal | wanted | ratio, median of the rounds | smallest to largest | |', '|---|---|---:|---|---|');
    for (const { goal, median, range, reached } of verdicts)
      lines.push(
        `| ${goal.says} | ${goal.atMost === true ? '<=' : '>='} ${goal.ratio} | ${median.toFixed(2)} | ${range} | ${reached ? 'reached' : 'not yet'} |`,
      );
  }
  return [...lines, ''].join('\n');
}

export function textOf(comparison: Comparison): string {
  const lines = [comparison.title];
  const width = Math.max(...comparison.series.map(({ party }) => party.length));
  for (const { party, values } of comparison.series) {
    const spread = spreadOf(values);
    lines.push(
      spread === undefined
        ? `  ${party.padEnd(width)}  failed`
        : `  ${party.padEnd(width)}  ${formatValue(spread.median, comparison.unit)}  (${formatValue(spread.min)} to ${formatValue(spread.max)})`,
    );
  }
  for (const { goal, median, range, reached } of verdictsOf(comparison))
    lines.push(`  ${reached ? '+' : '-'} ${goal.of} to ${goal.to}: ${median.toFixed(2)} (${range}); goal: ${goal.says}`);
  return `${lines.join('\n')}\n`;
}
