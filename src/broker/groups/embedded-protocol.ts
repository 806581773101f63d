// What members of classic groups that are consumers tell each other through the coordinator, read and written by the coordinator
// itself where a group comes over to the new protocol or goes back (ConsumerProtocol of Kafka): an int16 version, then the message.
import { decode, encode } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Reader } from '../../protocol/reader.ts';
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  type ConsumerProtocolSubscription,
} from '../../protocol/records/consumer-protocol.ts';
import { Writer } from '../../protocol/writer.ts';
import type { GroupTopics } from './group-topics.ts';
import { fromEntries, NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts';

interface NamedPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

const NEWEST = consumerProtocolSubscription.versions.max;

/** @throws ProtocolError */
export function decodeSubscription(bytes: Buffer): ConsumerProtocolSubscription {
  const reader = new Reader(bytes);
  return decode(consumerProtocolSubscription, readVersion(reader), reader);
}

/** What the member has been given; `userData` is the assignor's own business. Nothing at all is no assignment. @throws ProtocolError */
export function decodeAssignment(bytes: Buffer): { readonly partitions: readonly NamedPartitions[]; readonly userData: Buffer | null } {
  if (bytes.length === 0) return { partitions: [], userData: null };
  const reader = new Reader(bytes);
  const { assignedPartitions, userData } = decode(consumerProtocolAssignment, readVersion(reader), reader);
  return { partitions: assignedPartitions, userData };
}

/** In the version of the member's subscription, whose bytes `subscription` are. */
export function encodeAssignment(partitions: TopicPartitions, subscription: Buffer, topics: GroupTopics): Buffer {
  const version = readVersion(new Reader(subscription));
  const assignedPartitions: NamedPartitions[] = [];
  for (const [topicId, list] of partitions) {
    const topic = topics.nameOf(topicId);
    if (topic !== undefined) assignedPartitions.push({ topic, partitions: list });
  }
  const writer = new Writer();
  writer.int16(version);
  encode(consumerProtocolAssignment, version, { assignedPartitions, userData: null }, writer);
  return Buffer.concat(writer.buffers());
}

/** By the ids of topics; of a topic that is gone nobody holds anything. */
export function withTopicIds(named: readonly NamedPartitions[], topics: GroupTopics): TopicPartitions {
  if (named.length === 0) return NO_PARTITIONS;
  return fromEntries(
    named.flatMap(({ topic, partitions }) => {
      const topicId = topics.idOf(topic);
      return topicId === undefined ? [] : [{ topicId, partitions }];
    }),
  );
}

/** A later version begins with the fields of those before. */
function readVersion(reader: Reader): number {
  const version = reader.int16();
  if (version < 0) throw new ProtocolError(`a consumer's subscription has version ${version}`);
  return Math.min(version, NEWEST);
}
