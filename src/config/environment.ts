// Environment variables as settings: KAFKA_ and BUCKETRIDER_ as Kafka's own image reads them, KAFKA_CFG_ as Bitnami's does,
// CLUSTER_ID, and the suffix _FILE for values that a secret mount holds. Which variable means which name; nothing is read here.

import { brokerConfigs } from './broker-configs.ts';
import { rowOf } from './config-table.ts';
import { isForeignVariable } from './known-elsewhere.ts';

export type VariableSource = 'KAFKA_CFG_ variable' | 'KAFKA_ variable' | 'BUCKETRIDER_ variable';

export interface Variable {
  readonly variable: string;
  readonly name: string;
  readonly source: VariableSource;
  /** The variable holds the path of a file that holds the value. */
  readonly isPath: boolean;
  readonly text: string;
}

const prefixes: readonly (readonly [prefix: string, source: VariableSource])[] = [
  ['KAFKA_CFG_', 'KAFKA_CFG_ variable'],
  ['KAFKA_', 'KAFKA_ variable'],
  ['BUCKETRIDER_', 'BUCKETRIDER_ variable'],
];

/** Variables with a meaning that the rule of names does not give. */
const special: Readonly<Record<string, string>> = { CLUSTER_ID: 'cluster.id', KAFKA_KRAFT_CLUSTER_ID: 'cluster.id' };

/** Every variable that stands for a setting, known or not, in the order of their names; foreign and empty-named ones are left out. */
export function readVariables(environment: Readonly<Record<string, string | undefined>>): Variable[] {
  const variables: Variable[] = [];
  for (const variable of Object.keys(environment).toSorted()) {
    const text = environment[variable];
    if (text === undefined) continue;
    const name = Object.hasOwn(special, variable) ? special[variable] : undefined;
    if (name !== undefined) variables.push({ variable, name, source: 'KAFKA_ variable', isPath: false, text });
    if (name !== undefined || isForeignVariable(variable)) continue;
    const found = prefixes.find(([prefix]) => variable.startsWith(prefix) && variable.length > prefix.length);
    if (found !== undefined) variables.push({ variable, source: found[1], text, ...named(variable.slice(found[0].length)) });
  }
  return variables;
}

/** `X_FILE` is the file of `X` where `X` is a setting and `X_FILE` is not (some of Kafka's names end in .file). */
function named(rest: string): { name: string; isPath: boolean } {
  const name = settingName(rest);
  if (rowOf(brokerConfigs, name) === undefined && rest.endsWith('_FILE')) {
    const base = settingName(rest.slice(0, -'_FILE'.length));
    if (rowOf(brokerConfigs, base) !== undefined) return { name: base, isPath: true };
  }
  return { name, isPath: false };
}

/** Kafka's rule: one underscore is a dot, two are an underscore, three a dash. */
export function settingName(withoutPrefix: string): string {
  return withoutPrefix.toLowerCase().replaceAll(/_{1,3}/g, (run) => ['.', '_', '-'][run.length - 1] ?? '.');
}

/** The variable that sets a name; the reverse of `settingName`. */
export function variableName(name: string, prefix = 'KAFKA_'): string {
  return prefix + name.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase();
}
