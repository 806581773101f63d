import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compute } from '../base/env.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../base/memory/env.ts';
import { everySurvival, keepNothing } from '../base/memory/power-loss.ts';
import { isReservedDirectoryId, newUuid, unnamedDirectories } from './directory-ids.ts';
import { openIdentity } from './identity.ts';
import { decodeMetaProperties, encodeMetaProperties, type MetaProperties } from './meta-properties.ts';

const compute: Compute = { crc32c: () => 0, compress: () => Buffer.alloc(0), decompress: () => Buffer.alloc(0) };
const cluster: MetaProperties = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 5, directoryId: 'LTgjaufeaQUZzug7jJPQLw' };
const otherId = 'r4jgWqfLR0OFdYqWfuliqA';

/** `dirs`: what each log dir has: its papers, and folders. */
async function envWith(dirs: Record<string, { papers?: Partial<MetaProperties> | string; folders?: string[] }>): Promise<MemoryEnv> {
  const env = makeMemoryEnv({ compute, disk: new MemoryDisk({ modelsPowerLoss: true }) });
  for (const [directory, { papers, folders = [] }] of Object.entries(dirs)) {
    await env.files.makeDirectory(directory);
    if (papers !== undefined) {
      const bytes = typeof papers === 'string' ? Buffer.from(papers) : encodeMetaProperties({ ...cluster, ...papers });
      const file = await env.files.open(`${directory}/meta.properties`, 'create');
      await file.write([bytes], 0);
      await file.close();
    }
    for (const folder of folders) await env.files.makeDirectory(`${directory}/${folder}`);
  }
  return env;
}

const papersOf = async (env: MemoryEnv, directory: string): Promise<MetaProperties> =>
  decodeMetaProperties(await env.files.readFile(`${directory}/meta.properties`));

async function refused(
  dirs: Parameters<typeof envWith>[0],
  message: RegExp,
  wanted: Parameters<typeof openIdentity>[2] = {},
  directories = Object.keys(dirs),
): Promise<void> {
  const env = await envWith(dirs);
  const before = env.disk.unsynced();
  await assert.rejects(openIdentity(env, directories, wanted), (error: Error) => {
    assert.match(error.message, message);
    return true;
  });
  assert.deepEqual(env.disk.unsynced(), before, 'a refusal changes nothing');
}

test('new log dirs get the papers of one cluster and node, each an id of its own, and keep them', async () => {
  const env = await envWith({});
  const made = await openIdentity(env, ['/a', '/b'], {});
  assert.equal(made.nodeId, 1);
  assert.equal(made.metadataDirectory, '/a');
  assert.equal(made.witness, undefined);
  assert.notEqual(made.directories[0]?.id, made.directories[1]?.id);
  assert.deepEqual(await openIdentity(env, ['/a', '/b'], { nodeId: 1, clusterId: made.clusterId }), made);
  assert.deepEqual(await papersOf(env, '/b'), { clusterId: made.clusterId, nodeId: 1, directoryId: made.directories[1]?.id });
});

test('the settings decide for whom new log dirs are made', async () => {
  const env = await envWith({});
  const { clusterId, nodeId } = await openIdentity(env, ['/a'], { nodeId: 7, clusterId: 'mine' });
  assert.deepEqual({ clusterId, nodeId }, { clusterId: 'mine', nodeId: 7 });
});

test('a directory of any node and cluster opens as what it is, where the settings demand nothing', async () => {
  const env = await envWith({ '/a': { papers: {}, folders: ['__cluster_metadata-0', 'orders-0'] } });
  assert.deepEqual(await openIdentity(env, ['/a'], {}), {
    clusterId: cluster.clusterId,
    nodeId: 5,
    directories: [{ directory: '/a', id: cluster.directoryId }],
    metadataDirectory: '/a',
    witness: '/a/orders-0',
  });
});

test('what the settings demand and the directory is not is refused', async () => {
  await refused({ '/a': { papers: {} } }, /^\/a belongs to node 5, and node.id is 1: leave the setting out/, { nodeId: 1 });
  await refused({ '/a': { papers: {} } }, /^\/a belongs to cluster 4L6g3nShT-eMCtK--X86sw, and cluster.id is x: leave/, { clusterId: 'x' });
});

test('a new log dir joins the ones there are', async () => {
  const env = await envWith({ '/a': { papers: {}, folders: ['__cluster_metadata-0', 'orders-0'] } });
  const { directories } = await openIdentity(env, ['/new', '/a'], {});
  assert.deepEqual(await papersOf(env, '/new'), { ...cluster, directoryId: directories[0]?.id });
  assert.equal((await openIdentity(env, ['/new', '/a'], {})).metadataDirectory, '/a');
});

test('a directory that an older Kafka formatted gets an id', async () => {
  const env = await envWith({ '/a': { papers: { directoryId: undefined } } });
  const { directories } = await openIdentity(env, ['/a'], {});
  assert.deepEqual(await papersOf(env, '/a'), { ...cluster, directoryId: directories[0]?.id });
});

