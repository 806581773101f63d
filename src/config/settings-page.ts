// The reference of all settings, written from the same rows that the broker reads. Text only;
// scripts/generate-settings.ts puts it into docs/generated, and a test notices when that was forgotten.

import { rowOf, type Row, type Table } from './config-table.ts';
import { coordinatorConfigs } from './coordinator-configs.ts';
import { clientMetricsConfigs, groupConfigs } from './group-configs.ts';
import { passedOver } from './known-elsewhere.ts';
import { logConfigs } from './log-configs.ts';
import { networkConfigs } from './network-configs.ts';
import { ownConfigs } from './own-configs.ts';
import { settingSources } from './read-settings.ts';
import { topicConfigs } from './topic-configs.ts';

/** The whole page in Markdown. */
export function settingsPage(): string {
  return [
    '# Settings',
    'Generated from the tables in `src/config` by `node scripts/generate-settings.ts`; do not edit.',
    `A setting may stand in a \`.properties\` file, in the environment, in a flag (\`--set key=value\`) or in the options of a program. Where it stands in several, the later of these wins: default, ${settingSources.join(', ')}.`,
    'A variable is `KAFKA_` (or `KAFKA_CFG_`, or `BUCKETRIDER_`) and the name in capitals, with `_` for a dot, `__` for an underscore and `___` for a dash; with `_FILE` behind it, it names a file that holds the value. `CLUSTER_ID` is `cluster.id`.',
    'There, sizes and durations may carry a unit (`1GiB`, `64MB`, `7d`, `90s`). Clients that set or read settings use plain numbers, as with Kafka.',
    '*Accepted* means that the setting is read, checked and reported, and that nothing changes by it.',
    ...section(
      'Topics',
      'Set for a topic by clients; what is not set for it follows the broker’s setting in the last column.',
      topicConfigs,
      'follows',
    ),
    ...section(
      'Groups',
      'Set for a group by clients; what is not set for it follows the broker’s setting in the last column.',
      groupConfigs,
      'follows',
    ),
    ...section('Client metrics', 'Set for a subscription by clients.', clientMetricsConfigs, 'follows'),
    ...section('Broker: identity, listeners, connections', '', networkConfigs, 'changes'),
    ...section('Broker: logs and topics', '', logConfigs, 'changes'),
    ...section('Broker: groups, transactions, producers', '', coordinatorConfigs, 'changes'),
    ...section('Broker: ours', 'Kafka has no such settings.', ownConfigs, 'changes'),
    '## Passed over',
    'These settings of Kafka have no meaning here. They are taken without being checked, and one notice names those that were met; `*` stands for any ending.',
    passedOver.map((name) => `\`${name}\``).join(', '),
    '',
  ].join('\n\n');
}

function section(title: string, intro: string, table: Table, last: 'follows' | 'changes'): string[] {
  const head = `| Setting | Type | Default | Takes | Meaning | ${last === 'follows' ? 'Follows' : 'Changes'} |\n| --- | --- | --- | --- | --- | --- |`;
  const rows = Object.keys(table)
    .toSorted()
    .map((name) => rowOf(table, name))
    .filter((row) => row !== undefined)
    .map((row) => line(row, last === 'follows' ? follows(row) : row.update === 'read-only' ? 'at start' : 'while it runs'));
  return [`## ${title}`, ...(intro === '' ? [] : [intro]), [head, ...rows].join('\n')];
}

function line(row: Row, last: string): string {
  const value = row.defaultText === null ? 'unset' : row.defaultText === '' ? 'empty' : `\`${row.defaultText}\``;
  const meaning = row.effect === 'accepted' ? `*Accepted.* ${row.doc}` : row.doc;
  const cells = [`\`${row.name}\``, row.unit === undefined ? row.type : `${row.type}, ${row.unit}`, value, row.valid, meaning, last];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const follows = (row: Row): string => row.synonyms.map(({ name }) => `\`${name}\``).join(', ');
