// Codecs against bytes written down by hand, field by field from the protocol guide.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from './codec.ts';
import { KafkaError, ProtocolError } from './errors.ts';
import { decodeRequestHeader, encodeRequestFrame, encodeResponseFrame, peekRequest } from './headers.ts';
import { apiVersionsRequest, apiVersionsResponse } from './messages/api-versions.ts';
import { fetchRequest, fetchResponse } from './messages/fetch.ts';
import { metadataRequest } from './messages/metadata.ts';
import { produceRequest } from './messages/produce.ts';
import { consumerGroupMemberMetadataValue } from './records/group-log.ts';
import { int64At, Reader, ZERO_UUID } from './reader.ts';
import type { Decoded, Encodable, Message } from './schema.ts';
import { Writer } from './writer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

function bytesOf<M extends Message>(message: M, version: number, value: Encodable<M>): string {
  const writer = new Writer();
  encode(message, version, value, writer);
  const joined = Buffer.concat(writer.buffers());
  assert.equal(writer.length, joined.length);
  return joined.toString('hex');
}

function decodeAll<M extends Message>(message: M, version: number, buffer: Buffer): Decoded<M> {
  const reader = new Reader(buffer);
  const value = decode(message, version, reader);
  assert.equal(reader.remaining, 0);
  return value;
}

test('a non-flexible Produce reads and writes the bytes of the protocol guide', () => {
  const bytes = hex('0002 7478 ffff 00007530 00000001 0001 74 00000001 00000005 00000003 616263');
  const value = decodeAll(produceRequest, 3, bytes);
  assert.deepEqual(value, {
    transactionalId: 'tx',
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 5, records: Buffer.from('abc') }] }],
  });
  assert.equal(bytesOf(produceRequest, 3, value), bytes.toString('hex'));
});

test('a flexible Produce has compact lengths and a tag section behind every struct', () => {
  const bytes = hex('00 0001 000005dc 02 02 74 02 00000000 04 616263 00 00 00');
  const value = decodeAll(produceRequest, 9, bytes);
  assert.equal(value.transactionalId, null);
  assert.equal(value.topicData[0]?.partitionData[0]?.records?.toString(), 'abc');
  assert.equal(bytesOf(produceRequest, 9, value), bytes.toString('hex'));
});

test('records leave as their own buffers and are not copied', () => {
  const records = [Buffer.from('one'), Buffer.from('two')];
  const [first, second, third, ...rest] = encodeRequestFrame(
    produceRequest,
    { version: 8, correlationId: 7, clientId: 'c' },
    { acks: 1, timeoutMs: 1, topicData: [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }] },
  );
  assert.deepEqual(rest, []);
  assert.equal(second, records[0]);
  assert.equal(third, records[1]);
  const frame = Buffer.concat([first!, second!, third!]);
  assert.equal(frame.readInt32BE(0), frame.length - 4);
  const reader = new Reader(frame, 4);
  assert.deepEqual(peekRequest(reader), { apiKey: 0, apiVersion: 8, correlationId: 7 });
  assert.deepEqual(decodeRequestHeader(produceRequest, reader), {
    requestApiKey: 0,
    requestApiVersion: 8,
    correlationId: 7,
    clientId: 'c',
  });
  assert.equal(decode(produceRequest, 8, reader).topicData[0]?.partitionData[0]?.records?.toString(), 'onetwo');
});

test('what was read is a slice of the buffer, not a copy', () => {
  const bytes = hex('ffff 0001 00000000 00000001 0001 74 00000001 00000000 00000003 616263');
  const records = decodeAll(produceRequest, 3, bytes).topicData[0]?.partitionData[0]?.records;
  assert.equal(records?.buffer, bytes.buffer);
  assert.equal(records?.toString(), 'abc');
});

