// Settings from everywhere they may be written, put together in one order, each remembering where it came from:
// defaults < presets < files < KAFKA_CFG_ < KAFKA_ < BUCKETRIDER_ variables < flags < options of the program.
// Touches neither the process nor the disk: the caller passes the environment and a way to read files, or leaves them out.

import {
  brokerConfigs,
  resolveBrokerConfig,
  withNodeId,
  type BrokerConfig,
  type BrokerConfigName,
  type ConfigTexts,
} from './broker-configs.ts';
import { parseChecked, rowOf, type Row } from './config-table.ts';
import { ConfigError } from './config-value.ts';
import { readVariables, variableName } from './environment.ts';
import { isJavaPolicy, isMeaninglessHere, replacementOf } from './known-elsewhere.ts';
import { parseProperties } from './properties.ts';
import { suggest } from './suggest.ts';
import { topicConfigs } from './topic-configs.ts';
import { plainText } from './written-values.ts';

/** Where a setting may come from, the weakest first. */
export const settingSources = [
  'preset',
  'file',
  'KAFKA_CFG_ variable',
  'KAFKA_ variable',
  'BUCKETRIDER_ variable',
  'flag',
  'option',
] as const;
export type SettingSource = (typeof settingSources)[number];

/** Options of a program: typed, or text as in a file. Undefined and null leave a setting as it is. */
export type SettingOptions = { readonly [Name in BrokerConfigName]?: BrokerConfig[Name] | string | bigint | undefined };

export interface SettingsInput {
  /** What the caller prefers to the defaults, where nobody says otherwise. */
  readonly presets?: SettingOptions;
  /** Paths of .properties files; later ones win. Needs `readFile`. */
  readonly files?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** `key=value`, as given to --set; later ones win. */
  readonly flags?: readonly string[];
  readonly options?: SettingOptions;
  readonly readFile?: (path: string) => Promise<Uint8Array>;
  /** Unknown names in files, flags and options are warned of instead of refused. */
  readonly lenient?: boolean;
}

export interface Setting {
  readonly name: string;
  /** In Kafka's form; this is what is in force and what clients are told. */
  readonly text: string;
  /** As it was written: `7d`. */
  readonly written: string;
  readonly source: SettingSource;
  /** Where exactly: `server.properties:12`, `KAFKA_LOG_DIRS`, `--set`. */
  readonly origin: string;
  /** What the same setting was given at weaker places, the strongest first. */
  readonly hides: readonly Setting[];
}

export interface SettingsNotice {
  readonly level: 'notice' | 'warning';
  /** One sentence for a person; holds names and places, and no value of an unknown name. */
  readonly message: string;
}

export interface Settings {
  readonly config: BrokerConfig;
  /** What was set, by name. What is not in here has its default. */
  readonly set: ReadonlyMap<string, Setting>;
  /** The static level for DescribeConfigs. */
  readonly texts: ConfigTexts;
  readonly notices: readonly SettingsNotice[];
}

/** Something is wrong with the settings; `problems` holds a sentence for each, with its place and, where there is one, the remedy. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? problems[0]
        : `${problems.length} settings are wrong:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** A value somebody wrote, not yet looked at. */
interface Writing {
  readonly name: string;
  readonly written: string;
  readonly source: SettingSource;
  readonly origin: string;
  /** The value comes out of a file of its own and may be a secret, whatever the name says: it is never repeated. */
  readonly secret?: boolean;
}

/** What is found out on the way; everything is told at once at the end. */
interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
  readonly unknownVariables: string[];
  readonly meaningless: string[];
}

/**
 * @throws SettingsError with everything that is wrong, not only the first
 */
