// What stands before every request and response: the size of the frame and the header. Reads and writes them; what to
// do with a frame that is too large, or with a version we do not serve, is decided in server/.
import { invariant, present } from '../base/invariant.ts';
import { decode, encode } from './codec.ts';
import type { Reader } from './reader.ts';
import { includes, int16, int32, message, nullableString, type Decoded, type Encodable, type Message } from './schema.ts';
import { Writer } from './writer.ts';

export const requestHeader = message(
  'RequestHeader',
  { type: 'header', versions: '1-2', flexible: '2+' },
  {
    requestApiKey: int16('0+'),
    requestApiVersion: int16('0+'),
    correlationId: int32('0+'),
    clientId: nullableString('1+', { neverCompact: true }), // stays as it was, so that a broker can read it before it knows the version
  },
);
export type RequestHeader = Decoded<typeof requestHeader>;

export const responseHeader = message(
  'ResponseHeader',
  { type: 'header', versions: '0-1', flexible: '1+' },
  {
    correlationId: int32('0+'),
  },
);
export type ResponseHeader = Decoded<typeof responseHeader>;

const API_VERSIONS = 18;

/** The header version of a request, also for versions newer than any we know: these are flexible too. */
export function requestHeaderVersion(request: Message, apiVersion: number): 1 | 2 {
  return includes(request.flexible, apiVersion) ? 2 : 1;
}

/**
 * The header version of a response. That of ApiVersions never has tags: the client reads it before it knows which
 * versions the broker speaks (KIP-511).
 */
export function responseHeaderVersion(response: Message, apiVersion: number): 0 | 1 {
  return response.apiKey !== API_VERSIONS && includes(response.flexible, apiVersion) ? 1 : 0;
}

/** The part of a request that means the same in every version. */
export interface RequestOpening {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
}

/**
 * Looks at the first 8 bytes of a request (behind the frame size) and leaves the reader where it is.
 * @throws ProtocolError when there are fewer
 */
export function peekRequest(reader: Reader): RequestOpening {
  const at = reader.take(8);
  reader.at = at;
  const { view } = reader;
  return { apiKey: view.getInt16(at), apiVersion: view.getInt16(at + 2), correlationId: view.getInt32(at + 4) };
}

/** Reads the header of a request that has that table; the body follows. @throws ProtocolError when the bytes are no header */
export function decodeRequestHeader(request: Message, reader: Reader): RequestHeader {
  return decode(requestHeader, requestHeaderVersion(request, peekRequest(reader).apiVersion), reader);
}

/** Reads the header of a response that has that table, to a request of that version; the body follows. */
export function decodeResponseHeader(response: Message, apiVersion: number, reader: Reader): ResponseHeader {
  return decode(responseHeader, responseHeaderVersion(response, apiVersion), reader);
}

/** A whole request as it goes on the wire: size, header, body. Records in it are not copied. Errors as of `encode`. */
export function encodeRequestFrame<M extends Message>(
  table: M,
  header: { readonly version: number; readonly correlationId: number; readonly clientId: string | null },
  value: Encodable<M>,
): Buffer[] {
  checkType(table, 'request');
  const { version, correlationId, clientId } = header;
  const opening = {
    requestApiKey: present(table.apiKey, `the API key of ${table.name}`),
    requestApiVersion: version,
    correlationId,
    clientId,
  };
  return frame((writer) => {
    encode(requestHeader, requestHeaderVersion(table, version), opening, writer);
    encode(table, version, value, writer);
  });
}

/** A whole response as it goes on the wire: size, header, body. Records in it are not copied. Errors as of `encode`. */
export function encodeResponseFrame<M extends Message>(
  table: M,
  header: { readonly version: number; readonly correlationId: number },
  value: Encodable<M>,
): Buffer[] {
  checkType(table, 'response');
  const { version, correlationId } = header;
  return frame((writer) => {
    encode(responseHeader, responseHeaderVersion(table, version), { correlationId }, writer);
    encode(table, version, value, writer);
  });
}

function checkType(table: Message, type: 'request' | 'response'): void {
  invariant(table.type === type, `${table.name} is no ${type}`);
}

const SIZE_BYTES = 4;

function frame(write: (writer: Writer) => void): Buffer[] {
  const writer = new Writer();
  writer.reserve(SIZE_BYTES);
  write(writer);
  const buffers = writer.buffers();
  present(buffers[0], 'the beginning of a frame').writeInt32BE(writer.length - SIZE_BYTES);
  return buffers;
}
