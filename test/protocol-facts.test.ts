// Every table against Kafka's own description of the messages, field by field. The description is a folder of JSON files
// that is not part of this repository; where it is not at hand, the tests say so and are skipped.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { kafkaErrors } from '../src/protocol/errors.ts';
import { requestHeader, responseHeader } from '../src/protocol/headers.ts';
import { apis } from '../src/protocol/messages/index.ts';
import { parseVersions, type Field, type Fields, type Message, type Versions } from '../src/protocol/schema.ts';

const facts = resolve(process.env.KAFKA_PROTOCOL_FACTS ?? join(import.meta.dirname, '../../shared/kafka/protocol'));
const skip = existsSync(facts) ? false : 'Kafka’s message descriptions are not at hand (KAFKA_PROTOCOL_FACTS)';

interface FieldFact {
  name: string;
  type: string;
  versions?: string;
  nullableVersions?: string;
  taggedVersions?: string;
  flexibleVersions?: string;
  tag?: number;
  default?: string | number | boolean;
  ignorable?: boolean;
  mapKey?: boolean;
  fields?: FieldFact[];
}

interface MessageFact {
  name: string;
  type: string;
  apiKey?: number;
  validVersions: string;
  flexibleVersions: string;
  latestVersionUnstable?: boolean;
  listeners?: string[];
  fields: FieldFact[];
  commonStructs?: { name: string; fields: FieldFact[] }[];
}

const read = (path: string): unknown => JSON.parse(readFileSync(join(facts, path), 'utf8'));

async function recordTables(): Promise<Message[]> {
  const folder = join(import.meta.dirname, '../src/protocol/records');
  const tables: Message[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const exported = (await import(join(folder, file))) as Record<string, unknown>;
    for (const value of Object.values(exported)) if (isMessage(value)) tables.push(value);
  }
  return tables;
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'compiled' in value && 'fields' in value;

const intersect = (a: Versions, b: Versions): Versions => ({ min: Math.max(a.min, b.min), max: Math.min(a.max, b.max) });
const show = ({ min, max }: Versions): string => (min > max ? 'never' : `${min}-${max}`);

const camel = (name: string): string =>
  name.startsWith('KRaft') ? `kraft${name.slice('KRaft'.length)}` : name.charAt(0).toLowerCase() + name.slice(1);

/** One line for each field, with what decides its bytes; structs of a field follow it, indented. */
function linesOfTable(fields: Fields, valid: Versions, indent = ''): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = field.fields ?? field.element?.fields;
    const versions = intersect(field.versions, valid);
    const line = [
      `${indent}${name} ${typeOfTable(field)} ${show(versions)} null ${show(intersect(field.nullable, versions))}`,
      field.tag === undefined ? '' : `tag ${field.tag}`,
      `default ${showDefault(field.default as DefaultValue)}`,
      field.ignorable ? 'ignorable' : '',
      field.mapKey ? 'key' : '',
      field.neverCompact ? 'never compact' : '',
    ].join(' ');
    return [line, ...(inner ? linesOfTable(inner, valid, `${indent}  `) : [])];
  });
}

const typeOfTable = (field: Field): string =>
  field.kind === 'array' && field.element ? `[]${typeOfTable(field.element)}` : field.kind === 'int64Big' ? 'int64' : field.kind;

type DefaultValue = string | number | bigint | boolean | null | undefined;

function showDefault(value: DefaultValue): string {
  if (value === undefined) return 'none';
  return value === Number.MAX_SAFE_INTEGER ? '9223372036854775807' : `'${String(value)}'`;
}

const scalars = new Set(['int8', 'int16', 'int32', 'uint16', 'uint32', 'int64', 'float64', 'bool', 'uuid', 'string', 'bytes', 'records']);

