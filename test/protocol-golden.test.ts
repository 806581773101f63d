// What real clients sent and what Apache Kafka answered, recorded by golden/record.ts: our tables read every byte of it, and
// write the same bytes again.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode } from '../src/protocol/codec.ts';
import { errorNameOf } from '../src/protocol/errors.ts';
import { decodeRequestHeader, decodeResponseHeader, encodeRequestFrame, encodeResponseFrame } from '../src/protocol/headers.ts';
import { apiVersionsResponse } from '../src/protocol/messages/api-versions.ts';
import { apisByKey, type Api } from '../src/protocol/messages/index.ts';
import { Reader } from '../src/protocol/reader.ts';

interface Recorded {
  client: string;
  version: string;
  broker: string;
  exchanges: { apiKey: number; version: number; request: string; response: string }[];
}

const folder = join(import.meta.dirname, 'golden/wire');
const recordings = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recorded);

const withoutSize = (frame: readonly Buffer[]): string => Buffer.concat(frame).subarray(4).toString('hex');

/** A client that asks ApiVersions in a version newer than the broker's is answered in version 0 (KIP-511). */
const isTooNew = (api: Api, version: number): boolean => api.name === 'ApiVersions' && version > api.request.versions.max;

for (const { client, version, broker, exchanges } of recordings) {
  test(`requests of ${client} ${version} and the answers of ${broker} read and write back byte for byte`, () => {
    for (const { apiKey, version, request, response } of exchanges) {
      const api = apisByKey.get(apiKey);
      assert.ok(api, `API ${apiKey}`);
      const what = `${api.name} v${version}`;

      const asked = Buffer.from(request, 'base64');
      const reader = new Reader(asked);
      const { correlationId, clientId, requestApiVersion } = decodeRequestHeader(api.request, reader);
      assert.equal(requestApiVersion, version);
      if (!isTooNew(api, version)) {
        const question = decode(api.request, version, reader);
        assert.equal(reader.remaining, 0, `${what}: bytes behind the request`);
        const again = encodeRequestFrame(api.request, { version, correlationId, clientId }, question);
        assert.equal(withoutSize(again), asked.toString('hex'), what);
      }
      checkAnswer(api, isTooNew(api, version) ? 0 : version, correlationId, Buffer.from(response, 'base64'));
    }
  });
}

function checkAnswer(api: Api, version: number, correlationId: number, answered: Buffer): void {
  const what = `the answer to ${api.name} v${version}`;
  const reader = new Reader(answered);
  assert.equal(decodeResponseHeader(api.response, version, reader).correlationId, correlationId);
  const answer = decode(api.response, version, reader);
  assert.equal(reader.remaining, 0, `bytes behind ${what}`);
  assert.equal(withoutSize(encodeResponseFrame(api.response, { version, correlationId }, answer)), answered.toString('hex'), what);
}

test('a request of ApiVersions newer than any is still read as far as its header, and answered in version 0', () => {
  const tooNew = recordings.flatMap(({ exchanges }) => exchanges).filter(({ apiKey, version }) => apiKey === 18 && version > 4);
  assert.ok(tooNew.length > 0);
  for (const { response } of tooNew) {
    const reader = new Reader(Buffer.from(response, 'base64'));
    decodeResponseHeader(apiVersionsResponse, 0, reader);
    const { errorCode, apiKeys } = decode(apiVersionsResponse, 0, reader);
    assert.equal(errorNameOf(errorCode), 'UNSUPPORTED_VERSION');
    assert.deepEqual(
      apiKeys.filter(({ apiKey }) => apiKey === 18),
      [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    );
  }
});

test('the recordings hold the four APIs that every client speaks, at both ends of their versions', () => {
  const seen = recordings.flatMap(({ exchanges }) => exchanges);
  for (const name of ['Produce', 'Fetch', 'Metadata', 'ApiVersions']) {
    const versions = seen.filter(({ apiKey }) => apisByKey.get(apiKey)?.name === name).map(({ version }) => version);
    assert.ok(new Set(versions).size >= 3, `${name}: only ${[...new Set(versions)].join()}`);
  }
});
