// The page of faults names tests; a name that no test has any more would be a promise that nothing shows.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const read = (pattern: string): string =>
  globSync(pattern, { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');

/** The last column of each row, without its padding; a row may name several cases. */
const named = readFileSync(join(root, 'docs/faults.md'), 'utf8')
  .split('\n')
  .map((line) => /^\|.*\| (.+?) +\|$/.exec(line)?.[1])
  .filter((text) => text !== undefined && text !== 'test' && !/^-+$/.test(text))
  .flatMap((text) => (text?.startsWith('_') === true ? text.split(/, (?=_)/) : [text ?? '']));

test('every test that the page of faults names is there', () => {
  const tests = read('{src,test}/**/*.test.ts');
  const cases = read('test/faults/cases-*.ts');
  assert.ok(named.length > 50, `${named.length} names were found`);
  for (const name of named) {
    const text = name.replaceAll('_', '').replaceAll('\\', '');
    if (!name.startsWith('_'))
      assert.ok(tests.includes(`test('${text}`) || tests.includes(`test(\`${text}`), `no test is called "${text}"`);
    else assert.ok(cases.includes(text) || partsAreIn(cases, text), `no case of test/faults begins with "${text}"`);
  }
});

/** Names of cases that are put together from the kind, its damages and what comes of it. */
function partsAreIn(cases: string, text: string): boolean {
  const [, after = '', what = '', outcome = ''] = /^after (a kill|a clean stop) a (.+) \(.+\) (.+)$/.exec(text) ?? [];
  const [, , medium = ''] = /^on (a|an) (tmpfs|ext4) that is full$/.exec(text) ?? [];
  if (medium !== '') return cases.includes(`filled('a${medium === 'ext4' ? 'n' : ''} ${medium}'`);
  return after !== '' && cases.includes(`'${after}'`) && cases.includes(`what: '${what}'`) && cases.includes(`outcome: '${outcome}'`);
}
