// The text checkpoints of a log directory: for every partition one offset (recovery point, log start, high watermark, or
// how far the cleaner came). Text form only; who writes them, when, and what a lost one costs is decided elsewhere.
import { DamagedFileError, quoted } from '../damaged-file.ts';
import { partitionDirectoryName, topicNameProblem } from './log-names.ts';

/** The checkpoint files of a log directory. A missing one is no damage: its offsets then begin at the log start, or at 0. */
export const checkpointFiles = {
  recoveryPoint: 'recovery-point-offset-checkpoint',
  logStartOffset: 'log-start-offset-checkpoint',
  highWatermark: 'replication-offset-checkpoint',
  cleaner: 'cleaner-offset-checkpoint',
} as const;

const VERSION = '0';
const MAX_INT32 = 0x7fff_ffff;

/** A checkpoint does not read as one; `line` (from 1) is where. Nothing in it can be trusted. */
export class DamagedCheckpointError extends DamagedFileError {
  override readonly name = 'DamagedCheckpointError';
  readonly line: number;

  constructor(file: string, line: number, why: string) {
    super(file, `line ${line}: ${why}`, 'its offsets are found again by recovering the logs; remove it to have that done');
    this.line = line;
  }
}

/** Offsets by partition directory name (`<topic>-<partition>`), in the order of the map. */
export function encodeOffsetCheckpoint(offsets: ReadonlyMap<string, number>): Buffer {
  const lines: string[] = [];
  for (const [partition, offset] of offsets) {
    const at = partition.lastIndexOf('-');
    lines.push(`${partition.slice(0, at)} ${partition.slice(at + 1)} ${offset}`);
  }
  return encodeCheckpoint(lines);
}

/**
 * The offsets by partition directory name; a partition named twice has its last offset, as on Kafka. An empty file is
 * an empty checkpoint: Kafka makes them so.
 * @throws DamagedCheckpointError
 */
export function decodeOffsetCheckpoint(bytes: Buffer, file: string): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { text, line } of decodeCheckpoint(bytes, file)) {
    const [topic = '', partition = '', offset = '', ...more] = text.split(/\s+/);
    if (topicNameProblem(topic) !== undefined || !/^\d{1,10}$/.test(partition) || more.length > 0)
      throw new DamagedCheckpointError(file, line, `${quoted(text)} is not "<topic> <partition> <offset>"`);
    const number = parseCheckpointNumber(partition, file, line);
    if (number > MAX_INT32) throw new DamagedCheckpointError(file, line, `the partition ${number} is no int32`);
    offsets.set(partitionDirectoryName(topic, number), parseCheckpointNumber(offset, file, line));
  }
  return offsets;
}

/** A checkpoint of any kind: version, number of entries, one entry a line. */
export function encodeCheckpoint(entries: readonly string[]): Buffer {
  return Buffer.from([VERSION, String(entries.length), ...entries, ''].join('\n'));
}

/**
 * The entries of a checkpoint of any kind, each with its line number.
 * @throws DamagedCheckpointError for another version, or when there are more or fewer entries than it says
 */
export function decodeCheckpoint(bytes: Buffer, file: string): { text: string; line: number }[] {
  const lines = bytes.toString('utf8').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  const [version, count, ...entries] = lines;
  if (version === undefined) return [];
  if (version !== VERSION) throw new DamagedCheckpointError(file, 1, `the version is ${quoted(version)}, known is ${VERSION}`);
  if (count === undefined) return [];
  if (parseCheckpointNumber(count, file, 2) !== entries.length)
    throw new DamagedCheckpointError(file, 2, `${quoted(count)} entries should follow, but there are ${entries.length}`);
  return entries.map((text, entry) => ({ text, line: entry + 3 }));
}

/** @throws DamagedCheckpointError when `text` is no whole number from 0 to 2^53 - 1 */
export function parseCheckpointNumber(text: string, file: string, line: number): number {
  const value = Number(text);
  if (!/^\d{1,19}$/.test(text) || !Number.isSafeInteger(value))
    throw new DamagedCheckpointError(file, line, `${quoted(text)} is no number from 0 to 2^53 - 1`);
  return value;
}
