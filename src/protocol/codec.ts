// Bytes to messages and back. Everything else in this folder serves these two functions.
import { compileDecoder, compileEncoder } from './compile.ts';
import type { Reader } from './reader.ts';
import type { Decoded, Encodable, Message } from './schema.ts';
import type { Writer } from './writer.ts';

/**
 * Reads a message. Byte values are slices of the reader's buffer; bytes behind the message stay unread.
 * @throws ProtocolError when the bytes are not such a message
 * @throws KafkaError UNSUPPORTED_VERSION when the message has no such version
 */
export function decode<M extends Message>(message: M, version: number, reader: Reader): Decoded<M> {
  const decoder = message.compiled.decoders[version] ?? (message.compiled.decoders[version] = compileDecoder(message, version));
  return decoder(reader) as Decoded<M>;
}

/**
 * Writes a message. Records are woven in, not copied.
 * @throws KafkaError UNSUPPORTED_VERSION when the message has no such version, or the version has no room for a value that may not be dropped
 * @throws RangeError when a value does not fit its field: a mistake of ours
 */
export function encode<M extends Message>(message: M, version: number, value: Encodable<M>, writer: Writer): void {
  const encoder = message.compiled.encoders[version] ?? (message.compiled.encoders[version] = compileEncoder(message, version));
  encoder(value, writer);
}
