// Makes the codec of a message at a version when it is first needed, and keeps it with the table. Source text where
// the process allows it, closures where it does not (`--disallow-code-generation-from-strings`).
import { closureDecoder, closureEncoder } from './compile-closures.ts';
import { layoutOf } from './compile-layout.ts';
import { sourceDecoder, sourceEncoder } from './compile-source.ts';
import { KafkaError } from './errors.ts';
import type { Reader } from './reader.ts';
import { includes, type Message } from './schema.ts';
import type { Writer } from './writer.ts';

export type Backend = 'source' | 'closures';

let allowed: Backend | undefined;

function allowedBackend(): Backend {
  if (allowed) return allowed;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- asks whether code generation is allowed
    allowed = new Function('return true')() === true ? 'source' : 'closures';
  } catch (thrown) {
    if (!(thrown instanceof EvalError)) throw thrown;
    allowed = 'closures';
  }
  return allowed;
}

/** @throws KafkaError UNSUPPORTED_VERSION when the table has no such version */
export function compileDecoder(message: Message, version: number, backend: Backend = allowedBackend()): (reader: Reader) => unknown {
  checkVersion(message, version);
  const layout = layoutOf(message, version);
  return backend === 'source' ? sourceDecoder(layout, `${message.name}V${version}`) : closureDecoder(layout);
}

/** @throws KafkaError UNSUPPORTED_VERSION when the table has no such version */
export function compileEncoder(
  message: Message,
  version: number,
  backend: Backend = allowedBackend(),
): (value: unknown, writer: Writer) => void {
  checkVersion(message, version);
  const layout = layoutOf(message, version);
  const name = `${message.name}V${version}`;
  return backend === 'source' ? sourceEncoder(layout, name) : closureEncoder(layout, name);
}

function checkVersion(message: Message, version: number): void {
  if (!Number.isInteger(version) || !includes(message.versions, version)) {
    throw new KafkaError('UNSUPPORTED_VERSION', `${message.name} has no version ${version}`);
  }
}