test('the client id of a flexible request header keeps its old form, with tags behind it', () => {
  const [bytes] = encodeRequestFrame(
    apiVersionsRequest,
    { version: 3, correlationId: 1, clientId: 'ab' },
    { clientSoftwareName: 'x', clientSoftwareVersion: '1' },
  );
  assert.equal(bytes?.toString('hex'), hex('00000012 0012 0003 00000001 0002 6162 00 02 78 02 31 00').toString('hex'));
});

test('the response header of ApiVersions has no tags, those of other flexible responses have', () => {
  const apiVersions = Buffer.concat(
    encodeResponseFrame(apiVersionsResponse, { version: 3, correlationId: 9 }, { errorCode: 0, apiKeys: [], throttleTimeMs: 0 }),
  );
  assert.equal(apiVersions.toString('hex'), hex('0000000c 00000009 0000 01 00000000 00').toString('hex'));
  const fetched = Buffer.concat(
    encodeResponseFrame(fetchResponse, { version: 12, correlationId: 9 }, { throttleTimeMs: 0, errorCode: 0, responses: [] }),
  );
  assert.equal(fetched.toString('hex'), hex('00000011 00000009 00 00000000 0000 00000000 01 00').toString('hex'));
});

test('tagged fields are written only when they say something, and unknown tags are passed over', () => {
  const partition = { partitionIndex: 1, errorCode: 6, highWatermark: -1, abortedTransactions: null, records: null };
  const value = {
    throttleTimeMs: 0,
    errorCode: 0,
    responses: [{ topic: '', topicId: ZERO_UUID, partitions: [{ ...partition, currentLeader: { leaderId: 3, leaderEpoch: 9 } }] }],
    nodeEndpoints: [{ nodeId: 3, host: 'h'.repeat(200), port: 9092 }],
  };
  const bytes = hex(bytesOf(fetchResponse, 16, value));
  const read = decodeAll(fetchResponse, 16, bytes);
  assert.deepEqual(read.responses[0]?.partitions[0]?.currentLeader, { leaderId: 3, leaderEpoch: 9 });
  assert.deepEqual(read.responses[0]?.partitions[0]?.divergingEpoch, { epoch: -1, endOffset: -1 });
  assert.deepEqual(read.nodeEndpoints, [{ nodeId: 3, host: 'h'.repeat(200), port: 9092, rack: null }]);
  assert.equal(bytesOf(fetchResponse, 16, read), bytes.toString('hex'));

  const unknown = hex('02 78 02 31 02 05 03 aabbcc 7f 00');
  assert.equal(decodeAll(apiVersionsRequest, 3, unknown).clientSoftwareName, 'x');
});

test('decoded objects have the same fields at every version, those that are not there at their default', () => {
  const old = decodeAll(fetchRequest, 4, hex('ffffffff 00000001 00000002 00000003 01 00000000'));
  const later = decodeAll(fetchRequest, 18, hex('00000001 00000002 00000003 01 00000000 00000000 01 01 01 00'));
  assert.deepEqual(Object.keys(old), Object.keys(later));
  assert.deepEqual(old.replicaState, { replicaId: -1, replicaEpoch: -1 });
  assert.equal(old.sessionEpoch, -1);
  assert.equal(later.replicaId, -1);
});

test('a value that the version has no room for is an error, unless it may be dropped', () => {
  const fetch = { maxWaitMs: 1, minBytes: 1, topics: [], forgottenTopicsData: [] };
  const forgotten = [{ topic: 't', topicId: ZERO_UUID, partitions: [1] }];
  assert.doesNotThrow(() => bytesOf(fetchRequest, 4, { ...fetch, sessionId: 9, rackId: 'here' }));
  assert.throws(() => bytesOf(fetchRequest, 4, { ...fetch, forgottenTopicsData: forgotten }), unsupported);
  assert.throws(() => bytesOf(fetchRequest, 14, { ...fetch, replicaState: { replicaId: 1 } }), unsupported);
  assert.throws(
    () => bytesOf(metadataRequest, 0, { topics: null, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }),
    unsupported,
  );
  assert.throws(() => bytesOf(fetchRequest, 3, fetch), unsupported);
  assert.throws(() => bytesOf(fetchRequest, 19, fetch), unsupported);
});