function linesOfFact(fields: readonly FieldFact[], valid: Versions, common: ReadonlyMap<string, FieldFact[]>, indent = ''): string[] {
  return fields.flatMap((fact) => {
    const versions = intersect(parseVersions(fact.versions ?? fact.taggedVersions ?? 'none'), valid);
    if (versions.min > versions.max) return [];
    const element = fact.type.replace('[]', '');
    const list = fact.type.startsWith('[]') ? '[]' : '';
    const type = scalars.has(element) ? (element === 'bool' ? 'boolean' : element) : 'struct';
    if (fact.taggedVersions !== undefined) {
      const tagged = intersect(parseVersions(fact.taggedVersions), valid);
      assert.equal(show(tagged), show(versions), `${fact.name}: tagged at some of its versions only, which tables cannot say`);
    }
    const line = [
      `${indent}${camel(fact.name)} ${list}${type} ${show(versions)} null ${show(intersect(parseVersions(fact.nullableVersions ?? 'none'), versions))}`,
      fact.taggedVersions === undefined ? '' : `tag ${fact.tag}`,
      `default ${factDefault(fact)}`,
      fact.ignorable ? 'ignorable' : '',
      fact.mapKey ? 'key' : '',
      fact.flexibleVersions === 'none' ? 'never compact' : '',
    ].join(' ');
    const inner = type === 'struct' ? (fact.fields ?? common.get(element)) : undefined;
    return [line, ...(inner ? linesOfFact(inner, valid, common, `${indent}  `) : [])];
  });
}

function factDefault(fact: FieldFact): string {
  if (fact.default === undefined) return 'none';
  const text = String(fact.default);
  if (text === '9223372036854775807') return text;
  return fact.type.startsWith('int') ? `'${Number(text)}'` : `'${text}'`;
}

/** Structs that are written out once and named again elsewhere in the same message. */
function namedStructs(fact: MessageFact): Map<string, FieldFact[]> {
  const named = new Map((fact.commonStructs ?? []).map(({ name, fields }) => [name, fields]));
  const walk = (fields: readonly FieldFact[]): void => {
    for (const field of fields) {
      if (!field.fields) continue;
      named.set(field.type.replace('[]', ''), field.fields);
      walk(field.fields);
    }
  };
  walk([...fact.fields, ...(fact.commonStructs ?? []).flatMap(({ fields }) => fields)]);
  return named;
}

function assertSame(table: Message, fact: MessageFact): void {
  const valid = parseVersions(fact.validVersions);
  const stable = fact.latestVersionUnstable === true ? valid.max - 1 : valid.max;
  assert.equal(table.name, fact.name);
  assert.equal(table.apiKey, fact.apiKey, `${fact.name}: API key`);
  // A response does not say that its newest version is unstable; its request does.
  assert.deepEqual({ min: table.versions.min, max: table.unstable ?? table.versions.max }, valid, `${fact.name}: versions`);
  if (fact.type === 'request') assert.equal(table.versions.max, stable, `${fact.name}: newest stable version`);
  assert.equal(
    show(intersect(table.flexible, valid)),
    show(intersect(parseVersions(fact.flexibleVersions), valid)),
    `${fact.name}: flexible`,
  );
  const common = namedStructs(fact);
  assert.deepEqual(linesOfTable(table.fields, valid), linesOfFact(fact.fields, valid, common), fact.name);
}

test('the tables of requests and responses say what Kafka says', { skip }, () => {
  const files = readdirSync(join(facts, 'apis')).map((file) => read(join('apis', file)) as MessageFact[]);
  const forClients = files.filter(([request]) => request?.listeners?.includes('broker'));
  assert.deepEqual(
    apis.map(({ key }) => key),
    forClients.map(([request]) => request?.apiKey).sort((a, b) => Number(a) - Number(b)),
  );
  for (const [request, response] of forClients) {
    const api = apis.find(({ key }) => key === request?.apiKey);
    assert.ok(api && request && response);
    assert.equal(`${api.name}Request`, request.name);
    assertSame(api.request, request);
    assertSame(api.response, response);
  }
});

test('the tables of records and files say what Kafka says', { skip }, async () => {
  const tables = new Map([...(await recordTables()), requestHeader, responseHeader].map((table) => [table.name, table]));
  const described = readdirSync(join(facts, 'records')).flatMap((file) => read(join('records', file)) as MessageFact[]);
  assert.deepEqual([...tables.keys()].sort(), described.map(({ name }) => name).sort());
  for (const fact of described) assertSame(tables.get(fact.name)!, fact);
});

test('the error codes are Kafka’s', { skip }, () => {
  const described = (read('errors.json') as { code: number; name: string; retriable: boolean }[]).filter(({ code }) => code !== 0);
  assert.deepEqual(
    Object.entries(kafkaErrors).map(([name, [code, retriable]]) => ({ code, name, retriable })),
    described,
  );
});
