// The map of folders, kept by a test: imports point one way, and no import closes a circle.
// Reads the import lines of every source file; a new folder must be given its place here before it can be imported.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

/** Each folder under src/, and the folders it may import from besides itself. */
const mayImport: Record<string, readonly string[]> = {
  base: [],
  config: ['base'],
  protocol: ['base'],
  storage: ['base', 'config', 'protocol'],
  broker: ['base', 'config', 'protocol', 'storage'],
  handlers: ['base', 'config', 'protocol', 'storage', 'broker'],
  server: ['base', 'config', 'protocol', 'storage', 'broker', 'handlers'],
  assemble: ['base', 'config', 'protocol', 'storage', 'broker', 'handlers', 'server'],
  client: ['base', 'protocol'],
  embedded: ['base', 'config', 'protocol', 'storage', 'broker', 'handlers', 'server', 'assemble'],
  cli: ['base', 'config', 'protocol', 'client', 'storage', 'broker', 'handlers', 'server', 'assemble'],
  sim: ['base', 'config', 'protocol', 'client', 'storage', 'broker', 'handlers', 'server', 'assemble'],
};

/** Modules of the platform that only the environment may touch, and the one place that makes it. */
const platformModules = new Set([
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:zlib',
  'node:timers',
  'node:timers/promises',
  'node:dns',
  'node:crypto',
]);
const platformGlobals =
  /\b(Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|setImmediate|Math\.random|queueMicrotask|process\.nextTick)\b/;
const platformHome = 'src/base/real/';

const root = resolve(import.meta.dirname, '..');
const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)));
const production = sources.filter((file) => !file.endsWith('.test.ts') && !file.endsWith('.testing.ts'));

function importsOf(file: string): { specifier: string; typeOnly: boolean }[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)].map((found) => ({
    specifier: found[2] ?? '',
    typeOnly: found[1] !== undefined,
  }));
}

const folderOf = (file: string): string => file.split('/')[1]?.replace(/\.ts$/, '') ?? '';
const target = (file: string, specifier: string): string => relative(root, resolve(root, dirname(file), specifier));

test('imports between folders point the way of the map', () => {
  const wrong: string[] = [];
  for (const file of production) {
    if (file.split('/').length < 3) continue; // src/index.ts: the door of the package, it may name anything it offers
    const allowed = mayImport[folderOf(file)];
    assert.ok(allowed, `${file}: its folder has no place in the map of test/layers.test.ts`);
    for (const { specifier } of importsOf(file)) {
      if (!specifier.startsWith('.')) continue;
      const into = target(file, specifier);
      if (into === 'package.json') continue; // the manifest knows the version
      assert.ok(into.startsWith('src/'), `${file} imports ${into}, which is not a source of the package`);
      if (folderOf(into) !== folderOf(file) && !allowed.includes(folderOf(into))) wrong.push(`${file} -> ${into}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the platform is touched only where the environment is made', () => {
  const wrong: string[] = [];
  for (const file of production) {
    if (file.startsWith(platformHome) || file.startsWith('src/cli/')) continue;
    for (const { specifier, typeOnly } of importsOf(file))
      if (platformModules.has(specifier) && !typeOnly) wrong.push(`${file} imports ${specifier}`);
    const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const found = platformGlobals.exec(code);
    if (found) wrong.push(`${file} uses ${found[1]}`);
  }
  assert.deepEqual(wrong, []);
});

test('no import closes a circle', () => {
  const edges = new Map(
    production.map((file) => [
      file,
      importsOf(file)
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .map(({ specifier }) => target(file, specifier)),
    ]),
  );
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) assert.fail(`a circle of imports: ${[...path.slice(at), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of production) walk(file, []);
});
