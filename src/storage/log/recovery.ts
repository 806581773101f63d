// Opens the files of one partition and finds out what they hold: which batches are valid, where the log ends, who
// produced into it, which leader epochs it knows. Cuts a torn end, and nothing else: what was promised to somebody is
// never cut, and where it is damaged the log says so and takes no more records.
//
// After a clean stop the files beside the segments are believed, and the walk is a few kilobytes. After any other end the
// segments that reach above the recovery point are walked whole, those below it only where nothing else can tell what
// is in them.
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { readFileIfThere } from '../../base/files.ts';
import type { Logger } from '../../base/log.ts';
import { baseOffsetOf, partitionLeaderEpochOf } from '../../protocol/record-batch.ts';
import type { Commit } from '../commit/commit.ts';
import { DamagedFileError } from '../damaged-file.ts';
import type { OpenFiles } from '../open-files.ts';
import { placeOfBatch, producerBatchAt } from './batch-facts.ts';
import { readAborted, readIndexFiles } from './index-files.ts';
import { LEADER_EPOCH_FILE, LeaderEpochs } from './leader-epochs.ts';
import type { OffsetFile } from './log-names.ts';
import { PARTITION_METADATA_FILE } from './partition-metadata.ts';
import { loadProducers, removeSnapshot, type SnapshotToWrite } from './producer-files.ts';
import { encodeProducers } from './producer-snapshot.ts';
import type { ProducerState } from './producer-state.ts';
import { findValidBatchBehind, scanBatches } from './scan.ts';
import { Segment } from './segment.ts';
import { tidyFolder } from './tidy-folder.ts';
import type { TransactionIndex } from './transaction-index.ts';

export interface RecoveredLog {
  /** Oldest first; none when the partition has no files. */
  readonly segments: Segment[];
  readonly logStartOffset: number;
  readonly endOffset: number;
  readonly producers: ProducerState<Commit>;
  readonly leaderEpochs: LeaderEpochs;
  /** Set when something promised is damaged: the log can be read up to its end offset, and not be appended to. */
  readonly damage: string | undefined;
  /** The files beside the segments say what is in them. */
  readonly clean: boolean;
  /** Full segments that were walked: their files, and the snapshots at their ends, are to be written. */
  readonly sealed: readonly SealedSegment[];
}

/** A segment that is full, and the producers' state at its end. */
export interface SealedSegment {
  readonly segment: Segment;
  readonly snapshot: SnapshotToWrite;
}

export interface RecoveryInput {
  readonly env: Env;
  readonly openFiles: OpenFiles;
  readonly log: Logger;
  readonly name: string;
  readonly directory: string;
  /** The last stop was clean: what it wrote beside the segments is the truth about them. */
  readonly clean: boolean;
  /** Everything below it was synced, says the checkpoint. */
  readonly recoveryPoint: number;
  /** Everything below it was promised to somebody: the recovery point, or further on as the journal knows. Never cut. */
  readonly promisedTo: number;
  /**
   * Whether `promisedTo` is known to be all that was promised. If so, whatever does not hold above it is the torn end of
   * the last group, and is cut. If not (there is no journal, or it is damaged), a bad batch with a valid one behind it is damage.
   */
  readonly promiseKnown: boolean;
  /** Acks do not wait for the sync: a power loss may have taken records that were acknowledged. */
  readonly losesUnsynced: boolean;
  /** As the checkpoint has it; the first segment's base when it has none. */
  readonly logStartOffset: number;
  readonly indexIntervalBytes: number;
  readonly producerIdExpirationMs: number;
  /** A log that is reopened while running keeps nothing at or above this offset: it was never committed. */
  readonly endOffset?: number;
}

/** Bytes of a cut end that are kept beside the segment for whoever wants to know what they were. */
const KEPT_CUT_BYTES = 16 * 1024 * 1024;

export async function recoverLog(input: RecoveryInput): Promise<RecoveredLog> {
  try {
    return await recover(input);
  } catch (thrown) {
    if (!(thrown instanceof NotCleanError)) throw thrown;
    input.log.warn('a partition is not as its last clean stop left it, and is walked through', {
      partition: input.name,
      why: thrown.message,
    });
    return recover({ ...input, clean: false });
  }
}