test('log dirs of several clusters or nodes do not go together', async () => {
  const papers = {};
  await refused(
    { '/a': { papers }, '/b': { papers: { clusterId: 'x', directoryId: otherId } } },
    /^\/b belongs to cluster x, and \/a to cluster 4L6g3nShT-eMCtK--X86sw: .* take the wrong one out of log.dirs/,
  );
  await refused({ '/a': { papers }, '/b': { papers: { nodeId: 6, directoryId: otherId } } }, /^\/b belongs to node 6, and \/a to node 5/);
});

test('a copy of a log dir is told by its id', async () => {
  await refused(
    { '/a': { papers: {} }, '/b': { papers: {} } },
    /^\/b and \/a have the same directory.id LTgjaufeaQUZzug7jJPQLw: one is a copy/,
  );
  await refused({ '/a': { papers: {} } }, /^\/a is named twice in log.dirs$/, {}, ['/a', '/a']);
});

test('papers that cannot be read are named with their path', async () => {
  await refused({ '/a': { papers: 'version=1\nnode.id=1\n' } }, /^\/a\/meta.properties: cluster.id is missing; restore it/);
  await refused(
    { '/a': { papers: { directoryId: unnamedDirectories.lost } } },
    /^\/a\/meta.properties: directory.id is AAAAAAAAAAAAAAAAAAAAAg/,
  );
});

test('a directory with partitions and no papers is never adopted', async () => {
  await refused(
    { '/a': { folders: ['orders-0', 'src'] } },
    /^\/a is not empty and has no meta.properties: orders-0 in it looks like a partition/,
  );
  await refused({ '/a': { folders: ['__cluster_metadata-0'] } }, /^\/a is not empty and has no meta.properties: __cluster_metadata-0/);
  await refused({ '/a': { papers: {} }, '/b': { folders: ['orders-0'] } }, /^\/b is not empty and has no meta.properties/);
});

test('metadata that is gone is not begun again beside partitions that are there', async () => {
  await refused(
    { '/a': { papers: {}, folders: ['orders-0'] } },
    /^no log dir holds the metadata log __cluster_metadata-0, and \/a holds the partition orders-0/,
  );
  // Formatted, and never started.
  await openIdentity(await envWith({ '/a': { papers: {} } }), ['/a'], {});
  // What waits to be removed is no partition.
  const doomed = { folders: ['orders-0.0123456789abcdef0123456789abcdef-delete'], papers: {} };
  assert.equal((await openIdentity(await envWith({ '/a': doomed }), ['/a'], {})).witness, undefined);
});

test('there is one metadata log, and no partition lies in two log dirs', async () => {
  const twice = (folder: string) => ({
    '/a': { papers: {}, folders: ['__cluster_metadata-0', folder] },
    '/b': { papers: { directoryId: otherId }, folders: [folder] },
  });
  await refused(twice('orders-0'), /^the partition orders-0 lies in \/a and in \/b: nobody can say which one is right/);
  await refused(twice('__cluster_metadata-0'), /^\/a and \/b both hold a __cluster_metadata-0/);
});

test('a crash while papers are written costs nothing: the next start ends it', async () => {
  const operations = await (async () => {
    const env = await envWith({});
    const before = env.disk.count();
    await openIdentity(env, ['/a', '/b'], {});
    return env.disk.count() - before;
  })();
  assert.ok(operations > 10);
  for (let step = 0; step <= operations; step += 1) {
    const env = await envWith({});
    using _crash = env.disk.inject({ skip: step, code: 'EIO' });
    const first = await openIdentity(env, ['/a', '/b'], {}).catch(() => undefined);
    for (const survives of everySurvival(env.disk.unsynced())) {
      const disk = env.disk.copyAfterPowerLoss(survives);
      const found = await openIdentity(makeMemoryEnv({ compute, disk, seed: 2 }), ['/a', '/b'], {});
      if (first !== undefined) assert.deepEqual(found, first);
    }
  }
});

test('papers are durable before anything is made that they stand for', async () => {
  const env = await envWith({});
  const made = await openIdentity(env, ['/x/a', '/b'], {});
  const found = makeMemoryEnv({ compute, disk: env.disk.copyAfterPowerLoss(keepNothing), seed: 9 });
  assert.deepEqual(await openIdentity(found, ['/x/a', '/b'], {}), made);
});

test('no directory gets one of the hundred ids that mean something else', () => {
  for (const id of Object.values(unnamedDirectories)) assert.ok(isReservedDirectoryId(id));
  const id = (last: number): Buffer => Buffer.from([...Array.from({ length: 15 }, () => 0), last]);
  assert.ok(isReservedDirectoryId(id(99).toString('base64url')));
  assert.ok(!isReservedDirectoryId(id(100).toString('base64url')));
  const drawn = [id(7), Buffer.from([0xf8, ...id(0).subarray(1)]), id(100)];
  assert.equal(newUuid({ randomBytes: () => drawn.shift() ?? id(0) }), id(100).toString('base64url'));
});
