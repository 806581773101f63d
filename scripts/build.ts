// Builds the package into dist/, or into the folder that is named: node scripts/build.ts [FOLDER]
// One bundle per entry point, and in it one file per command that is loaded when it is called: a start reads a few files
// instead of some hundreds (250 small modules cost 70 ms to load, one bundle 5 ms).
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'rolldown';
import { isolatedDeclarationSync } from 'rolldown/experimental';

const root = resolve(import.meta.dirname, '..');

interface Bundle {
  /** Folder under dist/. */
  readonly folder: string;
  readonly entries: Record<string, string>;
  readonly format: 'cjs' | 'esm';
}

const bundles: readonly Bundle[] = [
  // The command line is CommonJS: `bin.cjs` has to parse on Nodes that know nothing else, and it loads quicker.
  { folder: 'cli', entries: { main: 'src/cli/main.ts', thread: 'src/assemble/thread.ts' }, format: 'cjs' },
  // What programs import. jest's own `require` reads no ES modules, so there is a second form for it.
  { folder: 'lib', entries: { index: 'src/index.ts', thread: 'src/assemble/thread.ts' }, format: 'esm' },
  { folder: 'lib', entries: { index: 'src/index.ts', thread: 'src/assemble/thread.ts' }, format: 'cjs' },
];

/** The sources that the types of src/index.ts are in, and lead nowhere out of. */
const declared = ['index', 'embedded/api', 'embedded/errors', 'embedded/kafka-config'];

export async function buildPackage(into: string): Promise<void> {
  rmSync(into, { recursive: true, force: true });
  for (const { folder, entries, format } of bundles) await build(optionsOf(resolve(into, folder), entries, format));
  for (const name of declared) writeDeclarations(name, resolve(into, 'lib'));
  copyFileSync(resolve(root, 'src/cli/bin.cjs'), resolve(into, 'bin.cjs'));
}

function optionsOf(dir: string, entries: Bundle['entries'], format: Bundle['format']): BuildOptions {
  const suffix = format === 'cjs' ? 'cjs' : 'js';
  return {
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, resolve(root, file)])),
    platform: 'node',
    external: [/^@node-rs\//], // native, with a portable fallback inside the bundle
    logLevel: 'warn',
    plugins: [asciiOutput],
    output: {
      dir,
      format,
      comments: { legal: true, annotation: false, jsdoc: false },
      entryFileNames: `[name].${suffix}`,
      chunkFileNames: `[name].${suffix}`,
    },
  };
}

/** V8 keeps a text with a single character beyond Latin-1 in two bytes for each, and Node decodes it twice as slowly. */
const asciiOutput: Plugin = {
  name: 'ascii-output',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle))
      if (chunk.type === 'chunk')
        chunk.code = chunk.code.replaceAll(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  },
};

/** One file at a time, without a type checker: what is exported says its types. @throws Error where something does not */
function writeDeclarations(name: string, into: string): void {
  const source = resolve(root, `src/${name}.ts`);
  const { code, errors } = isolatedDeclarationSync(source, readFileSync(source, 'utf8'));
  if (errors.length > 0) throw new Error(errors.map(({ message }) => `${source}: ${message}`).join('\n'));
  const plain = code.replaceAll(/^(\s*)override /gm, '$1');
  for (const { suffix, imports } of [
    { suffix: 'd.ts', imports: 'js' },
    { suffix: 'd.cts', imports: 'cjs' },
  ]) {
    const file = resolve(into, `${name}.${suffix}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `/// <reference types="node" />\n${plain.replaceAll(/(from "\.[^"]*)\.ts"/g, `$1.${imports}"`)}`);
  }
}

if (import.meta.main) await buildPackage(resolve(root, process.argv[2] ?? 'dist'));
