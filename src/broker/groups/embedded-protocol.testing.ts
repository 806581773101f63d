// What consumers of classic groups write for each other, for tests.
import { encode } from '../../protocol/codec.ts';
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts';
import { Writer } from '../../protocol/writer.ts';

export type Named = Readonly<Record<string, readonly number[]>>;

const named = (partitions: Named) => Object.entries(partitions).map(([topic, list]) => ({ topic, partitions: list }));

export function subscription(topics: readonly string[], owned: Named = {}, version = 3): Buffer {
  const writer = new Writer();
  writer.int16(version);
  encode(consumerProtocolSubscription, version, { topics, userData: null, ownedPartitions: named(owned), generationId: -1 }, writer);
  return Buffer.concat(writer.buffers());
}

export function assignment(partitions: Named, userData: Buffer | null = null): Buffer {
  const writer = new Writer();
  writer.int16(3);
  encode(consumerProtocolAssignment, 3, { assignedPartitions: named(partitions), userData }, writer);
  return Buffer.concat(writer.buffers());
}
