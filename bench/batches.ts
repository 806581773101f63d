// What a record batch costs on its way in: `prepare` beside the CRC alone, the checksum's two forms, and each codec in both directions.
// Run: node bench/batches.ts. Times are CPU time of the event loop's thread,
// megabytes those of uncompressed records.
import { makeCompute } from '../src/base/real/compute.ts';
import { crc32cByTables, loadNativeCrc32c } from '../src/base/real/crc32c.ts';
import { compressRecords, decompressRecords, type RecordCodec } from '../src/protocol/compression.ts';
import { buildCompressedRecordBatch, buildRecordBatch, type RecordToWrite } from '../src/protocol/record-batch-records.ts';
import { RECORD_BATCH_OVERHEAD } from '../src/protocol/record-batch.ts';
import { prepare, type PrepareLimits } from '../src/storage/log/prepare.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const now = 1_700_000_000_000;
const compute = makeCompute();
const env = { compute, wallMs: () => now, defer: (run: () => void) => void setImmediate(run) };
const limits: PrepareLimits = {
  maxMessageBytes: 256 * MiB,
  keyRequired: false,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
  compressionType: 'producer',
  compressionLevels: { gzip: -1, lz4: 9, zstd: 3 },
  zstdAllowed: true,
};

/** Repeatable, so that two runs compress the same bytes. */
let seed = 1;
const random = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};

/** Log lines in JSON: what Kafka is mostly asked to carry. */
const line = (bytes: number): Buffer => {
  let text = '';
  while (text.length < bytes)
    text += JSON.stringify({ at: now + random(1e6), level: ['info', 'warn'][random(2)], user: `user-${random(5000)}`, ms: random(900) });
  return Buffer.from(text.slice(0, bytes));
};

const recordsOf = (batchBytes: number, recordBytes: number): RecordToWrite[] =>
  Array.from({ length: Math.max(1, Math.floor(batchBytes / (recordBytes + 10))) }, (_, index) => ({
    timestamp: now + (index >>> 3),
    value: line(recordBytes),
  }));

/** CPU time of this thread: what the event loop pays, also while the machine is busy with other things. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Nanoseconds a call, after warming up: the best of eight rounds. Work that goes to the thread pool costs this thread next to nothing. */
async function time(run: () => unknown): Promise<number> {
  let best = Infinity;
  for (let round = 0; round <= 8; round++) {
    let calls = 0;
    let spent = 0;
    while (spent < 25) {
      await new Promise((resume) => setImmediate(resume)); // a new turn, and with it a new allowance of work answered at once
      const start = cpuMs();
      for (const until = performance.now() + 1; performance.now() < until; calls++) {
        const made = run();
        if (made instanceof Promise) await made;
      }
      spent += cpuMs() - start;
    }
    if (round > 0) best = Math.min(best, (spent * 1e6) / calls);
  }
  return best;
}

const ns = (value: number): string => `${value.toFixed(0).padStart(9)} ns`;
const rate = (bytes: number, nanoseconds: number): string => `${((bytes * 1000) / nanoseconds).toFixed(0).padStart(6)} MB/s`;

console.log('CRC-32C                      tables                     native');
const native = loadNativeCrc32c();
for (const size of [64, 192, 1 * KiB, 16 * KiB, MiB]) {
  const bytes = line(size);
  const byTables = await time(() => crc32cByTables(bytes));
  const natively = native ? await time(() => native(bytes)) : Number.NaN;
  console.log(`${String(size).padStart(8)} bytes  ${ns(byTables)} ${rate(size, byTables)}  ${ns(natively)} ${rate(size, natively)}`);
}

console.log('\nprepare, uncompressed        CRC alone                  prepare                    ratio   walk per record');
for (const [batchBytes, recordBytes] of [
  [16 * KiB, KiB],
  [16 * KiB, 100],
  [MiB, KiB],
  [MiB, 100],
  [MiB, 1],
] as const) {
  const records = recordsOf(batchBytes, recordBytes);
  const batch = buildRecordBatch(compute, records);
  const crc = await time(() => compute.crc32c(batch.subarray(21)));
  const all = await time(() => prepare(batch, limits, env));
  const label = `${String(batchBytes / KiB).padStart(5)} KiB of ${String(recordBytes).padStart(4)} B`;
  const figures = `${ns(crc)} ${rate(batch.length, crc)}  ${ns(all)} ${rate(batch.length, all)}  ${(all / crc).toFixed(2).padStart(6)}`;
  console.log(`${label}      ${figures}   ${((all - crc) / records.length).toFixed(1)} ns`);
}

console.log('\nprepare, compressed, 100 B records                             ratio of sizes');
for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
  for (const batchBytes of [16 * KiB, MiB]) {
    const records = recordsOf(batchBytes, 100);
    const plain = buildRecordBatch(compute, records).length;
    const batch = await buildCompressedRecordBatch(compute, records, codec);
    const all = await time(() => prepare(batch, limits, env));
    console.log(
      `${codec.padEnd(7)} ${String(batchBytes / KiB).padStart(5)} KiB  ${ns(all)} ${rate(plain, all)}   ${(batch.length / plain).toFixed(3)}`,
    );
  }

console.log('\ncodecs                  compress                    decompress                ratio of sizes');
const cases: [RecordCodec, number?][] = [['gzip'], ['gzip', 1], ['snappy'], ['lz4'], ['lz4', 12], ['zstd'], ['zstd', 1]];
for (const [codec, level] of cases)
  for (const size of [16 * KiB, MiB]) {
    const bytes = buildRecordBatch(compute, recordsOf(size, 100)).subarray(RECORD_BATCH_OVERHEAD);
    const compressed = await compressRecords(compute, codec, bytes, level);
    const down = await time(() => compressRecords(compute, codec, bytes, level));
    const up = await time(() => decompressRecords(compute, codec, compressed, 2 * MiB));
    const name = `${codec} ${level ?? ''}`.padEnd(9);
    const figures = `${ns(down)} ${rate(size, down)}  ${ns(up)} ${rate(size, up)}`;
    console.log(`${name} ${String(size / KiB).padStart(5)} KiB  ${figures}   ${(compressed.length / bytes.length).toFixed(3)}`);
  }

console.log('\nthe most CPU time the event loop spent in one turn while twenty batches were prepared at once');
for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  const batches: [string, Buffer][] = [
    ['16 KiB', await buildCompressedRecordBatch(compute, recordsOf(16 * KiB, 100), codec)],
    ['1 MiB', await buildCompressedRecordBatch(compute, recordsOf(MiB, 100), codec)],
    ['100 MiB of zeros', await buildCompressedRecordBatch(compute, [{ value: Buffer.alloc(100 * MiB) }], codec)],
  ];
  for (const [name, batch] of batches) {
    let most = 0;
    let running = true;
    let last = cpuMs();
    const look = (): void => {
      const seen = cpuMs();
      most = Math.max(most, seen - last);
      last = seen;
      if (running) setImmediate(look);
    };
    setImmediate(look);
    await Promise.all(Array.from({ length: 20 }, async () => prepare(batch, limits, env)));
    running = false;
    await new Promise((resume) => setImmediate(resume));
    console.log(`${codec.padEnd(7)} ${name.padEnd(16)} ${most.toFixed(1).padStart(7)} ms`);
  }
}