export async function readSettings(input: SettingsInput): Promise<Settings> {
  const findings: Findings = { problems: [], warnings: [], unknownVariables: [], meaningless: [] };
  const writings = [
    ...optionWritings(input.presets, 'preset', 'preset'),
    ...(await fileWritings(input, findings)),
    ...(await variableWritings(input, findings)),
    ...flagWritings(input.flags ?? [], findings),
    ...optionWritings(input.options, 'option', 'option'),
  ].toSorted((a, b) => settingSources.indexOf(a.source) - settingSources.indexOf(b.source));
  const set = new Map<string, Setting>();
  for (const writing of writings) {
    const row = rowOf(brokerConfigs, writing.name);
    if (row === undefined) noteUnknown(writing, input.lenient ?? false, findings);
    else takeSetting(set, row, writing, findings);
  }
  const notices = [...lowerReplication(set), ...grouped(findings)];
  if (findings.problems.length > 0) throw new SettingsError(findings.problems);
  const texts = withNodeId(new Map([...set].map(([name, { text }]) => [name, text])));
  try {
    return { config: resolveBrokerConfig({ static: texts }), set, texts, notices };
  } catch (error) {
    if (error instanceof ConfigError) throw new SettingsError([error.message]);
    throw error;
  }
}

async function fileWritings({ files = [], readFile }: SettingsInput, findings: Findings): Promise<Writing[]> {
  const writings: Writing[] = [];
  for (const path of files) {
    const text = await readText(path, readFile, path, findings);
    if (text === undefined) continue;
    try {
      const lines = new Map<string, number>();
      for (const { key, value, line } of parseProperties(text)) {
        const earlier = lines.get(key);
        if (earlier !== undefined) findings.warnings.push(`${path}:${line} sets ${key} again after line ${earlier}; the last one counts.`);
        lines.set(key, line);
        writings.push({ name: key, written: value, source: 'file', origin: `${path}:${line}` });
      }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      findings.problems.push(`${path}: ${error.message}`);
    }
  }
  return writings;
}

async function variableWritings({ environment = {}, readFile }: SettingsInput, findings: Findings): Promise<Writing[]> {
  const writings: Writing[] = [];
  const variables = readVariables(environment);
  for (const { variable, name, source, isPath, text } of variables) {
    if (!isPath) {
      writings.push({ name, written: text, source, origin: variable });
      continue;
    }
    const plain = variable.slice(0, -'_FILE'.length);
    if (environment[plain] !== undefined) {
      findings.problems.push(`${variable} and ${plain} are both set; remove one.`);
      continue;
    }
    const content = await readText(text, readFile, variable, findings);
    if (content !== undefined) writings.push({ name, written: content.replace(/\r?\n$/, ''), source, origin: variable, secret: true });
  }
  return writings;
}