async function recover(input: RecoveryInput): Promise<RecoveredLog> {
  const files = await tidyFolder(input);
  const bases = files
    .filter(({ suffix, mark }) => suffix === '.log' && mark === undefined)
    .map(({ offset }) => offset)
    .sort((left, right) => left - right);
  const startOffset = Math.max(input.logStartOffset, bases[0] ?? 0);
  const epochs = await readLeaderEpochs(input);

  // The first segment that must be walked: the one that reaches above what is known to hold.
  let first = input.clean ? bases.length - 1 : bases.findIndex((_, index) => (bases[index + 1] ?? Infinity) > input.recoveryPoint);
  const aborted = await readAbortedBefore(input, files, bases, first);
  first = Math.min(first, aborted.damagedFrom);
  const known = input.clean && aborted.damagedFrom === Infinity;
  const producers = await loadProducers({ ...input, files, upTo: known ? Infinity : (bases[first] ?? 0), startOffset: bases[0] ?? 0 });
  // What the snapshot or the epochs do not cover has to be read out of the batches, from further back.
  if (epochs === undefined) first = Math.min(first, 0);
  while (first > 0 && (bases[first] ?? 0) > producers.endOffset) first -= 1;

  const walk: Walk = {
    input,
    producers,
    leaderEpochs: epochs ?? new LeaderEpochs(),
    epochsKnown: epochs !== undefined,
    segments: [],
    sealed: [],
    aborted: aborted.bySegment,
    endOffset: startOffset,
    damage: undefined,
    ended: false,
  };
  // What is walked tells its epochs itself; a file that was not written in order may know of ones that a crash took back.
  if (!input.clean) walk.leaderEpochs.truncateFromEnd(bases[first] ?? 0);
  for (const [index, baseOffset] of bases.entries()) {
    const segment = new Segment({
      directory: input.directory,
      baseOffset,
      createdMs: input.env.wallMs(),
      indexIntervalBytes: input.indexIntervalBytes,
    });
    if (walk.ended) {
      await removeCutSegment(input, segment);
      continue;
    }
    if (walk.damage !== undefined) break;
    if (walk.segments.length > 0 && baseOffset > walk.endOffset && walk.endOffset >= input.promisedTo && index > first) {
      // What should lie before it was not promised and is not there: it can be cut, or else it is missing.
      if (mayCutUnpromised(input)) {
        walk.ended = true;
        await removeCutSegment(input, segment);
        continue;
      }
      walk.damage = `${segment.path} begins behind offset ${walk.endOffset}, where the segment before it ends`;
      break;
    }
    segment.named = true;
    segment.aborted = aborted.bySegment.get(baseOffset);
    const before = walk.segments.at(-1);
    if (index > first && before !== undefined) walk.sealed.push({ segment: before, snapshot: snapshotOf(input, producers, baseOffset) });
    walk.segments.push(segment);
    const nextBase = bases[index + 1];
    if (index < first) {
      segment.bytes = (await input.env.files.stat(segment.path))?.bytes ?? 0;
      segment.indexFilesCurrent = true;
      walk.endOffset = nextBase ?? walk.endOffset;
    } else await walkSegment(walk, segment, nextBase);
  }
  if (walk.damage === undefined && walk.endOffset < input.promisedTo) {
    walk.damage = `${input.directory} ends at offset ${walk.endOffset}, and records up to ${input.promisedTo} were promised: files are missing or were cut`;
  }
  if (walk.damage === undefined && walk.endOffset < startOffset) await beginAgainAt(walk, startOffset);
  if (input.clean && producers.endOffset > walk.endOffset)
    throw new NotCleanError(`it knows of producers up to offset ${producers.endOffset}, and its records end at ${walk.endOffset}`);
  await finish(walk, files);
  const { segments, sealed, endOffset, leaderEpochs, damage } = walk;
  return {
    segments,
    sealed,
    logStartOffset: Math.min(startOffset, endOffset),
    endOffset,
    producers,
    leaderEpochs,
    damage,
    clean: input.clean && first === bases.length - 1 && epochs !== undefined,
  };
}

/**
 * Everything from the log start on is gone. Where that was no promise the log goes on, but not below its start, as on Kafka:
 * offsets that somebody has seen deleted are not given to other records.
 */
