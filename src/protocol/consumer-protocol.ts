// What members of a classic consumer group write for each other and the broker hands on unread: what each wants, and what
// each is given. An int16 version stands before either; a newer version than ours is read as far as we know it.
import { decode, encode } from './codec.ts';
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  type ConsumerProtocolSubscription,
} from './records/consumer-protocol.ts';
import { Reader } from './reader.ts';
import type { Encodable, Message } from './schema.ts';
import { Writer } from './writer.ts';

/** Partitions of one topic. */
export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** The `protocol_type` of groups whose members are consumers. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/** @throws ProtocolError when the bytes are none */
export const decodeSubscription = (bytes: Buffer): ConsumerProtocolSubscription => {
  const reader = new Reader(bytes);
  return decode(consumerProtocolSubscription, versionIn(consumerProtocolSubscription, reader), reader);
};

/** No partitions for an empty buffer: a member that has not been given anything. @throws ProtocolError when the bytes are none */
export function decodeAssignment(bytes: Buffer): readonly TopicPartitions[] {
  if (bytes.length === 0) return [];
  const reader = new Reader(bytes);
  return decode(consumerProtocolAssignment, versionIn(consumerProtocolAssignment, reader), reader).assignedPartitions;
}

/** In version 1, the first with owned partitions: every client reads it. */
export const encodeSubscription = (subscription: Encodable<typeof consumerProtocolSubscription>): Buffer =>
  versioned(consumerProtocolSubscription, 1, subscription);

export const encodeAssignment = (assignedPartitions: readonly TopicPartitions[]): Buffer =>
  versioned(consumerProtocolAssignment, 1, { assignedPartitions, userData: null });

const versionIn = ({ versions }: Message, reader: Reader): number => Math.min(Math.max(reader.int16(), versions.min), versions.max);

function versioned<M extends Message>(message: M, version: number, value: Encodable<M>): Buffer {
  const writer = new Writer();
  writer.int16(version);
  encode(message, version, value, writer);
  return Buffer.concat(writer.buffers());
}
