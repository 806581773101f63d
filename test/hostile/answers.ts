// What the broker said to an attack, held against the protocol: an answer belongs to its request, and is one in full.
import assert from 'node:assert/strict';
import { apis } from '../../src/handlers/index.ts';
import { decode } from '../../src/protocol/codec.ts';
import { decodeResponseHeader } from '../../src/protocol/headers.ts';
import { apiVersionsResponse } from '../../src/protocol/messages/api-versions.ts';
import { Reader } from '../../src/protocol/reader.ts';

const API_VERSIONS = 18;

/** Decodes an answer to the request frame, which may be broken. Fails when it is none. */
export function decodedAnswer(request: Buffer, answer: Buffer): Record<string, unknown> {
  const apiKey = request.readInt16BE(0);
  const version = request.readInt16BE(2);
  const api = apis.get(apiKey);
  const what = `the answer ${answer.toString('hex').slice(0, 200)} to ${request.toString('hex').slice(0, 200)}`;
  assert.ok(api, what);
  const served = api.minVersion <= version && version <= api.maxVersion;
  assert.ok(served || apiKey === API_VERSIONS, what);
  const reader = new Reader(answer);
  assert.equal(decodeResponseHeader(api.response, served ? version : 0, reader).correlationId, request.readInt32BE(4), what);
  const body = served ? decode(api.response, version, reader) : decode(apiVersionsResponse, 0, reader);
  assert.equal(reader.remaining, 0, what);
  return body;
}

/** Every error code in an answer, however deep. */
export function errorCodesIn(value: unknown, found: number[] = []): number[] {
  if (Array.isArray(value)) for (const item of value) errorCodesIn(item, found);
  else if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'number' && /errorCode$/i.test(key)) found.push(inner);
      else errorCodesIn(inner, found);
    }
  }
  return found;
}
