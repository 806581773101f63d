// Requests as an enemy would fill them in: every served API in every version, values from a seed, with the names and ids of
// real topics among them so that they get past the first look-up.
import { batchOf } from '../../src/handlers/data-path.testing.ts';
import { apis } from '../../src/handlers/index.ts';
import type { Api } from '../../src/handlers/handler.ts';
import { includes } from '../../src/protocol/schema.ts';
import { referenceBytes, sampleOf, type Dice, type Sample } from '../protocol-samples.ts';
import { NO_TAGS, requestHead } from './attacker.ts';

/** What an enemy may call a topic, a group, a client or a setting. */
export const hostileNames: readonly string[] = [
  '',
  '.',
  '..',
  '../x',
  '..\\x',
  '/etc/passwd',
  'a/../../b',
  '%2e%2e%2fx',
  'nul\u0000l',
  'line\nfeed\r\u001b[31m',
  'tаrget', // a Cyrillic а
  'TARGET',
  'target.',
  'target ',
  'target-0',
  'lost-0.0123456789abcdef0123456789abcdef-delete',
  'lost-0.0123456789abcdef0123456789abcdef-stray',
  '__cluster_metadata',
  '__consumer_offsets',
  '__proto__',
  'constructor',
  '\ud83d\ude00',
  'x'.repeat(249),
  'x'.repeat(250),
  'x'.repeat(32_767),
];

export interface Known {
  readonly names: readonly string[];
  readonly ids: readonly string[];
}

export function* servedVersions(): Generator<{ api: Api; version: number }> {
  for (const api of apis.values()) for (let version = api.minVersion; version <= api.maxVersion; version++) yield { api, version };
}

/** A request frame, without its size. */
export function frameOf(api: Api, version: number, value: Sample, options: { correlationId: number; unknownTags?: Dice }): Buffer {
  const flexible = includes(api.request.flexible, version);
  const head = requestHead(api.key, version, options.correlationId);
  return Buffer.concat([head, ...(flexible ? [NO_TAGS] : []), referenceBytes(api.request, version, value, options.unknownTags)]);
}

/** A sample with known names, ids, places and batches in most of the places where one can stand. */
export function pointedSample(api: Api, version: number, dice: Dice, known: Known): Sample {
  return point('', sampleOf(api.request, version, dice, { large: false }), dice, known) as Sample;
}

const isName = /^(name|topic|topicName|resourceName|topicNames)$/;
const isPlace = /^(partition|partitionIndex|partitions|index|partitionIndexes)$/;

function point(key: string, value: unknown, dice: Dice, known: Known): unknown {
  if (Array.isArray(value)) return value.map((item) => point(key, item, dice, known));
  if (Buffer.isBuffer(value)) return key === 'records' && dice(3) > 0 ? batchOf(['a', 'b']) : value;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, point(name, inner, dice, known)]));
  if (dice(4) === 0) return value;
  if (typeof value === 'string' && isName.test(key)) return known.names[dice(known.names.length)];
  if (typeof value === 'string' && key === 'topicId') return known.ids[dice(known.ids.length)];
  if (typeof value === 'number' && isPlace.test(key)) return dice(3);
  if (typeof value === 'number' && key === 'acks') return dice(3) - 1;
  return value;
}
