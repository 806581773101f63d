// Writes docs/generated/settings.md from the tables of settings: node scripts/generate-settings.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsPage } from '../src/config/settings-page.ts';

const folder = join(import.meta.dirname, '../docs/generated');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'settings.md'), settingsPage());
