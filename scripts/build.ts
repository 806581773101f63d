// Builds the package into dist/, or into the folder that is named: node scripts/build.ts [FOLDER]
// One bundle per entry point, and in it one file per command that is loaded when it is called: a start reads a few files
// instead of some hundreds (250 small modules cost 70 ms to load, one bundle 5 ms).
import { copyFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { build, type BuildOptions } from 'rolldown';

const root = resolve(import.meta.dirname, '..');

interface Bundle {
  /** Folder under dist/. */
  readonly folder: string;
  readonly entries: Record<string, string>;
  readonly format: 'cjs' | 'esm';
}

const bundles: readonly Bundle[] = [
  // The command line is CommonJS: `bin.cjs` has to parse on Nodes that know nothing else, and it loads quicker.
  { folder: 'cli', entries: { main: 'src/cli/main.ts' }, format: 'cjs' },
];

export async function buildPackage(into: string): Promise<void> {
  rmSync(into, { recursive: true, force: true });
  for (const { folder, entries, format } of bundles) await build(optionsOf(resolve(into, folder), entries, format));
  copyFileSync(resolve(root, 'src/cli/bin.cjs'), resolve(into, 'bin.cjs'));
}

function optionsOf(dir: string, entries: Bundle['entries'], format: Bundle['format']): BuildOptions {
  const suffix = format === 'cjs' ? 'cjs' : 'js';
  return {
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, resolve(root, file)])),
    platform: 'node',
    external: [/^@node-rs\//], // native, with a portable fallback inside the bundle
    logLevel: 'warn',
    output: { dir, format, entryFileNames: `[name].${suffix}`, chunkFileNames: `[name].${suffix}` },
  };
}

if (import.meta.main) await buildPackage(resolve(root, process.argv[2] ?? 'dist'));
