// docs/semantics.md says for each of Kafka's finer rules which test fails when it is broken. A page of names goes stale in
// silence, so each name is looked up.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/semantics.md'), 'utf8');

interface Line {
  readonly title: string;
  readonly text: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

const lines: readonly Line[] = page
  .split(/^### /m)
  .slice(1)
  .map((part) => {
    const [title = '', ...rest] = part.split('\n');
    const text = rest.join('\n').split(/^## /m, 1)[0] ?? '';
    const tests = Array.from(text.matchAll(/^- `([^`]+)`: `(.+)`$/gm), ([, file = '', name = '']) => ({ file, name }));
    return { title, text, tests };
  });

const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

test('every test that docs/semantics.md names is there', () => {
  const missing = lines.flatMap(({ title, tests }) =>
    tests.flatMap(({ file, name }) => {
      const source = readFileSync(join(root, file), 'utf8');
      return new RegExp(`\\btest\\(\\s*(['"\`])${literally(name)}\\1`).test(source) ? [] : [`${title}: ${file} has no test '${name}'`];
    }),
  );
  assert.deepEqual(missing, []);
});

test('docs/semantics.md has all of the forty rules and the traps on the wire, each with a test', () => {
  const numbers = lines.flatMap(({ title }) => /^(\d+)\. /.exec(title)?.slice(1) ?? []).map(Number);
  assert.deepEqual(
    numbers,
    Array.from({ length: 40 }, (_, at) => at + 1),
  );
  assert.ok(lines.length >= 80, `${lines.length} lines`);
  assert.deepEqual(
    lines.filter(({ tests }) => tests.length === 0).map(({ title }) => title),
    [],
  );
  // A list that is not written as the others are would not be looked up.
  assert.equal(page.match(/^- /gm)?.length, lines.flatMap(({ tests }) => tests).length);
});
