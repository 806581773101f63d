// The names of a log directory: partition directories and the files in them, formatted and parsed, and what a topic may be
// called. Every path below a log directory is made of names that come from here, so none can lead out of it.
// Kafka does not start when its log directory holds a directory that is not named like a partition: ours go nowhere but here.
import { KafkaError } from '../../protocol/errors.ts';

/** The last offset a JavaScript number holds exactly; a file named beyond it is none of ours. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
const MAX_PARTITION = 0x7fff_ffff;
const MAX_TOPIC_LENGTH = 249;
const MAX_FILE_NAME_LENGTH = 255;

export const internalTopics: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state']);

/** Why `name` cannot name a topic, in Kafka's words; undefined when it can. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > MAX_TOPIC_LENGTH) return `the length of '${name}' is longer than the max allowed length ${MAX_TOPIC_LENGTH}`;
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  return undefined;
}

/** @throws KafkaError INVALID_TOPIC_EXCEPTION */
export function checkTopicName(name: string): void {
  const problem = topicNameProblem(name);
  if (problem !== undefined) throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem}`);
}

/** What topics that must not exist beside each other have in common: metric names show "." as "_". */
export const topicCollisionKey = (topic: string): string => topic.replaceAll('.', '_');

/** `<topic>-<partition>`. @throws KafkaError INVALID_TOPIC_EXCEPTION, so that no unchecked name becomes a path */
export function partitionDirectoryName(topic: string, partition: number): string {
  checkTopicName(topic);
  if (!Number.isInteger(partition) || partition < 0 || partition > MAX_PARTITION)
    throw new KafkaError('INVALID_PARTITIONS', `${partition} is no partition number`);
  return `${topic}-${partition}`;
}

/**
 * What a partition directory is besides a partition: `delete` waits to be removed, `stray` was set aside because the
 * metadata does not know it, `future` is being moved here from another log directory.
 */
export type DirectoryMark = 'delete' | 'stray' | 'future';

/** `<topic>-<partition>.<uniqueId>-<mark>`, the topic cut short where the name would pass 255 bytes. `uniqueId`: 32 hexadecimal digits. */
export function markedDirectoryName(topic: string, partition: number, uniqueId: string, mark: DirectoryMark): string {
  if (!/^[0-9a-f]{32}$/.test(uniqueId)) throw new TypeError('the unique id of a marked directory is 32 hexadecimal digits');
  const name = partitionDirectoryName(topic, partition);
  const tail = `${name.slice(topic.length)}.${uniqueId}-${mark}`;
  return topic.slice(0, MAX_FILE_NAME_LENGTH - tail.length) + tail;
}

export interface PartitionDirectory {
  /** May be cut short where there is a mark. */
  readonly topic: string;
  readonly partition: number;
  readonly mark: DirectoryMark | undefined;
}

/** Undefined for a name that no partition directory can have. */
export function parsePartitionDirectoryName(name: string): PartitionDirectory | undefined {
  const marked = /^(.+)\.([^.]+)-(delete|stray|future)$/.exec(name);
  const plain = /^(.+)-(0|[1-9]\d{0,9})$/.exec(marked?.[1] ?? name);
  if (!plain) return undefined;
  const topic = plain[1] ?? '';
  const partition = Number(plain[2]);
  if (topicNameProblem(topic) !== undefined || partition > MAX_PARTITION) return undefined;
  return { topic, partition, mark: marked?.[3] as DirectoryMark | undefined };
}

/**
 * The files named after an offset. `.producers` is ours (producer-snapshot.ts); Kafka passes over it, and removes it with
 * the directory.
 */
export const offsetFileSuffixes = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot', '.producers'] as const;
export type OffsetFileSuffix = (typeof offsetFileSuffixes)[number];

/**
 * What an offset file is on its way to: `.deleted` waits to be removed, `.cleaned` is what the cleaner has not finished,
 * `.swap` is finished and about to take the place of what it was made from.
 */
export const fileMarks = ['.deleted', '.cleaned', '.swap'] as const;
export type FileMark = (typeof fileMarks)[number];

/** 20 digits, so that names sort as offsets do. */
export function offsetFileName(offset: number, suffix: OffsetFileSuffix, mark: FileMark | '' = ''): string {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`${offset} is no offset to name a file after`);
  return offset.toString().padStart(20, '0') + suffix + mark;
}

export interface OffsetFile {
  readonly offset: number;
  readonly suffix: OffsetFileSuffix;
  readonly mark: FileMark | undefined;
}

/** Undefined for every other name. */
export function parseOffsetFileName(name: string): OffsetFile | undefined {
  const parts = /^(\d{20})(\.[a-z]+)(\.[a-z]+)?$/.exec(name);
  const suffix = offsetFileSuffixes.find((known) => known === parts?.[2]);
  const mark = fileMarks.find((known) => known === parts?.[3]);
  const offset = Number(parts?.[1]);
  if (!parts || !suffix || mark !== parts[3] || offset > MAX_OFFSET) return undefined;
  return { offset, suffix, mark };
}