async function readText(path: string, readFile: SettingsInput['readFile'], asker: string, findings: Findings): Promise<string | undefined> {
  if (readFile === undefined) {
    findings.problems.push(`${asker} names a file, and files are not read here.`);
    return undefined;
  }
  try {
    return new TextDecoder().decode(await readFile(path));
  } catch (error) {
    findings.problems.push(`${asker}: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function flagWritings(flags: readonly string[], findings: Findings): Writing[] {
  const writings: Writing[] = [];
  for (const flag of flags) {
    const equals = flag.indexOf('=');
    if (equals > 0) writings.push({ name: flag.slice(0, equals).trim(), written: flag.slice(equals + 1), source: 'flag', origin: '--set' });
    else findings.problems.push('--set takes key=value, for instance --set log.retention.ms=7d.');
  }
  return writings;
}

function optionWritings(options: SettingOptions | undefined, source: SettingSource, origin: string): Writing[] {
  return Object.entries(options ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ({ name, written: Array.isArray(value) ? value.join(',') : String(value), source, origin }));
}

/** Names for the same thing: one of them at a stronger place hides all of them at weaker places. */
const families: readonly (readonly string[])[] = [
  ['node.id', 'broker.id'],
  ['log.dirs', 'log.dir'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
];

/** Called from the weakest place to the strongest, so whatever is there already is hidden. */
function takeSetting(set: Map<string, Setting>, row: Row, { name, written, source, origin, secret }: Writing, findings: Findings): void {
  let text: string;
  try {
    text = plainText(row, written);
    parseChecked(row, text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    findings.problems.push(
      secret === true ? `${origin}: the content of the file is not a value of ${name}` : `${origin}: ${error.message}`,
    );
    return;
  }
  const hides: Setting[] = [];
  for (const same of families.find((family) => family.includes(name)) ?? [name]) {
    const weaker = set.get(same);
    if (weaker === undefined || (same !== name && weaker.source === source)) continue;
    hides.push(weaker, ...weaker.hides);
    set.delete(same);
  }
  set.set(name, { name, text, written, source, origin, hides });
}

function noteUnknown({ name, source, origin }: Writing, lenient: boolean, findings: Findings): void {
  const isVariable = source.endsWith('variable');
  if (isJavaPolicy(name)) {
    findings.problems.push(
      `${origin}: ${name} names a Java class that decides what clients may do; it cannot be loaded here, and nothing would take its place. Remove the setting.`,
    );
    return;
  }
  if (isMeaninglessHere(name)) {
    findings.meaningless.push(isVariable ? origin : `${name} (${origin})`);
    return;
  }
  const remedy = remedyFor(name, isVariable ? variablePrefix(source) : undefined);
  const shown = escaped(name);
  if (isVariable) findings.unknownVariables.push(`${escaped(origin)}${remedy === undefined ? '' : ` (${remedy})`}`);
  else
    (lenient ? findings.warnings : findings.problems).push(
      `${origin}: there is no setting '${shown}'${remedy === undefined ? '.' : `; ${remedy}`}`,
    );
}

const variablePrefix = (source: SettingSource): string => source.replace(' variable', '');

function remedyFor(name: string, prefix: string | undefined): string | undefined {
  const replacement = replacementOf(name);
  if (replacement !== undefined) return `use ${replacement}`;
  const ofTopics = rowOf(topicConfigs, name)?.synonyms[0]?.name;
  if (ofTopics !== undefined)
    return `topics have it, and for all of them it is ${prefix === undefined ? ofTopics : variableName(ofTopics, prefix)}`;
  const near = suggest(name, Object.keys(brokerConfigs));
  return near === undefined ? undefined : `did you mean ${prefix === undefined ? near : variableName(near, prefix)}?`;
}

/** A name that somebody else chose, fit for a log line. */
const escaped = (name: string): string => JSON.stringify(name.slice(0, 200)).slice(1, -1);

/** Internal topics that ask for more replicas than there are brokers get as many as there are: one. */
const internalTopics: readonly (readonly [replicas: string, inSync: string | undefined])[] = [
  ['offsets.topic.replication.factor', undefined],
  ['transaction.state.log.replication.factor', 'transaction.state.log.min.isr'],
  ['share.coordinator.state.topic.replication.factor', 'share.coordinator.state.topic.min.isr'],
];

function lowerReplication(set: Map<string, Setting>): SettingsNotice[] {
  const lowered: string[] = [];
  for (const name of internalTopics.flat()) {
    const setting = name === undefined ? undefined : set.get(name);
    if (setting === undefined || Number(setting.text) <= 1) continue;
    set.set(setting.name, { ...setting, text: '1' });
    lowered.push(`${setting.name}=${setting.text} (${setting.origin})`);
  }
  return lowered.length === 0 ? [] : [{ level: 'notice', message: `Lowered to 1, since there is one broker: ${lowered.join(', ')}.` }];
}

function grouped({ warnings, unknownVariables, meaningless }: Findings): SettingsNotice[] {
  const notices: SettingsNotice[] = warnings.map((message) => ({ level: 'warning', message }));
  if (unknownVariables.length > 0)
    notices.push({
      level: 'warning',
      message: `These environment variables look like settings and are not known: ${unknownVariables.join(', ')}.`,
    });
  if (meaningless.length > 0)
    notices.push({
      level: 'notice',
      message: `These settings of Kafka have no meaning here and are passed over: ${meaningless.join(', ')}.`,
    });
  return notices;
}
