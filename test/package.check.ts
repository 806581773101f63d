// The package as a user gets it: packed, installed into an empty project without any install script, run and imported
// there. Takes half a minute and the registry (kafkajs and @types/node for that project), so it is not part of `npm test`:
// node --test test/package.check.ts
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { topicsByRegex } from './regex-subscriber.testing.ts';

const root = resolve(import.meta.dirname, '..');
const run = promisify(execFile);
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

let scratch: string;
let project: string;
let tarball: { filename: string; size: number; files: { path: string }[] };

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(resolve(project, name, '..'), { recursive: true });
    await writeFile(join(project, name), content);
  }
}

/** Standard output of a program in the project. @throws when it fails */
async function inProject(program: string, ...words: string[]): Promise<string> {
  const { stdout } = await run(program, words, { cwd: project, timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' } });
  return stdout;
}

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bucketrider-package-'));
  project = join(scratch, 'project');
  await mkdir(project);
  const packed = await run(npm, ['pack', '--json', '--pack-destination', scratch], { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  // `prepare` builds first and may print too.
  [tarball] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n'))) as [typeof tarball];
  await write({ 'package.json': JSON.stringify({ name: 'consumer', private: true, type: 'module' }) });
  const { kafkajs, '@types/node': types } = manifest.devDependencies;
  const quietly = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await inProject(npm, ...quietly, join(scratch, tarball.filename), `kafkajs@${kafkajs}`, `@types/node@${types}`);
});

after(() => rm(scratch, { recursive: true, force: true }));

test('the tarball holds what runs, its types, and nothing else', async () => {
  const paths = tarball.files.map(({ path }) => path);
  for (const needed of [
    'LICENSE',
    'README.md',
    'package.json',
    'dist/bin.cjs',
    'dist/lib/index.js',
    'dist/lib/index.cjs',
    'dist/lib/index.d.ts',
  ])
    assert.ok(paths.includes(needed), needed);
  const strangers = paths.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/.*\.(js|cjs|d\.ts|d\.cts))$/.test(path));
  assert.deepEqual(strangers, []);
  assert.ok(tarball.size < 2 * 1024 * 1024, `${tarball.size} bytes`);
  for (const path of paths.filter((name) => name.startsWith('dist/'))) {
    const text = await readFile(join(project, 'node_modules/bucketrider', path), 'utf8');
    assert.ok(!text.includes(root), `${path} names a directory of the machine that built it`);
  }
});

