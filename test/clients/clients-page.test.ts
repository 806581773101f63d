import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { apis as served } from '../../src/handlers/index.ts';
import { apis } from '../../src/protocol/messages/index.ts';
import { clientsPage, testedClients, type TestedClient } from './clients-page.ts';
import { suites } from './suites.ts';

const generated = join(import.meta.dirname, '../../docs/generated');
const clients = JSON.parse(readFileSync(join(generated, 'clients.json'), 'utf8')) as TestedClient[];
const apiNames = [...apis].sort((left, right) => left.key - right.key).map(({ name }) => name);

test('the page of tested clients says what its data say; if not, run node scripts/generate-clients.ts', () => {
  const committed = readFileSync(join(generated, 'clients.md'), 'utf8');
  assert.ok(committed === clientsPage(clients, apiNames), 'docs/generated/clients.md is out of date');
});

test('the page tells of every suite, and what each asked for is served', () => {
  assert.deepEqual(new Set(clients.map(({ suite }) => suite)), new Set(suites.map(({ name }) => name)));
  for (const { suite, client, version, passed, apis: asked } of clients) {
    assert.ok(client !== 'unknown' && version !== 'unknown', suite);
    assert.ok((passed[1] ?? 0) > 5 && (passed[2] ?? 0) > 5, `${suite} passed ${JSON.stringify(passed)}`);
    assert.ok(asked['Produce'] && asked['Fetch'] && asked['Metadata'], suite);
    for (const [name, versions] of Object.entries(asked)) {
      const api = [...served.values()].find((one) => one.name === name);
      assert.ok(api, `${suite} asked for ${name}, which is not served`);
      // ApiVersions in a newer version is answered with the one we have.
      for (const one of versions) assert.ok((api.minVersion <= one && one <= api.maxVersion) || name === 'ApiVersions', `${name} v${one}`);
    }
  }
});

/** Where the version of each client is pinned, and how it is written there. */
const pins: Readonly<Record<string, { file: string; text: (version: string) => string }>> = {
  kafkajs: { file: '../../package.json', text: (version) => `"kafkajs": "${version}"` },
  platformatic: { file: '../../package.json', text: (version) => `"@platformatic/kafka": "${version}"` },
  java: { file: 'java/pom.xml', text: (version) => `<artifactId>kafka-clients</artifactId>\n      <version>${version}</version>` },
  'go-franz': { file: 'go-franz/go.mod', text: (version) => `github.com/twmb/franz-go v${version}\n` },
  'go-sarama': { file: 'go-sarama/go.mod', text: (version) => `github.com/IBM/sarama v${version}\n` },
  'kafka-python': { file: 'python/requirements.txt', text: (version) => `kafka-python==${version}\n` },
  'librdkafka-python': { file: 'python/requirements.txt', text: (version) => `confluent-kafka==${version.split('+')[0]}\n` },
};

for (const [suite, { file, text }] of Object.entries(pins)) {
  test(`the page speaks of the ${suite} client that is pinned; if not, run the suites again`, () => {
    const version = clients.find((client) => client.suite === suite)?.version ?? '';
    assert.ok(readFileSync(join(import.meta.dirname, file), 'utf8').includes(text(version)), `${file} has another version than ${version}`);
  });
}

const client = { kind: 'client', suite: 'one', client: 'lib', version: '1.0', ms: 5 };
const used = [
  { api: 'Fetch', version: 11, count: 1 },
  { api: 'Fetch', version: 4, count: 9 },
];
const reportOf = (...lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

test('of a report stay the client, its API versions, and how many checks held at each level', () => {
  const report = reportOf(
    { ...client, apis: used },
    { kind: 'check', suite: 'one', check: 'a', outcome: 'passed', level: 1, ms: 1 },
    { kind: 'check', suite: 'one', check: 'b', outcome: 'passed', level: 2, ms: 1 },
    { kind: 'check', suite: 'one', check: 'c', outcome: 'cannot', why: 'no means', level: 2, ms: 1 },
    { kind: 'check', suite: 'broker', check: 'ends', outcome: 'passed', ms: 0 },
  );
  const tested = testedClients(report);
  assert.deepEqual(tested, [{ suite: 'one', client: 'lib', version: '1.0', passed: { 1: 1, 2: 1 }, cannot: 1, apis: { Fetch: [4, 11] } }]);
  assert.match(clientsPage(tested, ['Produce', 'Fetch']), /^\| one \| lib \| 1\.0 \| 1 \| 1 \| 1 \|$/m);
  assert.match(clientsPage(tested, ['Produce', 'Fetch']), /^\| Fetch \| 4, 11 \|$/m);
});

test('no page is made of a run in which a check failed, or whose requests were not seen', () => {
  assert.throws(() => testedClients(reportOf(client)), /--trace/);
  assert.throws(
    () => testedClients(reportOf({ ...client, apis: used }, { kind: 'check', suite: 'one', check: 'a', outcome: 'failed', ms: 1 })),
    /1 failed/,
  );
});