async function beginAgainAt(walk: Walk, startOffset: number): Promise<void> {
  const { input } = walk;
  if (!input.losesUnsynced) {
    walk.damage = `${input.directory} ends at offset ${walk.endOffset}, below the log start ${startOffset}: files are missing or were cut`;
    return;
  }
  input.log.warn('a log has lost all its records, which were not synced', {
    partition: input.name,
    endOffset: walk.endOffset,
    startOffset,
  });
  for (const segment of walk.segments) await removeCutSegment(input, segment);
  walk.segments.length = 0;
  walk.sealed.length = 0;
  walk.producers.truncateFullyAndStartAt(startOffset);
  walk.leaderEpochs.truncateFromEnd(0);
  walk.endOffset = startOffset;
}

const snapshotOf = ({ env }: RecoveryInput, producers: ProducerState<Commit>, offset: number): SnapshotToWrite => ({
  offset,
  encoded: encodeProducers(producers.stored(), (bytes) => env.compute.crc32c(bytes)),
});

/** The mark of a clean stop vouches for files that are not as it says: somebody has touched them since. */
class NotCleanError extends Error {
  override readonly name = 'NotCleanError';
}

interface Walk {
  readonly input: RecoveryInput;
  readonly producers: ProducerState<Commit>;
  readonly leaderEpochs: LeaderEpochs;
  /** They were read from their file. */
  readonly epochsKnown: boolean;
  readonly segments: Segment[];
  readonly sealed: SealedSegment[];
  readonly aborted: ReadonlyMap<number, TransactionIndex>;
  endOffset: number;
  damage: string | undefined;
  /** The torn end was found: segments behind it go. */
  ended: boolean;
}

/** All that was promised is known: whatever lies beyond can go. */
const mayCutUnpromised = ({ promiseKnown, endOffset }: RecoveryInput): boolean => promiseKnown || endOffset !== undefined;

async function walkSegment(walk: Walk, segment: Segment, nextBase: number | undefined): Promise<void> {
  const { input, producers, leaderEpochs } = walk;
  await input.openFiles.use(segment.path, async (handle) => {
    const fileBytes = await handle.size();
    segment.bytes = fileBytes;
    // An epoch begins at any batch: where its file does not tell, every batch has to be looked at.
    const read = input.clean && walk.epochsKnown ? await readIndexFiles(input, segment) : undefined;
    // Producers are known up to their snapshot: what the index would skip must lie below it.
    const indexes = read !== undefined && producers.endOffset > read.offsets.lastOffset ? read : undefined;
    // The last entry of a sound index leads to the last few kilobytes: the batches behind it say where the log ends.
    const from = indexes === undefined ? 0 : indexes.offsets.lookup(Number.MAX_SAFE_INTEGER);
    if (indexes === undefined) segment.startIndexes();
    else segment.takeIndexes(indexes);
    segment.bytes = from;
    // The index file was read before it was known from where the producers have to be found again: the walk tells of the same.
    segment.aborted?.truncateTo(producers.endOffset);
    walk.endOffset = Math.max(walk.endOffset, segment.baseOffset);
    const end = await scanBatches(
      input.env.compute,
      handle,
      {
        from,
        to: fileBytes,
        checkCrcFromOffset: input.recoveryPoint,
        nextOffset: segment.baseOffset,
        gaplessFrom: input.promisedTo,
        ...(input.endOffset !== undefined && { endOffset: input.endOffset }),
      },
      (buffer, at) => {
        const place = placeOfBatch(buffer, at);
        segment.append(place);
        if (place.baseOffset >= producers.endOffset) {
          const completed = producers.append(producerBatchAt(buffer, at), place.baseOffset);
          if (completed?.isAborted === true) segment.noteAborted(completed);
        }
        leaderEpochs.assign(partitionLeaderEpochOf(buffer, at), baseOffsetOf(buffer, at));
        walk.endOffset = place.lastOffset + 1;
      },
    );
    // What a kill left in the page cache alone will be served from now on: it must not go with the power later.
    if (walk.endOffset > input.recoveryPoint) await handle.dataSync();
    if (end.damage === undefined) return;
    if (input.clean) throw new NotCleanError(end.damage);
    const where = `${segment.path} at byte ${end.position} (offset ${walk.endOffset}): ${end.damage}`;
    const mayCut =
      walk.endOffset >= input.promisedTo &&
      (mayCutUnpromised(input) ||
        (nextBase === undefined &&
          (await findValidBatchBehind(input.env.compute, handle, { from: end.position + 1, to: fileBytes, nextOffset: walk.endOffset })) ===
            undefined));
    if (!mayCut) {
      walk.damage = where;
      return;
    }
    walk.ended = true;
    if (input.endOffset === undefined) {
      await keepCutBytes(input, segment, end.position, fileBytes - end.position);
      input.log.warn('cut a torn end', { partition: input.name, where, bytes: fileBytes - end.position, fromOffset: walk.endOffset });
    }
    // A crash between the copy and the cut leaves both; the next start finds the same end and cuts it again.
    await handle.truncate(end.position);
    await handle.dataSync();
  });
}

