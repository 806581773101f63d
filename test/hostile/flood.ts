// Many producers at once against a broker with little memory, by hand: how much it takes at the most, and whether it lives.
//
//   node test/hostile/flood.ts [--producers 1000] [--seconds 20] [--bytes 65536] [--node=--max-old-space-size=96] [--set KEY=VALUE ...]
//
// --cgroup MIB puts the broker under a memory cgroup of version 1, which kills it at the cap; that needs root.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeRealNetwork } from '../../src/base/real/network.ts';
import { Connection } from '../../src/client/connection.ts';
import { batchOf, createTopic, produce } from '../../src/handlers/data-path.testing.ts';
import { startMeasured } from './measured.ts';

const { values: flags } = parseArgs({
  options: {
    producers: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    bytes: { type: 'string', default: '65536' },
    node: { type: 'string', multiple: true, default: [] },
    set: { type: 'string', multiple: true, default: [] },
    cgroup: { type: 'string' },
  },
});
const MiB = 2 ** 20;
const [producers, seconds, bytes] = [Number(flags.producers), Number(flags.seconds), Number(flags.bytes)];

const group = `/sys/fs/cgroup/memory/bucketrider-flood-${process.pid}`;
if (flags.cgroup !== undefined) {
  mkdirSync(group);
  writeFileSync(`${group}/memory.limit_in_bytes`, `${Number(flags.cgroup) * MiB}`);
}
const broker = await startMeasured({
  settings: flags.set,
  node: flags.node,
  ...(flags.cgroup !== undefined && { shell: `echo $$ > ${group}/cgroup.procs` }),
});
let peakBytes = 0;
let longestTurnMs = 0;
let sent = 0;
const refused = new Map<string, number>();
try {
  await createTopic(broker, { name: 'flood', partitions: 10, configs: { 'retention.bytes': '1000000' } });
  const network = makeRealNetwork();
  const endMs = performance.now() + seconds * 1000;
  const batch = batchOf(['x'.repeat(bytes)], { timestamp: Date.now() });
  const produceUntilTheEnd = async (index: number): Promise<void> => {
    const client = await Connection.connect({ network, host: '127.0.0.1', port: broker.port, clientId: `flood-${index}` });
    try {
      while (performance.now() < endMs) {
        // Three at a time, as clients pipeline them.
        const asked = { topic: 'flood', partition: index % 10 };
        const told = await Promise.all([1, 2, 3].map(() => produce(client, Buffer.from(batch), asked)));
        sent += told.filter(({ errorCode }) => errorCode === 0).length;
      }
    } finally {
      client.close();
    }
  };
  const flood = Array.from({ length: producers }, (_, index) =>
    produceUntilTheEnd(index).catch((error: unknown) => void refused.set(String(error), (refused.get(String(error)) ?? 0) + 1)),
  );
  const over = Promise.all(flood);
  for (let done = false; !done;) {
    const figures = await broker.figures();
    peakBytes = Math.max(peakBytes, figures.rssBytes);
    longestTurnMs = Math.max(longestTurnMs, figures.longestTurnMs);
    done = await Promise.race([over.then(() => true), new Promise<false>((resolve) => setTimeout(() => resolve(false), 100))]);
  }
  const after = await broker.figures('collect');
  console.log(
    `${producers} producers of ${bytes} bytes, ${seconds} s: ${sent} batches, ${Math.round((sent * bytes) / seconds / MiB)} MiB/s`,
  );
  console.log(
    `resident at most ${Math.round(peakBytes / MiB)} MiB, ${Math.round(after.rssBytes / MiB)} MiB afterwards; longest turn ${Math.round(longestTurnMs)} ms`,
  );
  for (const [why, count] of refused) console.log(`${count} times: ${why}`);
  if (after.failures.length + after.errors.length > 0) console.log(after.failures, after.errors);
} finally {
  await Promise.resolve(broker[Symbol.asyncDispose]()).catch(() => undefined);
  if (flags.cgroup !== undefined) {
    console.log(
      `the cgroup held at most ${Math.round(Number(readFileSync(`${group}/memory.max_usage_in_bytes`, 'utf8')) / MiB)} MiB, failed ${readFileSync(`${group}/memory.failcnt`, 'utf8').trim()} times`,
    );
    rmdirSync(group);
  }
}
