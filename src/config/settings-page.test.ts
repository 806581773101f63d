import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerConfigs } from './broker-configs.ts';
import { rowOf } from './config-table.ts';
import { isMeaninglessHere, passedOver } from './known-elsewhere.ts';
import { settingsPage } from './settings-page.ts';
import { topicConfigs } from './topic-configs.ts';

test('the settings page says what the tables say; if not, run node scripts/generate-settings.ts', () => {
  const committed = readFileSync(join(import.meta.dirname, '../../docs/generated/settings.md'), 'utf8');
  assert.ok(committed === settingsPage(), 'docs/generated/settings.md is out of date');
});

test('the page has a line for every setting and marks those without effect', () => {
  const page = settingsPage();
  for (const name of [...Object.keys(brokerConfigs), ...Object.keys(topicConfigs)]) assert.ok(page.includes(`| \`${name}\` |`), name);
  assert.match(page, /\| `preallocate` \|.*\*Accepted\.\*/);
  assert.doesNotMatch(page, /\| `retention\.ms` \|.*\*Accepted\.\*/);
});

test('the list of what is passed over is sorted, and no name is both passed over and a setting', () => {
  assert.deepEqual(passedOver, passedOver.toSorted());
  for (const name of passedOver) assert.equal(rowOf(brokerConfigs, name.replace(/\*$/, '')), undefined, name);
  assert.ok(isMeaninglessHere('controller.quorum.voters') && isMeaninglessHere('process.roles'));
  assert.ok(!isMeaninglessHere('process.roles.x') && !isMeaninglessHere('log.dirs'));
});
