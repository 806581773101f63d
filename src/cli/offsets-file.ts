// Offsets in a file, as Kafka's own tool writes and reads them: `topic,partition,offset` a line, with the group in front
// where it is for several. What one group had can so be kept, edited, and given back.
import { readFileSync } from 'node:fs';
import type { TopicPartition } from '../client/list-offsets.ts';
import { usageError } from './exit-codes.ts';

export interface WrittenOffset extends TopicPartition {
  /** Undefined: for every group that is named. */
  readonly groupId: string | undefined;
  readonly offset: number;
}

/** @throws CommandError */
export function readOffsetsFile(path: string): WrittenOffset[] {
  let text;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (thrown) {
    throw usageError(`cannot read ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  return parseOffsets(text, path);
}

/** Empty lines and those behind a # are passed over. @throws CommandError */
export function parseOffsets(text: string, path: string): WrittenOffset[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return [];
    const cells = cellsOf(line);
    const [offset, partition, topic, groupId] = cells.toReversed();
    if (cells.length < 3 || cells.length > 4 || !topic || !isNumber(partition) || !isNumber(offset))
      throw usageError(`line ${index + 1} of ${path} is not topic,partition,offset or group,topic,partition,offset: ${line}`);
    return [{ groupId, topic, partition: Number(partition), offset: Number(offset) }];
  });
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d{1,15}$/.test(text);

/** A cell that holds commas or quotes stands in quotes, its own doubled. */
function cellsOf(line: string): string[] {
  const found = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
  return found.map(([, quoted, plain = '']) => (quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"')));
}

export function formatOffsets(offsets: readonly WrittenOffset[], { withGroups }: { withGroups: boolean }): string {
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return offsets
    .map(({ groupId, topic, partition, offset }) => `${withGroups ? `${quoted(groupId ?? '')},` : ''}${topic},${partition},${offset}\n`)
    .join('');
}
