// What the tables are measured against: Produce and Fetch read and written by hand, as fast as we know how, by code that
// knows nothing of tables. Same checks (every length against the bytes left, every number against its field), same
// objects, records neither copied in nor out. Used by bench/codec.ts only.
import { ProtocolError } from '../src/protocol/errors.ts';
import type { FetchRequest, FetchResponse, fetchResponse } from '../src/protocol/messages/fetch.ts';
import type { ProduceRequest, produceRequest, ProduceResponse } from '../src/protocol/messages/produce.ts';
import type { Encodable } from '../src/protocol/schema.ts';

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const NO_LEADER = Object.freeze({ leaderId: -1, leaderEpoch: -1 });
const NO_DIVERGENCE = Object.freeze({ epoch: -1, endOffset: -1 });
const NO_SNAPSHOT = Object.freeze({ endOffset: -1, epoch: -1 });
const NO_REPLICA = Object.freeze({ replicaId: -1, replicaEpoch: -1 });

class HandReader {
  readonly buffer: Buffer;
  readonly view: DataView;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  need(bytes: number): void {
    if (bytes > this.buffer.length - this.at) throw new ProtocolError('cut short');
  }

  int8(): number {
    this.need(1);
    return this.view.getInt8(this.at++);
  }

  int16(): number {
    this.need(2);
    const value = this.view.getInt16(this.at);
    this.at += 2;
    return value;
  }

  int32(): number {
    this.need(4);
    const value = this.view.getInt32(this.at);
    this.at += 4;
    return value;
  }

  int64(): number {
    this.need(8);
    const high = this.view.getInt32(this.at);
    const low = this.view.getUint32(this.at + 4);
    this.at += 8;
    if (high > 0x1f_ffff) return Number.MAX_SAFE_INTEGER;
    const value = high * 0x1_0000_0000 + low;
    return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value;
  }

