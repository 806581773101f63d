// Opens the files of one partition and finds out what they hold: which batches are valid, where the log ends, who
// produced into it, which leader epochs it knows. Cuts a torn end, and nothing else: what was promised to somebody is
// never cut, and where it is damaged the log says so and takes no more records.
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import { dirname, join } from 'node:path';
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
  /** Oldest first; none when the partition has no files. */
  readonly segments: Segment[];
  readonly logStartOffset: number;
  readonly endOffset: number;
  readonly producers: ProducerState<Commit>;
  readonly leaderEpochs: LeaderEpochs;
  /** Set when something promised is damaged: the log can be read up to its end offset, and not be appended to. */
  readonly damage: string | undefined;
}

export interface RecoveryInput {
  readonly env: Env;
  readonly openFiles: OpenFiles;
  readonly log: Logger;
  readonly name: string;
  readonly directory: string;
  /** Everything below it was synced, says the checkpoint. */
  readonly recoveryPoint: number;
  /** Everything below it was promised to somebody: the recovery point, or further on as the journal knows. Never cut. */
  readonly promisedTo: number;
  /**
   * Whether `promisedTo` is known to be all that was promised. If so, whatever does not hold above it is the torn end of
   * the last group, and is cut. If not (there is no journal, or it is damaged), a bad batch with a valid one behind it is damage.
   */
  readonly promiseKnown: boolean;
  readonly logStartOffset: number;
  readonly indexIntervalBytes: number;
  /** A log that is reopened while running keeps nothing at or above this offset: it was never committed. */
  readonly endOffset?: number;
}

/** Bytes of a cut end that are kept beside the segment for whoever wants to know what they were. */
const KEPT_CUT_BYTES = 16 * 1024 * 1024;

export async function recoverLog(input: RecoveryInput): Promise<RecoveredLog> {
  const bases = await segmentBases(input);
  const producers = new ProducerState<Commit>(input.logStartOffset);
  const leaderEpochs = new LeaderEpochs();
  const segments: Segment[] = [];
  let endOffset = Math.max(input.logStartOffset, bases[0] ?? 0);
  let damage: string | undefined;
  let ended = false;

  for (const [index, baseOffset] of bases.entries()) {
    const segment = new Segment({ directory: input.directory, baseOffset, createdMs: input.env.wallMs() });
    if (ended) {
      await removeCutSegment(input, segment);
      continue;
    }
    if (damage !== undefined) break;
    segment.named = true;
    segment.startIndexes();
    segments.push(segment);
    const nextBase = bases[index + 1];
    await input.openFiles.use(segment.path, async (handle) => {
      const fileBytes = await handle.size();
      const scan = {
        from: 0,
        to: fileBytes,
        checkCrcFrom: nextBase !== undefined && nextBase <= input.recoveryPoint ? fileBytes : 0,
        nextOffset: baseOffset,
        gaplessFrom: input.promisedTo,
        ...(input.endOffset !== undefined && { endOffset: input.endOffset }),
      };
      const end = await scanBatches(input.env.compute, handle, scan, (buffer, at) => {
        const place = placeOfBatch(buffer, at);
        segment.append(place, input.indexIntervalBytes);
        const completed = producers.append(producerBatchAt(buffer, at), place.baseOffset);
        if (completed?.isAborted === true) segment.noteAborted(completed);
        leaderEpochs.assign(partitionLeaderEpochOf(buffer, at), baseOffsetOf(buffer, at));
        endOffset = place.lastOffset + 1;
      });
      // What a kill left in the page cache alone will be served from now on: it must not go with the power later.
      if (endOffset > input.recoveryPoint) await handle.dataSync();
      if (end.damage === undefined) return;
      const where = `${segment.path} at byte ${end.position} (offset ${endOffset}): ${end.damage}`;
      const mayCut =
        endOffset >= input.promisedTo &&
        (input.promiseKnown ||
          input.endOffset !== undefined ||
          (nextBase === undefined &&
            (await findValidBatchBehind(input.env.compute, handle, { from: end.position + 1, to: fileBytes, nextOffset: endOffset })) ===
              undefined));
      if (!mayCut) {
        damage = where;
        return;
      }
      ended = true;
      if (input.endOffset === undefined) {
        await keepCutBytes(input, segment, end.position, fileBytes - end.position);
        input.log.warn('cut a torn end', { partition: input.name, where, bytes: fileBytes - end.position, fromOffset: endOffset });
      }
      // A crash between the copy and the cut leaves both; the next start finds the same end and cuts it again.
      await handle.truncate(end.position);
      await handle.dataSync();
    });
  }
  if (segments.length > 0 && endOffset > input.recoveryPoint) {
    await input.env.files.syncDirectory(input.directory);
    await input.env.files.syncDirectory(dirname(input.directory));
  }
  if (damage !== undefined) {
    input.log.error('a partition is damaged: it can be read up to there, and takes no more records', {
      partition: input.name,
      where: damage,
      readableTo: endOffset,
      promisedTo: input.promisedTo,
    });
  } else if (endOffset < input.promisedTo) {
    damage = `${input.directory} ends at offset ${endOffset}, and ${input.promisedTo} was promised: files are missing or cut`;
    input.log.error('a partition has lost records that were promised: it can be read, and takes no more records', {
      partition: input.name,
      damage,
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

async function segmentBases(input: RecoveryInput): Promise<number[]> {
  if ((await input.env.files.stat(input.directory)) === undefined) return [];
  return (await input.env.files.readDirectory(input.directory))
    .map(({ name }) => parseOffsetFileName(name))
    .filter((file): file is OffsetFile => file !== undefined && file.suffix === '.log' && file.mark === undefined)
    .map(({ offset }) => offset)
    .sort((left, right) => left - right);
}

/** A segment behind a torn one: nothing in it was promised, or the torn one would have been synced before it. */
async function removeCutSegment(input: RecoveryInput, segment: Segment): Promise<void> {
  if (input.endOffset === undefined) {
    const bytes = await input.openFiles.use(segment.path, (handle) => handle.size());
    await keepCutBytes(input, segment, 0, bytes);
    input.log.warn('removed a segment behind a torn end', { partition: input.name, segment: segment.path, bytes });
  }
  input.openFiles.forget(segment.path);
  await input.env.files.remove(segment.path);
  await input.env.files.syncDirectory(input.directory);
}

async function keepCutBytes(input: RecoveryInput, segment: Segment, position: number, bytes: number): Promise<void> {
  const kept = Buffer.allocUnsafe(Math.min(bytes, KEPT_CUT_BYTES));
  if (kept.length === 0) return;
  const read = await input.openFiles.use(segment.path, (handle) => handle.read(kept, position));
  const path = join(input.directory, `${segment.baseOffset}-${position}.cut`);
  await input.openFiles.use(path, async (handle) => {
    await handle.write([kept.subarray(0, read)], 0);
    await handle.dataSync();
  });
  input.openFiles.forget(path);
}
