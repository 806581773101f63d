// Writes src/embedded/kafka-config.ts, the settings as TypeScript sees them, from the tables of settings:
// node scripts/generate-kafka-config.ts. What an editor shows over `config: {` is the same text as on the settings page.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerConfigs } from '../src/config/broker-configs.ts';
import type { Row, Table } from '../src/config/config-table.ts';
import { topicConfigs } from '../src/config/topic-configs.ts';

/** `storage` says where the data lives. */
const saidElsewhere = new Set(['log.dir', 'log.dirs']);

/** The whole file. */
export function kafkaConfigSource(): string {
  return [
    '// The settings by Kafka’s names, typed. Generated from the tables in src/config by',
    '// node scripts/generate-kafka-config.ts; do not edit.',
    '',
    '/** A number of bytes, or one with a unit. */',
    "export type Bytes = number | bigint | `${number}${'B' | 'kB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`;",
    '/** A number in the unit that the name of the setting says, or one with a unit of its own. */',
    "export type Duration = number | bigint | `${number}${'ms' | 's' | 'm' | 'min' | 'h' | 'd' | 'w'}`;",
    '',
    '/** Settings of a broker. */',
    ...interfaceOf('KafkaConfig', brokerConfigs),
    '',
    '/** Settings of a topic; what is left out follows the broker. */',
    ...interfaceOf('KafkaTopicConfig', topicConfigs),
    '',
  ].join('\n');
}

function interfaceOf(name: string, table: Table): string[] {
  const rows = Object.values(table)
    .filter((row) => !saidElsewhere.has(row.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [`export interface ${name} {`, ...rows.flatMap((row) => [`  /** ${docOf(row)} */`, propertyOf(row)]), '}'];
}

function docOf(row: Row): string {
  const doc = row.effect === 'accepted' ? `Accepted, without effect. ${row.doc}` : row.doc;
  if (row.defaultText === null || row.defaultText === '') return doc;
  return `${doc} Default: ${row.defaultText}.`;
}

function propertyOf(row: Row): string {
  const key = /^[a-z]+$/.test(row.name) ? row.name : `'${row.name}'`;
  return `  readonly ${key}?: ${typeOf(row)} | undefined;`;
}

function typeOf(row: Row): string {
  if (row.unit === 'bytes') return 'Bytes';
  if (row.unit !== undefined) return 'Duration';
  if (row.type === 'boolean') return 'boolean';
  if (row.type === 'long') return 'number | bigint';
  if (['int', 'short', 'double'].includes(row.type)) return 'number';
  return row.type === 'list' ? `readonly ${wordsOf(row, '(')}[] | string` : wordsOf(row, '');
}

/** The words that the setting takes, where it takes only some. */
function wordsOf({ valid }: Row, open: '(' | ''): string {
  const listed = /^(\(case insensitive\) )?\[([A-Za-z0-9]+(?:, [A-Za-z0-9]+)*)\]$/.exec(valid);
  if (listed === null) return 'string';
  const words = (listed[2] ?? '').split(', ').map((word) => `'${listed[1] === undefined ? word : word.toLowerCase()}'`);
  return open === '' ? words.join(' | ') : `(${words.join(' | ')})`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../src/embedded/kafka-config.ts'), kafkaConfigSource());