const unsupported = (thrown: unknown): boolean => thrown instanceof KafkaError && thrown.errorName === 'UNSUPPORTED_VERSION';

test('int64 beyond the safe range is clamped on the way in and restored on the way out', () => {
  for (const [bytes, value] of [
    ['7fffffffffffffff', Number.MAX_SAFE_INTEGER],
    ['8000000000000000', Number.MIN_SAFE_INTEGER],
    ['001ffffffffffffe', Number.MAX_SAFE_INTEGER - 1],
    ['ffffffffffffffff', -1],
    ['ffffffff00000000', -(2 ** 32)],
    ['0000000080000001', 2 ** 31 + 1],
    ['ffe0000000000002', Number.MIN_SAFE_INTEGER + 1],
  ] as const) {
    const buffer = hex(bytes);
    assert.equal(int64At(new DataView(buffer.buffer, buffer.byteOffset), 0), value, bytes);
    const writer = new Writer();
    writer.int64(value);
    assert.equal(Buffer.concat(writer.buffers()).toString('hex'), bytes);
  }
  const clamped = new Reader(hex('0020000000000000 ffdfffffffffffff'));
  assert.equal(clamped.int64(), Number.MAX_SAFE_INTEGER);
  assert.equal(clamped.int64(), Number.MIN_SAFE_INTEGER);
});

test('a count or length that the bytes left cannot hold is refused before anything is allocated', () => {
  const refused = (bytes: string, version = 3) =>
    assert.throws(() => decode(produceRequest, version, new Reader(hex(bytes))), ProtocolError, bytes);
  refused('ffff 0001 00000000 7fffffff 0001 74');
  refused('ffff 0001 00000000 ffffffff');
  refused('ffff 0001 00000000 00000001 0001 74 00000001 00000000 7fffffff 61');
  refused('ffff 0001 00000000 00000001 0001 74 00000001 00000000 fffffffe 61');
  refused('fffe 0001 00000000 00000000');
  refused('7fff 61');
  refused('00 0001 00000000 ffffffff0f', 9);
  refused('00 0001 00000000 ffffffff1f', 9);
  refused('00 0001 00000000 01 ffffffff07', 9);
  refused('00 0001 00000000 00', 9);
});

test('a tagged value that we know must fill the size it declares', () => {
  const endpoints = '02 00000003 02 68 00002384 00 00'; // one endpoint with a null rack and no tags: 13 bytes
  const withSize = (size: string): Buffer => hex(`00000000 0000 00000000 01 01 00 ${size} ${endpoints}`);
  assert.deepEqual(decodeAll(fetchResponse, 16, withSize('0d')).nodeEndpoints, [{ nodeId: 3, host: 'h', port: 9092, rack: null }]);
  for (const size of ['0c', '0e', '00']) {
    const bytes = Buffer.concat([withSize(size), hex('0000')]);
    assert.throws(() => decode(fetchResponse, 16, new Reader(bytes)), ProtocolError);
  }
});

test('a tagged struct that may be null is null where its mark says so', () => {
  const strings = '00 00 02 61 02 62 01 00 ffffffff 00'; // instance and rack null, client id a, host b, no topics, no regex, timeout, no assignor
  const value = decodeAll(consumerGroupMemberMetadataValue, 0, hex(`${strings} 01 00 01 00`));
  assert.equal(value.classicMemberMetadata, null);
  const given = decodeAll(consumerGroupMemberMetadataValue, 0, hex(`${strings} 01 00 07 01 00000005 01 00`));
  assert.deepEqual(given.classicMemberMetadata, { sessionTimeoutMs: 5, supportedProtocols: [] });
});
