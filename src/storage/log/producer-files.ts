// The snapshots of producer state in a partition's folder: `<offset>.snapshot` as Kafka has it, and beside it
// `<offset>.producers` with the batches that Kafka's format has no room for.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { readFileIfThere } from '../../base/files.ts';
import type { Logger } from '../../base/log.ts';
import type { Commit } from '../commit/commit.ts';
import { DamagedFileError } from '../damaged-file.ts';
import { writeWhole } from './index-files.ts';
import { offsetFileName, type OffsetFile } from './log-names.ts';
import { addRetainedBatches, decodeProducerSnapshot, type EncodedProducers } from './producer-snapshot.ts';
import { ProducerState } from './producer-state.ts';

export interface SnapshotToWrite {
  /** Exclusive: the state is that after all batches below. */
  readonly offset: number;
  readonly encoded: EncodedProducers;
}

export async function writeSnapshot(env: Env, directory: string, { offset, encoded }: SnapshotToWrite): Promise<void> {
  // The batches first: they are no use without their snapshot, and it is whole without them.
  if (encoded.batches !== undefined) await writeWhole(env, join(directory, offsetFileName(offset, '.producers')), encoded.batches);
  await writeWhole(env, join(directory, offsetFileName(offset, '.snapshot')), encoded.snapshot);
}

export async function removeSnapshot(env: Env, directory: string, offset: number): Promise<void> {
  await env.files.remove(join(directory, offsetFileName(offset, '.snapshot')));
  await env.files.remove(join(directory, offsetFileName(offset, '.producers')));
}

/** The state of the newest snapshot that holds and lies at or below the offset; a fresh one at `startOffset` when there is none. */
export async function loadProducers(options: {
  env: Env;
  log: Logger;
  directory: string;
  files: readonly OffsetFile[];
  upTo: number;
  startOffset: number;
  producerIdExpirationMs: number;
}): Promise<ProducerState<Commit>> {
  const { env, directory, upTo, startOffset } = options;
  const crc32c = (bytes: Uint8Array): number => env.compute.crc32c(bytes);
  const offsets = options.files
    .filter(({ suffix, mark, offset }) => suffix === '.snapshot' && mark === undefined && offset <= upTo && offset >= startOffset)
    .map(({ offset }) => offset)
    .sort((left, right) => right - left);
  for (const offset of offsets) {
    try {
      const name = offsetFileName(offset, '.snapshot');
      const snapshot = await env.files.readFile(join(directory, name));
      let producers = decodeProducerSnapshot(snapshot, name, crc32c);
      const retained = offsetFileName(offset, '.producers');
      const batches = await readFileIfThere(env.files, join(directory, retained));
      // Without it the snapshot may be Kafka's, which knows the last batch of each producer. A damaged one tells of more than that.
      if (batches !== undefined) producers = addRetainedBatches(producers, { snapshot, batches, name: retained }, crc32c);
      const state = new ProducerState<Commit>(offset);
      state.restore(producers, offset, { nowMs: env.wallMs(), producerIdExpirationMs: options.producerIdExpirationMs });
      return state;
    } catch (thrown) {
      if (!(thrown instanceof DamagedFileError)) throw thrown;
      options.log.warn('a snapshot of producers is damaged; an older one is taken, or the log itself', { directory, why: thrown.message });
    }
  }
  return new ProducerState<Commit>(startOffset);
}
