// Writes docs/generated/clients.md from docs/generated/clients.json; with a report of the client suites, that file first:
//
//   node test/clients/run.ts --all --level 2 --trace --report FILE && node scripts/generate-clients.ts FILE
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apis } from '../src/protocol/messages/index.ts';
import { clientsPage, testedClients, type TestedClient } from '../test/clients/clients-page.ts';

const folder = join(import.meta.dirname, '../docs/generated');
const dataFile = join(folder, 'clients.json');
const [report] = process.argv.slice(2);
if (report !== undefined) writeFileSync(dataFile, `${JSON.stringify(testedClients(readFileSync(report, 'utf8')), undefined, 1)}\n`);

const clients = JSON.parse(readFileSync(dataFile, 'utf8')) as TestedClient[];
const apiNames = [...apis].sort((left, right) => left.key - right.key).map(({ name }) => name);
writeFileSync(join(folder, 'clients.md'), clientsPage(clients, apiNames));