test('nothing that is installed with it has an install script', async () => {
  const lock = JSON.parse(await readFile(join(project, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  assert.ok(Object.keys(lock.packages).includes('node_modules/bucketrider'));
  assert.deepEqual(
    Object.entries(lock.packages).flatMap(([name, { hasInstallScript }]) => (hasInstallScript === true ? name : [])),
    [],
  );
  const { scripts = {} } = JSON.parse(await readFile(join(project, 'node_modules/bucketrider/package.json'), 'utf8')) as {
    scripts?: Record<string, string>;
  };
  assert.deepEqual(
    Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name)),
    [],
  );
});

const produce = `
  import kafkajs from 'kafkajs';
  const producer = new kafkajs.Kafka({ brokers: [process.argv[2]], logLevel: 0 }).producer();
  await producer.connect();
  const [{ baseOffset }] = await producer.send({ topic: 'orders', messages: [{ key: 'a', value: '1' }, { key: 'b', value: '2' }] });
  await producer.disconnect();
  console.log('offset', baseOffset);
`;

/** A broker as npx runs it, for the duration of `work`. */
async function whileNpxRuns(flags: readonly string[], work: (address: string) => Promise<void>): Promise<void> {
  const words = ['--no-install', 'bucketrider', 'start', '--port', '0', ...flags];
  // A group of its own: a signal reaches npx and what it runs, as Ctrl-C in a terminal does. `close` comes when both are gone.
  const broker = spawn('npx', words, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const closed = once(broker, 'close');
  try {
    const address = await new Promise<string>((resolve, reject) => {
      createInterface(broker.stdout)
        .on('line', (line) => {
          const said = /^ready (\S+)$/.exec(line)?.[1];
          if (said !== undefined) resolve(said);
        })
        .once('close', () => reject(new Error('it ended without having said where it listens')));
    });
    await work(address);
  } finally {
    process.kill(-(broker.pid ?? 0), 'SIGTERM');
    await closed;
  }
}

test('npx bucketrider says its version, and runs a broker that kafkajs produces to', async () => {
  assert.equal((await inProject('npx', '--no-install', 'bucketrider', '--version')).trim(), manifest.version);
  await write({ 'produce.mjs': produce });
  await whileNpxRuns(['--data', join(scratch, 'data')], async (address) => {
    assert.equal(await inProject(process.execPath, 'produce.mjs', address), 'offset 0\n');
  });
  assert.ok((await readdir(join(scratch, 'data'))).includes('orders-0'));
});

test('the package brings along what regular expressions of consumers are read with', async () => {
  await whileNpxRuns(['--memory', '--topic', 'orders-eu', '--topic', 'bills'], async (address) => {
    assert.deepEqual(await topicsByRegex(address, '(?i)ORDERS-.*'), ['orders-eu']);
  });
});

const program = `
  (async () => {
    const broker = await startBroker({ topics: { orders: 2 } });
    const producer = new Kafka({ brokers: [broker.bootstrapServers], logLevel: 0 }).producer();
    await producer.connect();
    await producer.send({ topic: 'orders', messages: [{ value: 'hello' }] });
    await producer.disconnect();
    const [record] = await broker.waitForRecords('orders');
    await broker.stop();
    console.log(record.text(), broker.state);
  })();
`;

test('it is imported as an ES module and required as CommonJS, and both are one and the same', async () => {
  await write({
    'esm.mjs': `import { startBroker } from 'bucketrider'; import kafkajs from 'kafkajs'; const { Kafka } = kafkajs; ${program}`,
    'cjs.cjs': `const { startBroker } = require('bucketrider'); const { Kafka } = require('kafkajs'); ${program}`,
    'same.cjs': `import('bucketrider').then((esm) => console.log(esm.startBroker === require('bucketrider').startBroker));`,
    // jest's own require takes this form.
    'plain.cjs': `const { startBroker } = require('./node_modules/bucketrider/dist/lib/index.cjs'); const { Kafka } = require('kafkajs'); ${program}`,
    'paths.mjs': `
      import manifest from 'bucketrider/package.json' with { type: 'json' };
      const inner = await import('bucketrider/dist/lib/start.js').catch((error) => error.code);
      console.log(manifest.name, inner);
    `,
  });
  for (const file of ['esm.mjs', 'cjs.cjs', 'plain.cjs']) assert.equal(await inProject(process.execPath, file), 'hello stopped\n', file);
  assert.equal(await inProject(process.execPath, 'same.cjs'), 'true\n');
  assert.equal(await inProject(process.execPath, 'paths.mjs'), 'bucketrider ERR_PACKAGE_PATH_NOT_EXPORTED\n');
});

test('where the native checksum does not load, tables take its place', async () => {
  await write({
    'esm.mjs': `import { startBroker } from 'bucketrider'; import kafkajs from 'kafkajs'; const { Kafka } = kafkajs; ${program}`,
  });
  const native = join(project, 'node_modules/@node-rs');
  await rm(native, { recursive: true });
  assert.equal(await inProject(process.execPath, 'esm.mjs'), 'hello stopped\n');
});

const typed = (importing: string): string => `
  ${importing}
  export async function main(): Promise<void> {
    await using broker: Broker = await startBroker({ topics: { orders: { partitions: 3, config: { 'retention.ms': '1h' } } } });
    const records = await broker.waitForRecords('orders', { where: (record) => record.key?.toString('utf8') === 'a' });
    const { id } = records[0]!.json<{ id: number }>();
    const wrong: BrokerOptions = {
      // @ts-expect-error there is no such setting
      config: { 'num.partition': id },
    };
    try {
      await startBroker(wrong);
    } catch (error) {
      if (error instanceof BrokerStartError && error.code === 'INVALID_CONFIG') console.log(error.hint);
    }
  }
`;

for (const [name, options] of Object.entries({
  'ES modules of Node': { file: 'types.mts', module: 'nodenext', moduleResolution: 'nodenext' },
  'CommonJS of Node': { file: 'types.cts', module: 'nodenext', moduleResolution: 'nodenext' },
  'CommonJS of Node 18, which may not require ES modules': { file: 'types.cts', module: 'node18', moduleResolution: 'node16' },
  'a bundler': { file: 'types.ts', module: 'esnext', moduleResolution: 'bundler' },
})) {
  test(`a project's types are checked against it: ${name}`, async () => {
    const { file, module, moduleResolution } = options;
    const names = 'startBroker, BrokerStartError, type Broker, type BrokerOptions';
    await write({
      [file]: typed(`import { ${names} } from 'bucketrider';`),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'es2022',
          lib: ['es2022', 'esnext.disposable'],
          types: ['node'],
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
          noEmit: true,
          module,
          moduleResolution,
        },
        files: [file],
      }),
    });
    const checked = await inProject(process.execPath, resolve(root, 'node_modules/typescript/bin/tsc'), '--project', project).catch(
      (thrown: { stdout: string }) => thrown.stdout,
    );
    assert.equal(checked, '');
  });
}
