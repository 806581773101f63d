// Writes docs/generated/support.md from the table of handlers: node scripts/generate-support.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apis } from '../src/handlers/index.ts';
import { supportPage } from '../src/handlers/support-page.ts';

const folder = join(import.meta.dirname, '../docs/generated');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'support.md'), supportPage(apis));
