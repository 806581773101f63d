// What a test file pays for the embedded broker: importing the package, starting the first broker of a process, starting
// another one, stopping. Beside it what Node itself costs. Each figure is of a process of its own; rounds are interleaved,
// so that what else the machine does hits all alike, and the least of them is the one to compare.
//   node scripts/build.ts && node bench/embedded.ts [ROUNDS]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const rounds = Number(process.argv[2] ?? 20);
const entry = JSON.stringify(pathToFileURL(resolve(import.meta.dirname, '../dist/lib/index.js')).href);
const scratch = mkdtempSync(join(tmpdir(), 'bucketrider-bench-'));
const clients = ['kafkajs', '@platformatic/kafka'].map((name) => JSON.stringify(import.meta.resolve(name)));

/** Times in ms by name, printed by the program as JSON. */
const measured = (before: string, steps: string): string => `
${before}
const times = {};
let from = performance.now();
const step = (name) => { const now = performance.now(); times[name] = now - from; from = performance.now(); };
${steps}
console.log(JSON.stringify(times));
process.exit();`;

const life = (options: string): string => `
const { startBroker } = await import(${entry});
step('import bucketrider');
const first = await startBroker(${options});
step('start the first broker');
await first.produce('orders', 'a');
step('produce the first record');
await first.stop();
step('stop it');
const second = await startBroker({ topics: ['orders'] });
step('start another');
await second.stop();`;

const programs: Record<string, string> = {
  'an empty module': measured('', `await import(${JSON.stringify(pathToFileURL(join(scratch, 'empty.js')).href)}); step('import');`),
  // The least that anything costs that listens where the broker does.
  'node:net on 127.0.0.1 and ::1': measured(
    `const { createServer } = await import('node:net');`,
    `for (const host of ['127.0.0.1', '::1']) await new Promise((done) => createServer().listen(0, host, done).once('error', done)); step('listen');`,
  ),
  'in memory, bare process': measured('', life(`{ topics: ['orders'] }`)),
  'in memory, beside kafkajs and @platformatic/kafka': measured(
    clients.map((client) => `await import(${client});`).join('\n'),
    life(`{ topics: ['orders'] }`),
  ),
  'on the disk, bare process': measured(
    '',
    life(`{ topics: ['orders'], storage: { dir: await mkdtemp(${JSON.stringify(join(scratch, 'data-'))}) } }`),
  ),
};

function milliseconds(run: () => void): number {
  const from = performance.now();
  run();
  return performance.now() - from;
}

const figures = new Map<string, number[]>();
const note = (name: string, ms: number): void => void (figures.get(name) ?? figures.set(name, []).get(name))?.push(ms);

try {
  writeFileSync(join(scratch, 'empty.js'), 'export {};\n');
  for (const [name, source] of Object.entries(programs))
    writeFileSync(join(scratch, `${name.replaceAll(/\W+/g, '-')}.mjs`), `import { mkdtemp } from 'node:fs/promises';\n${source}`);
  for (let round = 0; round < rounds; round += 1) {
    note(
      'node -e 0',
      milliseconds(() => execFileSync(process.execPath, ['-e', '0'])),
    );
    for (const name of Object.keys(programs)) {
      const output = execFileSync(process.execPath, [join(scratch, `${name.replaceAll(/\W+/g, '-')}.mjs`)], { encoding: 'utf8' });
      for (const [step, ms] of Object.entries(JSON.parse(output) as Record<string, number>)) note(`${name}: ${step}`, ms);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

console.log(`${''.padEnd(78)}  least  median   (ms, ${rounds} processes each, Node ${process.version})`);
for (const [name, values] of figures) {
  const sorted = values.toSorted((a, b) => a - b);
  console.log(`${name.padEnd(78)} ${[sorted[0], sorted[sorted.length >> 1]].map((ms) => (ms ?? 0).toFixed(1).padStart(6)).join('  ')}`);
}