async function finish({ input, segments, endOffset, damage }: Walk, files: readonly OffsetFile[]): Promise<void> {
  // Snapshots beyond the end tell of batches that are gone, those between segments were of an earlier stop.
  const bases = new Set(segments.map(({ baseOffset }) => baseOffset));
  for (const { offset, suffix, mark } of files) {
    if (suffix !== '.snapshot' || mark !== undefined || bases.has(offset) || (input.clean && offset === endOffset)) continue;
    await removeSnapshot(input.env, input.directory, offset);
  }
  const last = segments.at(-1);
  if (last !== undefined && !input.clean && (endOffset > input.recoveryPoint || last.baseOffset >= input.recoveryPoint)) {
    // As with what was walked: a kill may have come before any of it was synced, and it will be relied on from now on. The segment
    // that was begun last may be a name only, which nothing that is written to it later would sync.
    await input.openFiles.use(join(input.directory, PARTITION_METADATA_FILE), (handle) => handle.dataSync());
    await input.env.files.syncDirectory(input.directory);
  }
  if (damage === undefined) return;
  input.log.error('a partition is damaged: it can be read up to there, and takes no more records', {
    partition: input.name,
    where: damage,
    readableTo: endOffset,
    promisedTo: input.promisedTo,
  });
}

/** What the files say of aborted transactions; from a damaged one on the segments have to be walked. */
async function readAbortedBefore(
  input: RecoveryInput,
  files: readonly OffsetFile[],
  bases: readonly number[],
  first: number,
): Promise<{ bySegment: Map<number, TransactionIndex>; damagedFrom: number }> {
  const bySegment = new Map<number, TransactionIndex>();
  const there = new Set(files.filter(({ suffix, mark }) => suffix === '.txnindex' && mark === undefined).map(({ offset }) => offset));
  for (const [index, baseOffset] of bases.entries()) {
    if (!there.has(baseOffset) || (index >= first && !input.clean)) continue;
    const segment = new Segment({ directory: input.directory, baseOffset, createdMs: 0, indexIntervalBytes: input.indexIntervalBytes });
    try {
      const transactions = await readAborted(input.env, segment);
      if (transactions !== undefined) bySegment.set(baseOffset, transactions);
    } catch (thrown) {
      if (!(thrown instanceof DamagedFileError)) throw thrown;
      input.log.warn('an index of aborted transactions is damaged and is made again', { partition: input.name, why: thrown.message });
      return { bySegment, damagedFrom: index };
    }
  }
  return { bySegment, damagedFrom: Infinity };
}

/** Undefined when there is no such file, or it is damaged or says nothing: the batches themselves tell. */
async function readLeaderEpochs(input: RecoveryInput): Promise<LeaderEpochs | undefined> {
  const bytes = await readFileIfThere(input.env.files, join(input.directory, LEADER_EPOCH_FILE));
  if (bytes === undefined) return undefined;
  try {
    const epochs = LeaderEpochs.decode(bytes);
    // Where there are batches there is an epoch: a file without one is one that has lost them.
    return epochs.latestEpoch === undefined ? undefined : epochs;
  } catch (thrown) {
    if (!(thrown instanceof DamagedFileError)) throw thrown;
    input.log.warn('the leader epochs of a partition are damaged and are read from its batches', {
      partition: input.name,
      why: thrown.message,
    });
    return undefined;
  }
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
  await input.openFiles.create(path, async (handle) => {
    await handle.write([kept.subarray(0, read)], 0);
    await handle.dataSync();
  });
  input.openFiles.forget(path);
}
