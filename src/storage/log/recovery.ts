// Opens the files of one partition and finds out what they hold: which batches are valid, where the log ends, who
// produced into it, which leader epochs it knows. Cuts a torn end, and nothing else: what lies below the recovery point
// was promised to somebody.
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import { join } from '../../base/paths.ts';
import { baseOffsetOf, partitionLeaderEpochOf } from '../../protocol/record-batch.ts';
import type { Commit } from '../commit/commit.ts';
import type { OpenFiles } from '../open-files.ts';
import { placeOfBatch, producerBatchAt } from './batch-facts.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { parseOffsetFileName, type OffsetFile } from './log-names.ts';
import { ProducerState } from './producer-state.ts';
import { findValidBatchBehind, scanBatches } from './scan.ts';
import { Segment } from './segment.ts';

export interface RecoveredLog {
  /** Oldest first; at least one unless the partition has no files. */
  readonly segments: Segment[];
  readonly logStartOffset: number;
  readonly endOffset: number;
  readonly producers: ProducerState<Commit>;
  readonly leaderEpochs: LeaderEpochs;
  /** Set when a valid part lies behind a damaged one: the log can be read up to its end offset, and not be appended to. */
  readonly damage: string | undefined;
}

export interface RecoveryInput {
  readonly env: Env;
  readonly openFiles: OpenFiles;
  readonly log: Logger;
  readonly name: string;
  readonly directory: string;
  /** From the checkpoint: everything below it has been synced, and is never cut. */
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly indexIntervalBytes: number;
}

/** Bytes of a cut end that are kept beside the segment for whoever wants to know what they were. */
const KEPT_CUT_BYTES = 16 * 1024 * 1024;

export async function recoverLog(input: RecoveryInput): Promise<RecoveredLog> {
  const { env, directory } = input;
  const files = (await env.files.stat(directory)) === undefined ? [] : await env.files.readDirectory(directory);
  const bases = files
    .map(({ name }) => parseOffsetFileName(name))
    .filter((file) => file !== undefined && file.suffix === '.log' && file.mark === undefined)
    .map((file) => (file as OffsetFile).offset)
    .sort((left, right) => left - right);

  const producers = new ProducerState<Commit>(input.logStartOffset);
  const leaderEpochs = new LeaderEpochs();
  const segments: Segment[] = [];
  let endOffset = Math.max(input.logStartOffset, bases[0] ?? 0);
  let damage: string | undefined;

  for (const [index, baseOffset] of bases.entries()) {
    const segment = new Segment({ directory, baseOffset, createdMs: env.wallMs() });
    segment.named = true;
    const nextBase = bases[index + 1];
    if (damage !== undefined) break;
    segment.startIndexes();
    damage = await input.openFiles.use(segment.path, async (handle) => {
      const fileBytes = await handle.size();
      const trustedTo = nextBase !== undefined && nextBase <= input.recoveryPoint ? fileBytes : 0;
      const end = await scanBatches(
        env.compute,
        handle,
        { from: 0, to: fileBytes, checkCrcFrom: trustedTo, nextOffset: baseOffset },
        (buffer, at) => {
          const place = placeOfBatch(buffer, at);
          segment.append(place, input.indexIntervalBytes);
          const completed = producers.append(producerBatchAt(buffer, at), place.baseOffset);
          if (completed?.isAborted === true) segment.noteAborted(completed);
          leaderEpochs.assign(partitionLeaderEpochOf(buffer, at), baseOffsetOf(buffer, at));
          endOffset = place.lastOffset + 1;
        },
      );
      segment.writtenBytes = segment.bytes;
      segment.syncedBytes = segment.bytes;
      if (end.damage === undefined) return undefined;
      const where = `${segment.path} at byte ${end.position} (offset ${endOffset}): ${end.damage}`;
      const validBehind =
        nextBase !== undefined ||
        endOffset < input.recoveryPoint ||
        (await findValidBatchBehind(env.compute, handle, { from: end.position + 1, to: fileBytes, nextOffset: endOffset })) !== undefined;
      if (validBehind) return where;
      const cut = fileBytes - end.position;
      await keepCutBytes(input, segment, end.position, Math.min(cut, KEPT_CUT_BYTES));
      // A crash between the copy and the cut leaves both; the next start finds the same end and cuts it again.
      await handle.truncate(end.position);
      await handle.dataSync();
      input.log.warn(`cut a torn end of ${cut} bytes`, { partition: input.name, where, fromOffset: endOffset });
      return undefined;
    });
    segments.push(segment);
  }
  if (damage !== undefined) {
    input.log.error('the partition is damaged: it can be read up to there and takes no more records', {
      partition: input.name,
      damage,
      readableTo: endOffset,
    });
  }
  return {
    segments,
    logStartOffset: Math.max(input.logStartOffset, segments[0]?.baseOffset ?? 0),
    endOffset,
    producers,
    leaderEpochs,
    damage,
  };
}

async function keepCutBytes(input: RecoveryInput, segment: Segment, position: number, bytes: number): Promise<void> {
  if (bytes === 0) return;
  const kept = Buffer.allocUnsafe(bytes);
  const read = await input.openFiles.use(segment.path, (handle) => handle.read(kept, position));
  const path = join(input.directory, `${segment.baseOffset}-${position}.cut`);
  await input.openFiles.use(path, async (handle) => {
    await handle.write([kept.subarray(0, read)], 0);
    await handle.dataSync();
  });
  input.openFiles.forget(path);
}
