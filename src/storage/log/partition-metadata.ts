// partition.metadata: which topic a partition directory belongs to, by id. Without it Kafka sets the partition aside as a
// stray, so it is durable before the first record. Text form only.
import { ZERO_UUID } from '../../protocol/reader.ts';
import { DamagedFileError, quoted } from '../damaged-file.ts';
import { normalizeUuid } from '../uuid-text.ts';

export const PARTITION_METADATA_FILE = 'partition.metadata';
const VERSION = 0;

/** `topicId` in Kafka's text form: 22 characters of base64url. No newline at the end, as Kafka writes it. */
export function encodePartitionMetadata(topicId: string): Buffer {
  return Buffer.from(`version: ${VERSION}\ntopic_id: ${topicId}`);
}

/**
 * The topic id. Later versions may say more, below what we read (that is how Kafka reads it).
 * @throws DamagedFileError
 */
export function decodePartitionMetadata(bytes: Buffer, file: string = PARTITION_METADATA_FILE): { topicId: string } {
  const [first = '', second = ''] = bytes.toString('utf8').split(/\r\n|\n|\r/);
  if (!/^version:\s+\d+$/.test(first)) throw damaged(file, `the first line should be "version: ${VERSION}", it is ${quoted(first)}`);
  const topicId = normalizeUuid(/^topic_id:\s+(\S+)$/.exec(second)?.[1] ?? '');
  if (topicId === undefined || topicId === ZERO_UUID)
    throw damaged(file, `the second line should name a topic id, it is ${quoted(second)}`);
  return { topicId };
}

function damaged(file: string, why: string): DamagedFileError {
  return new DamagedFileError(
    file,
    why,
    'the records are not affected: write the topic id of the cluster metadata into it ("version: 0", then "topic_id: <id>"), or restore the file',
  );
}