  uuid(): string {
    this.need(16);
    const text = this.buffer.toString('base64url', this.at, this.at + 16);
    this.at += 16;
    return text;
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      this.need(1);
      const byte = this.view.getUint8(this.at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtocolError('varint too long');
  }

  text(bytes: number): string {
    if (bytes > 32_767) throw new ProtocolError('string too long');
    this.need(bytes);
    const text = this.buffer.toString('utf8', this.at, this.at + bytes);
    this.at += bytes;
    return text;
  }

  string(compact: boolean): string {
    const bytes = compact ? this.uvarint() - 1 : this.int16();
    if (bytes < 0) throw new ProtocolError('null string');
    return this.text(bytes);
  }

  nullableString(compact: boolean): string | null {
    const bytes = compact ? this.uvarint() - 1 : this.int16();
    if (bytes < -1) throw new ProtocolError('wrong length');
    return bytes < 0 ? null : this.text(bytes);
  }

  records(compact: boolean): Buffer | null {
    const bytes = compact ? this.uvarint() - 1 : this.int32();
    if (bytes < -1) throw new ProtocolError('wrong length');
    if (bytes < 0) return null;
    this.need(bytes);
    const records = this.buffer.subarray(this.at, this.at + bytes);
    this.at += bytes;
    return records;
  }

  count(compact: boolean, elementBytes: number): number {
    const count = compact ? this.uvarint() - 1 : this.int32();
    if (count < 0) throw new ProtocolError('null list');
    this.need(count * elementBytes);
    return count;
  }

  nullableCount(compact: boolean, elementBytes: number): number {
    const count = compact ? this.uvarint() - 1 : this.int32();
    if (count < -1) throw new ProtocolError('wrong length');
    this.need(count * elementBytes);
    return count;
  }

  tags(): number {
    const count = this.uvarint();
    if (count > 1024) throw new ProtocolError('too many tags');
    return count;
  }

  skipTags(): void {
    for (let left = this.tags(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  skip(bytes: number): void {
    this.need(bytes);
    this.at += bytes;
  }
}

export function readProduceRequest(version: number, buffer: Buffer): ProduceRequest {
  const r = new HandReader(buffer);
  const compact = version >= 9;
  const transactionalId = r.nullableString(compact);
  const acks = r.int16();
  const timeoutMs = r.int32();
  const topicData: ProduceRequest['topicData'][number][] = [];
  for (let topics = r.count(compact, compact ? 3 : 6); topics > 0; topics--) {
    const name = version <= 12 ? r.string(compact) : '';
    const topicId = version >= 13 ? r.uuid() : NO_ID;
    const partitionData: ProduceRequest['topicData'][number]['partitionData'][number][] = [];
    for (let partitions = r.count(compact, compact ? 6 : 8); partitions > 0; partitions--) {
      const index = r.int32();
      const records = r.records(compact);
      if (compact) r.skipTags();
      partitionData.push({ index, records });
    }
    if (compact) r.skipTags();
    topicData.push({ name, topicId, partitionData });
  }
  if (compact) r.skipTags();
  return { transactionalId, acks, timeoutMs, topicData };
}

function readLeader(r: HandReader): { leaderId: number; leaderEpoch: number } {
  const leader = { leaderId: r.int32(), leaderEpoch: r.int32() };
  r.skipTags();
  return leader;
}

function readEndpoints(r: HandReader): ProduceResponse['nodeEndpoints'] {
  const endpoints: ProduceResponse['nodeEndpoints'][number][] = [];
  for (let count = r.count(true, 11); count > 0; count--) {
    const nodeId = r.int32();
    const host = r.string(true);
    const port = r.int32();
    const rack = r.nullableString(true);
    r.skipTags();
    endpoints.push({ nodeId, host, port, rack });
  }
  return endpoints;
}

export function readProduceResponse(version: number, buffer: Buffer): ProduceResponse {
  type Topic = ProduceResponse['responses'][number];
  type Partition = Topic['partitionResponses'][number];
  const r = new HandReader(buffer);
  const compact = version >= 9;
  const responses: Topic[] = [];
  for (let topics = r.count(compact, compact ? 3 : 6); topics > 0; topics--) {
    const name = version <= 12 ? r.string(compact) : '';
    const topicId = version >= 13 ? r.uuid() : NO_ID;
    const partitionResponses: Partition[] = [];
    for (let partitions = r.count(compact, 22); partitions > 0; partitions--) {
      const index = r.int32();
      const errorCode = r.int16();
      const baseOffset = r.int64();
      const logAppendTimeMs = r.int64();
      const logStartOffset = version >= 5 ? r.int64() : -1;
      const recordErrors: Partition['recordErrors'][number][] = [];
      if (version >= 8) {
        for (let errors = r.count(compact, 5); errors > 0; errors--) {
          const batchIndex = r.int32();
          const batchIndexErrorMessage = r.nullableString(compact);
          if (compact) r.skipTags();
          recordErrors.push({ batchIndex, batchIndexErrorMessage });
        }
      }
      const errorMessage = version >= 8 ? r.nullableString(compact) : null;
      let currentLeader: Partition['currentLeader'] = NO_LEADER;
      if (compact) {
        for (let tags = r.tags(); tags > 0; tags--) {
          const tag = r.uvarint();
          const bytes = r.uvarint();
          const end = r.at + bytes;
          if (tag === 0 && version >= 10) currentLeader = readLeader(r);
          else r.skip(bytes);
          if (r.at !== end) throw new ProtocolError('wrong tag size');
        }
      }
      partitionResponses.push({
        index,
        errorCode,
        baseOffset,
        logAppendTimeMs,
        logStartOffset,
        recordErrors,
        errorMessage,
        currentLeader,
      });
    }
    if (compact) r.skipTags();
    responses.push({ name, topicId, partitionResponses });
  }
  const throttleTimeMs = r.int32();
  let nodeEndpoints: ProduceResponse['nodeEndpoints'] = [];
  if (compact) {
    for (let tags = r.tags(); tags > 0; tags--) {
      const tag = r.uvarint();
      const bytes = r.uvarint();
      const end = r.at + bytes;
      if (tag === 0 && version >= 10) nodeEndpoints = readEndpoints(r);
      else r.skip(bytes);
      if (r.at !== end) throw new ProtocolError('wrong tag size');
    }
  }
  return { responses, throttleTimeMs, nodeEndpoints };
}

export function readFetchRequest(version: number, buffer: Buffer): FetchRequest {
  type Topic = FetchRequest['topics'][number];
  type Partition = Topic['partitions'][number];
  type Forgotten = FetchRequest['forgottenTopicsData'][number];
  const r = new HandReader(buffer);
  const compact = version >= 12;
  const replicaId = version <= 14 ? r.int32() : -1;
  const maxWaitMs = r.int32();
  const minBytes = r.int32();
  const maxBytes = r.int32();
  const isolationLevel = r.int8();
  const sessionId = version >= 7 ? r.int32() : 0;
  const sessionEpoch = version >= 7 ? r.int32() : -1;
  const topics: Topic[] = [];
  for (let count = r.count(compact, compact ? 3 : 6); count > 0; count--) {
    const topic = version <= 12 ? r.string(compact) : '';
    const topicId = version >= 13 ? r.uuid() : NO_ID;
    const partitions: Partition[] = [];
    for (let left = r.count(compact, 16); left > 0; left--) {
      const partition = r.int32();
      const currentLeaderEpoch = version >= 9 ? r.int32() : -1;
      const fetchOffset = r.int64();
      const lastFetchedEpoch = version >= 12 ? r.int32() : -1;
      const logStartOffset = version >= 5 ? r.int64() : -1;
      const partitionMaxBytes = r.int32();
      let replicaDirectoryId = NO_ID;
      let highWatermark: number = Number.MAX_SAFE_INTEGER;
      if (compact) {
        for (let tags = r.tags(); tags > 0; tags--) {
          const tag = r.uvarint();
          const bytes = r.uvarint();
          const end = r.at + bytes;
          if (tag === 0 && version >= 17) replicaDirectoryId = r.uuid();
          else if (tag === 1 && version >= 18) highWatermark = r.int64();
          else r.skip(bytes);
          if (r.at !== end) throw new ProtocolError('wrong tag size');
        }
      }
      partitions.push({
        partition,
        currentLeaderEpoch,
        fetchOffset,
        lastFetchedEpoch,
        logStartOffset,
        partitionMaxBytes,
        replicaDirectoryId,
        highWatermark,
      });
    }
    if (compact) r.skipTags();
    topics.push({ topic, topicId, partitions });
  }
  const forgottenTopicsData: Forgotten[] = [];
  if (version >= 7) {
    for (let count = r.count(compact, compact ? 3 : 6); count > 0; count--) {
      const topic = version <= 12 ? r.string(compact) : '';
      const topicId = version >= 13 ? r.uuid() : NO_ID;
      const partitions: number[] = [];
      for (let left = r.count(compact, 4); left > 0; left--) partitions.push(r.int32());
      if (compact) r.skipTags();
      forgottenTopicsData.push({ topic, topicId, partitions });
    }
  }
  const rackId = version >= 11 ? r.string(compact) : '';
  let clusterId: string | null = null;
  let replicaState: FetchRequest['replicaState'] = NO_REPLICA;
  if (compact) {
    for (let tags = r.tags(); tags > 0; tags--) {
      const tag = r.uvarint();
      const bytes = r.uvarint();
      const end = r.at + bytes;
      if (tag === 0) clusterId = r.nullableString(true);
      else if (tag === 1 && version >= 15) {
        replicaState = { replicaId: r.int32(), replicaEpoch: r.int64() };
        r.skipTags();
      } else r.skip(bytes);
      if (r.at !== end) throw new ProtocolError('wrong tag size');
    }
  }
  return {
    clusterId,
    replicaId,
    replicaState,
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel,
    sessionId,
    sessionEpoch,
    topics,
    forgottenTopicsData,
    rackId,
  };
}

export function readFetchResponse(version: number, buffer: Buffer): FetchResponse {
  type Topic = FetchResponse['responses'][number];
  type Partition = Topic['partitions'][number];
  type Aborted = NonNullable<Partition['abortedTransactions']>[number];
  const r = new HandReader(buffer);
  const compact = version >= 12;
  const throttleTimeMs = r.int32();
  const errorCode = version >= 7 ? r.int16() : 0;
  const sessionId = version >= 7 ? r.int32() : 0;
  const responses: Topic[] = [];
  for (let count = r.count(compact, compact ? 3 : 6); count > 0; count--) {
    const topic = version <= 12 ? r.string(compact) : '';
    const topicId = version >= 13 ? r.uuid() : NO_ID;
    const partitions: Partition[] = [];
    for (let left = r.count(compact, 24); left > 0; left--) {
      const partitionIndex = r.int32();
      const errorCode = r.int16();
      const highWatermark = r.int64();
      const lastStableOffset = r.int64();
      const logStartOffset = version >= 5 ? r.int64() : -1;
      let abortedTransactions: Aborted[] | null = null;
      let aborted = r.nullableCount(compact, 16);
      if (aborted >= 0) {
        abortedTransactions = [];
        for (; aborted > 0; aborted--) {
          const transaction = { producerId: r.int64(), firstOffset: r.int64() };
          if (compact) r.skipTags();
          abortedTransactions.push(transaction);
        }
      }
      const preferredReadReplica = version >= 11 ? r.int32() : -1;
      const records = r.records(compact);
      let divergingEpoch: Partition['divergingEpoch'] = NO_DIVERGENCE;
      let currentLeader: Partition['currentLeader'] = NO_LEADER;
      let snapshotId: Partition['snapshotId'] = NO_SNAPSHOT;
      if (compact) {
        for (let tags = r.tags(); tags > 0; tags--) {
          const tag = r.uvarint();
          const bytes = r.uvarint();
          const end = r.at + bytes;
          if (tag === 0) {
            divergingEpoch = { epoch: r.int32(), endOffset: r.int64() };
            r.skipTags();
          } else if (tag === 1) currentLeader = readLeader(r);
          else if (tag === 2) {
            snapshotId = { endOffset: r.int64(), epoch: r.int32() };
            r.skipTags();
          } else r.skip(bytes);
          if (r.at !== end) throw new ProtocolError('wrong tag size');
        }
      }
      partitions.push({
        partitionIndex,
        errorCode,
        highWatermark,
        lastStableOffset,
        logStartOffset,
        divergingEpoch,
        currentLeader,
        snapshotId,
        abortedTransactions,
        preferredReadReplica,
        records,
      });
    }
    if (compact) r.skipTags();
    responses.push({ topic, topicId, partitions });
  }
  let nodeEndpoints: FetchResponse['nodeEndpoints'] = [];
  if (compact) {
    for (let tags = r.tags(); tags > 0; tags--) {
      const tag = r.uvarint();
      const bytes = r.uvarint();
      const end = r.at + bytes;
      if (tag === 0 && version >= 16) nodeEndpoints = readEndpoints(r);
      else r.skip(bytes);
      if (r.at !== end) throw new ProtocolError('wrong tag size');
    }
  }
  return { throttleTimeMs, errorCode, sessionId, responses, nodeEndpoints };
}

function fits(value: number, low: number, high: number): number {
  if (!(value >= low && value <= high)) throw new RangeError(`${value} does not fit`);
  return value;
}

class HandWriter {
  buffer: Buffer = Buffer.allocUnsafe(2048);
  view: DataView = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.length);
  at = 0;
  from = 0;
  chunks: Buffer[] = [];

  room(bytes: number): void {
    if (bytes <= this.buffer.length - this.at) return;
    if (this.at > this.from) this.chunks.push(this.buffer.subarray(this.from, this.at));
    this.buffer = Buffer.allocUnsafe(Math.max(bytes, this.buffer.length * 2));
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.length);
    this.at = 0;
    this.from = 0;
  }

  int8(value: number): void {
    this.room(1);
    this.view.setInt8(this.at, fits(value, -128, 127));
    this.at += 1;
  }

  int16(value: number): void {
    this.room(2);
    this.view.setInt16(this.at, fits(value, -32_768, 32_767));
    this.at += 2;
  }

  int32(value: number): void {
    this.room(4);
    this.view.setInt32(this.at, fits(value, -2_147_483_648, 2_147_483_647));
    this.at += 4;
  }

  int64(value: number): void {
    this.room(8);
    if (value >= Number.MAX_SAFE_INTEGER) this.view.setBigInt64(this.at, 0x7fff_ffff_ffff_ffffn);
    else if (value <= Number.MIN_SAFE_INTEGER) this.view.setBigInt64(this.at, -0x8000_0000_0000_0000n);
    else {
      const high = Math.floor(value / 0x1_0000_0000);
      this.view.setInt32(this.at, high);
      this.view.setUint32(this.at + 4, value - high * 0x1_0000_0000);
    }
    this.at += 8;
  }

  uuid(value: string): void {
    this.room(16);
    if (this.buffer.write(value, this.at, 16, 'base64url') !== 16) throw new RangeError('no UUID');
    this.at += 16;
  }

  uvarint(value: number): void {
    this.room(5);
    let rest = value;
    while (rest > 0x7f) {
      this.view.setUint8(this.at++, (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.view.setUint8(this.at++, rest);
  }

  string(value: string, compact: boolean): void {
    const bytes = Buffer.byteLength(value);
    if (compact) this.uvarint(bytes + 1);
    else this.int16(bytes);
    this.room(bytes);
    this.at += this.buffer.write(value, this.at, bytes, 'utf8');
  }

  nullableString(value: string | null, compact: boolean): void {
    if (value !== null) this.string(value, compact);
    else if (compact) this.uvarint(0);
    else this.int16(-1);
  }

  count(value: number, compact: boolean): void {
    if (compact) this.uvarint(value + 1);
    else this.int32(value);
  }

  records(value: Buffer | readonly Buffer[] | null, compact: boolean): void {
    if (value === null) {
      this.count(-1, compact);
      return;
    }
    const list = Buffer.isBuffer(value) ? [value] : value;
    this.count(
      list.reduce((sum, { length }) => sum + length, 0),
      compact,
    );
    for (const records of list) {
      if (this.at > this.from) this.chunks.push(this.buffer.subarray(this.from, this.at));
      this.from = this.at;
      this.chunks.push(records);
    }
  }

  finish(): Buffer[] {
    if (this.at > this.from) this.chunks.push(this.buffer.subarray(this.from, this.at));
    return this.chunks;
  }
}

export function writeProduceRequest(version: number, value: Encodable<typeof produceRequest>): Buffer[] {
  const w = new HandWriter();
  const compact = version >= 9;
  w.nullableString(value.transactionalId ?? null, compact);
  w.int16(value.acks);
  w.int32(value.timeoutMs);
  w.count(value.topicData.length, compact);
  for (const topic of value.topicData) {
    if (version <= 12) w.string(topic.name, compact);
    else w.uuid(topic.topicId);
    w.count(topic.partitionData.length, compact);
    for (const partition of topic.partitionData) {
      w.int32(partition.index);
      w.records(partition.records, compact);
      if (compact) w.uvarint(0);
    }
    if (compact) w.uvarint(0);
  }
  if (compact) w.uvarint(0);
  return w.finish();
}

function writeLeader(w: HandWriter, leader: { leaderId: number; leaderEpoch: number }): void {
  w.uvarint(9);
  w.int32(leader.leaderId);
  w.int32(leader.leaderEpoch);
  w.uvarint(0);
}

function writeEndpoints(w: HandWriter, endpoints: ProduceResponse['nodeEndpoints']): void {
  const part = new HandWriter();
  part.count(endpoints.length, true);
  for (const { nodeId, host, port, rack } of endpoints) {
    part.int32(nodeId);
    part.string(host, true);
    part.int32(port);
    part.nullableString(rack, true);
    part.uvarint(0);
  }
  const bytes = Buffer.concat(part.finish());
  w.uvarint(bytes.length);
  w.room(bytes.length);
  w.at += bytes.copy(w.buffer, w.at);
}

export function writeProduceResponse(version: number, value: ProduceResponse): Buffer[] {
  const w = new HandWriter();
  const compact = version >= 9;
  w.count(value.responses.length, compact);
  for (const topic of value.responses) {
    if (version <= 12) w.string(topic.name, compact);
    else w.uuid(topic.topicId);
    w.count(topic.partitionResponses.length, compact);
    for (const partition of topic.partitionResponses) {
      w.int32(partition.index);
      w.int16(partition.errorCode);
      w.int64(partition.baseOffset);
      w.int64(partition.logAppendTimeMs);
      if (version >= 5) w.int64(partition.logStartOffset);
      if (version >= 8) {
        w.count(partition.recordErrors.length, compact);
        for (const { batchIndex, batchIndexErrorMessage } of partition.recordErrors) {
          w.int32(batchIndex);
          w.nullableString(batchIndexErrorMessage, compact);
          if (compact) w.uvarint(0);
        }
        w.nullableString(partition.errorMessage, compact);
      }
      if (compact) {
        const { currentLeader } = partition;
        const moved = version >= 10 && (currentLeader.leaderId !== -1 || currentLeader.leaderEpoch !== -1);
        w.uvarint(moved ? 1 : 0);
        if (moved) {
          w.uvarint(0);
          writeLeader(w, currentLeader);
        }
      }
    }
    if (compact) w.uvarint(0);
  }
  w.int32(value.throttleTimeMs);
  if (compact) {
    const moved = version >= 10 && value.nodeEndpoints.length > 0;
    w.uvarint(moved ? 1 : 0);
    if (moved) {
      w.uvarint(0);
      writeEndpoints(w, value.nodeEndpoints);
    }
  }
  return w.finish();
}

export function writeFetchRequest(version: number, value: FetchRequest): Buffer[] {
  const w = new HandWriter();
  const compact = version >= 12;
  if (version <= 14) w.int32(value.replicaId);
  w.int32(value.maxWaitMs);
  w.int32(value.minBytes);
  w.int32(value.maxBytes);
  w.int8(value.isolationLevel);
  if (version >= 7) {
    w.int32(value.sessionId);
    w.int32(value.sessionEpoch);
  }
  w.count(value.topics.length, compact);
  for (const topic of value.topics) {
    if (version <= 12) w.string(topic.topic, compact);
    else w.uuid(topic.topicId);
    w.count(topic.partitions.length, compact);
    for (const partition of topic.partitions) {
      w.int32(partition.partition);
      if (version >= 9) w.int32(partition.currentLeaderEpoch);
      w.int64(partition.fetchOffset);
      if (version >= 12) w.int32(partition.lastFetchedEpoch);
      if (version >= 5) w.int64(partition.logStartOffset);
      w.int32(partition.partitionMaxBytes);
      if (compact) {
        const directory = version >= 17 && partition.replicaDirectoryId !== NO_ID;
        const watermark = version >= 18 && partition.highWatermark !== Number.MAX_SAFE_INTEGER;
        w.uvarint((directory ? 1 : 0) + (watermark ? 1 : 0));
        if (directory) {
          w.uvarint(0);
          w.uvarint(16);
          w.uuid(partition.replicaDirectoryId);
        }
        if (watermark) {
          w.uvarint(1);
          w.uvarint(8);
          w.int64(partition.highWatermark);
        }
      }
    }
    if (compact) w.uvarint(0);
  }
  if (version >= 7) {
    w.count(value.forgottenTopicsData.length, compact);
    for (const topic of value.forgottenTopicsData) {
      if (version <= 12) w.string(topic.topic, compact);
      else w.uuid(topic.topicId);
      w.count(topic.partitions.length, compact);
      for (const partition of topic.partitions) w.int32(partition);
      if (compact) w.uvarint(0);
    }
  }
  if (version >= 11) w.string(value.rackId, compact);
  if (compact) {
    const cluster = value.clusterId !== null;
    const replica = version >= 15 && (value.replicaState.replicaId !== -1 || value.replicaState.replicaEpoch !== -1);
    w.uvarint((cluster ? 1 : 0) + (replica ? 1 : 0));
    if (cluster || replica) throw new RangeError('the benchmark has no such request');
  }
  return w.finish();
}

export function writeFetchResponse(version: number, value: Encodable<typeof fetchResponse>): Buffer[] {
  const w = new HandWriter();
  const compact = version >= 12;
  w.int32(value.throttleTimeMs);
  if (version >= 7) {
    w.int16(value.errorCode);
    w.int32(value.sessionId ?? 0);
  }
  w.count(value.responses.length, compact);
  for (const topic of value.responses) {
    if (version <= 12) w.string(topic.topic, compact);
    else w.uuid(topic.topicId);
    w.count(topic.partitions.length, compact);
    for (const partition of topic.partitions) {
      w.int32(partition.partitionIndex);
      w.int16(partition.errorCode);
      w.int64(partition.highWatermark);
      w.int64(partition.lastStableOffset ?? -1);
      if (version >= 5) w.int64(partition.logStartOffset ?? -1);
      const aborted = partition.abortedTransactions;
      w.count(aborted === null ? -1 : aborted.length, compact);
      if (aborted !== null) {
        for (const { producerId, firstOffset } of aborted) {
          w.int64(producerId);
          w.int64(firstOffset);
          if (compact) w.uvarint(0);
        }
      }
      if (version >= 11) w.int32(partition.preferredReadReplica ?? -1);
      w.records(partition.records, compact);
      if (compact) {
        const { divergingEpoch, currentLeader, snapshotId } = partition;
        const diverging = divergingEpoch !== undefined && (divergingEpoch.epoch !== -1 || divergingEpoch.endOffset !== -1);
        const moved = currentLeader !== undefined && (currentLeader.leaderId !== -1 || currentLeader.leaderEpoch !== -1);
        const snapshot = snapshotId !== undefined && (snapshotId.epoch !== -1 || snapshotId.endOffset !== -1);
        w.uvarint((diverging ? 1 : 0) + (moved ? 1 : 0) + (snapshot ? 1 : 0));
        if (diverging || snapshot) throw new RangeError('the benchmark has no such response');
        if (moved) {
          w.uvarint(1);
          writeLeader(w, { leaderId: currentLeader.leaderId ?? -1, leaderEpoch: currentLeader.leaderEpoch ?? -1 });
        }
      }
    }
    if (compact) w.uvarint(0);
  }
  if (compact) {
    const endpoints = value.nodeEndpoints ?? [];
    const moved = version >= 16 && endpoints.length > 0;
    w.uvarint(moved ? 1 : 0);
    if (moved) {
      w.uvarint(0);
      writeEndpoints(
        w,
        endpoints.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack: rack ?? null })),
      );
    }
  }
  return w.finish();
}
