// The group commit of one log dir: what is staged in a turn, or while the disk is busy, is written and synced
// together. Decides when a group starts, which lane each of its writes takes, and what must be synced before it
// counts; the logs themselves know which bytes go where, and what durable means for them.
//
// Every write goes to its segment. Of those that an ack waits for, small ones lie in the group's journal frame too, and
// that frame is all that is synced; large ones are synced in their segment, and the frame names them. So one sync serves
// a thousand partitions, and the last frame says which bytes a crash may have torn.
// Group k+1 is not written to any file before group k is synced.
import type { Env } from '../../base/env.ts';
import { inParallel } from '../../base/in-parallel.ts';
import { InvariantError } from '../../base/invariant.ts';
import type { Descriptors } from '../descriptors.ts';
import { isFullDisk } from '../disk-room.ts';
import type { OpenFiles } from '../open-files.ts';
import { Commit, type CommitParty } from './commit.ts';
import type { Journal } from './journal.ts';
import { FRAME_HEADER_BYTES, tableBytesOf, type JournalEntry } from './journal-format.ts';
import { UnsyncedFiles } from './unsynced-files.ts';

/** Bytes that go to one segment in one piece. */
export interface StagedWrite {
  readonly path: string;
  readonly segmentBase: number;
  readonly position: number;
  buffers: Buffer[];
  bytes: number;
  readonly baseOffset: number;
  /** Exclusive. */
  endOffset: number;
  readonly leaderEpoch: number;
  /** The file is new: its name must become durable too. */
  readonly creates: boolean;
}

/** A log that takes part in group commits. All of its methods are called by the commit loop, one group at a time. */
export interface CommitMember extends CommitParty {
  /** Name of its folder. */
  readonly name: string;
  readonly topicId: string;
  /** Path of its folder. */
  readonly directory: string;
  /** True when an ack waits for the sync (flush.messages=1); false when it waits for the write alone. */
  readonly syncBeforeAck: boolean;
  /** Everything below it survives a power loss: it is synced in its segments, or lies in the journal. */
  readonly durableOffset: number;
  /** Paths of the segments that hold this offset and those above. */
  filesFrom(offset: number): string[];
  /** Its folder is there, with what must lie in it before the first record, durable or not. */
  readonly hasDirectory: boolean;
  /** Makes it; returns the paths of what was made. */
  makeDirectory(): Promise<{ files: string[]; directories: string[] }>;
  /** Everything staged since the last call, in order. @throws when the log takes part no more */
  takeStaged(): StagedWrite[];
  /** What the last `takeStaged` returned is written; it counts where acks do not wait for the sync. */
  written(): void;
  /** What the last `takeStaged` returned is durable, and counts. */
  durable(): void;
  /** Everything below the offset is synced in its segments. */
  synced(endOffset: number): void;
  /** Is it time to sync what was written? Always, unless acks do not wait for syncs (flush.messages, flush.ms). */
  flushDue(nowMs: number): boolean;
  /** When (monotonic) it will be time even if nothing more is written; Infinity for never. */
  readonly flushDueMs: number;
  /** It does not count; nothing staged later will be written either, until the log has reopened. */
  commitFailed(error: CommitFailedError): void;
}

/** The disk did not take a group. After a failed sync nothing is known of what it has. */
export class CommitFailedError extends Error {
  override readonly name = 'CommitFailedError';
  readonly phase: 'write' | 'sync';
  /** POSIX, such as ENOSPC; undefined when the cause had none. */
  readonly code: string | undefined;

  constructor(phase: 'write' | 'sync', path: string, cause: unknown) {
    super(`${phase} of ${path} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.phase = phase;
    this.code = (cause as { code?: string } | undefined)?.code;
  }
}

class Group {
  readonly members = new Set<CommitMember>();
  /** A frame is written even when there is nothing to put into it: its head says which older frames are dead. */
  marked = false;
  readonly written = new Commit();
  readonly durable = new Commit();

  get isEmpty(): boolean {
    return this.members.size === 0 && !this.marked;
  }
}

interface Part {
  readonly member: CommitMember;
  readonly writes: StagedWrite[];
}

/** What one frame of the journal stands for: a group, or as much of it as fits. */
interface Frame {
  readonly entries: JournalEntry[];
  /** Writes whose data lie in the frame. */
  readonly journaled: { readonly member: CommitMember; readonly write: StagedWrite }[];
  /** Writes that are synced in their segments. */
  readonly direct: { readonly member: CommitMember; readonly write: StagedWrite }[];
  /** With this frame everything that these have in the group is durable. */
  readonly completes: CommitMember[];
  bytes: number;
  dataBytes: number;
}

/** Writes end in the page cache within microseconds; waiting for each in turn would cost more. */
const WRITES_AT_ONCE = 64;
/** Of the syncs that the file system takes at once, those that a checkpoint leaves to commits where there are enough. */
const SYNCS_FOR_COMMITS = 2;
/** A write up to this size goes through the journal. Beyond it, writing it twice costs more than the second sync saves. */
const JOURNALED_WRITE_BYTES = 32 * 1024;

export interface CommitLogOptions {
  readonly env: Env;
  readonly openFiles: OpenFiles;
  readonly descriptors: Pick<Descriptors, 'within'>;
  /** Opened with the first group that needs it; without one, every write is synced in its segment. */
  readonly openJournal: (() => Promise<Journal>) | undefined;
  /** Syncs what the journal stands for and sets its frames free. @throws CommitFailedError */
  readonly checkpoint: () => Promise<void>;
  /** A checkpoint should come before the journal is full, or commits will wait for it. */
  readonly checkpointSoon: () => void;
  /** A sync has failed, or a write with anything but a full disk: the log dir can no longer be trusted. */
  readonly onDirectoryFailed: (error: CommitFailedError) => void;
  /** A broken invariant met by the loop; nothing more is committed. */
  readonly onFatal: (error: unknown) => void;
  readonly onGroup?: (group: { members: number; bytes: number; milliseconds: number }) => void;
}

export class CommitLog {
  readonly #env: Env;
  readonly #options: CommitLogOptions;
  readonly #openFiles: OpenFiles;
  readonly #unsynced = new UnsyncedFiles<CommitMember>();
  #journal: Journal | undefined;
  #next = new Group();
  #current: Group | undefined;
  #running: Promise<void> | undefined;
  #scheduled = false;
  #flushing = false;
  #failure: CommitFailedError | undefined;
  /** The loop has met a broken invariant, and writes nothing any more. */
  #broken: Error | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(options: CommitLogOptions) {
    this.#env = options.env;
    this.#options = options;
    this.#openFiles = options.openFiles;
  }

  /** Undefined until a group has needed it. */
  get journal(): Journal | undefined {
    return this.#journal;
  }

  /** Enters the member, which holds what it has staged, into the coming group; returns the commit its tickets wait for. */
  stage(member: CommitMember): Commit {
    this.#next.members.add(member);
    if (this.#running === undefined && !this.#scheduled) {
      this.#scheduled = true;
      // Deferred, so that all requests that one turn of the event loop brings share the first group too.
      this.#env.defer(() => {
        this.#scheduled = false;
        this.#start();
      });
    }
    return member.syncBeforeAck ? this.#next.durable : this.#next.written;
  }

  /** Resolves when nothing is staged and no group is being written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || !this.#next.isEmpty) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /**
   * Syncs the segments that were written and not synced, those of the chosen logs, and tells the logs. What is written
   * meanwhile is left for the next call.
   * @throws CommitFailedError: the log dir has failed
   */
  async syncUnsynced(chosen: (member: CommitMember) => boolean): Promise<void> {
    const taken = this.#unsynced.take(chosen);
    const atOnce = Math.max(2, this.#env.files.syncsAtOnce - SYNCS_FOR_COMMITS);
    await inParallel(
      atOnce,
      taken.flatMap(([, { files }]) => [...files]),
      (file) => this.attempt('sync', file, () => this.#openFiles.use(file, (handle) => handle.dataSync())),
    );
    // Each folder once: the log dir stands among the names of every partition that was made since the last time.
    const directories = new Set(taken.flatMap(([, { names }]) => [...names.keys()]));
    await inParallel(atOnce, directories, (directory) => this.attempt('sync', directory, () => this.#env.files.syncDirectory(directory)));
    for (const [member, { names, endOffset }] of taken) {
      for (const [directory, mark] of names) this.#unsynced.nameSynced(member, directory, mark);
      member.synced(endOffset);
    }
  }

  /**
   * Writes a frame that says which frames are dead: before files they speak of are removed, or a crash would bring the
   * files back. @throws CommitFailedError
   */
  async markJournal(): Promise<void> {
    const group = this.#next;
    group.marked = true;
    this.#start();
    await group.durable.wait();
    const failure = group.durable.failureOf(group);
    if (failure !== undefined) throw failure;
  }

  /** Resolves when every group that holds something staged by now is done. */
  async settled(): Promise<void> {
    const group = this.#next.isEmpty ? this.#current : this.#next;
    if (group !== undefined && !group.durable.settled) await group.durable.wait();
  }

  /** When (monotonic) the first log with unsynced bytes will want them synced, whether or not more is written; Infinity for none. */
  get nextFlushMs(): number {
    let next = Infinity;
    for (const member of this.#unsynced.members) if (!member.syncBeforeAck) next = Math.min(next, member.flushDueMs);
    return next;
  }

  /** Forgets what a dropped log had not synced. */
  forget(member: CommitMember): void {
    this.#unsynced.forget(member);
  }

  /**
   * Does something to the disk under the rules that hold for a group, which is itself made of such attempts: a full disk can
   * be waited out, whatever else it refuses fails the log dir. It may be done again, where a file could not be opened for want
   * of descriptors: that is waited out here, since a frame of the journal that is written may already speak of what is to be synced.
   * @throws CommitFailedError
   */
  async attempt<Result>(phase: 'write' | 'sync', path: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#options.descriptors.within(() => {
        if (this.#failure !== undefined) throw this.#failure;
        return work();
      });
    } catch (thrown) {
      if (thrown instanceof InvariantError || thrown instanceof CommitFailedError) throw thrown;
      const error = new CommitFailedError(phase, path, thrown);
      // After a failed sync nobody knows what the disk has; a full disk on a write is the one thing that can be waited out.
      if (phase === 'sync' || !isDiskFull(error)) this.fail(error);
      throw error;
    }
  }

  /** The log dir is given up: nothing more is written. */
  fail(error: CommitFailedError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.onDirectoryFailed(error);
  }

  #start(): void {
    if (this.#running !== undefined || this.#next.isEmpty) return;
    this.#running = this.#run().catch((thrown: unknown) => this.#break(thrown));
  }

  async #run(): Promise<void> {
    while (!this.#next.isEmpty) {
      const refusal = this.#needsJournal(this.#next) ? await this.#beginJournal() : undefined;
      const group = this.#next;
      this.#next = new Group();
      this.#current = group;
      if (this.#broken !== undefined) throw this.#broken;
      await this.#commit(group, refusal);
    }
    this.#rest();
  }

  #rest(): void {
    this.#running = undefined;
    this.#current = undefined;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Nobody is left waiting for a loop that has ended: what is in hand and what is staged fails. */
  #break(thrown: unknown): void {
    const first = this.#broken === undefined;
    this.#broken ??= thrown instanceof Error ? thrown : new Error(String(thrown));
    for (const group of [this.#current, this.#next]) {
      if (group === undefined) continue;
      for (const party of [group, ...group.members]) {
        group.written.fail(party, this.#broken);
        group.durable.fail(party, this.#broken);
      }
      group.written.settle();
      group.durable.settle();
    }
    this.#next = new Group();
    this.#rest();
    if (first) this.#options.onFatal(thrown);
  }

  /** `refusal`: there is no journal, and could be none. */
  async #commit(group: Group, refusal: CommitFailedError | undefined): Promise<void> {
    const startedMs = this.#env.monotonicMs();
    const parts: Part[] = [];
    const failed = new Set<CommitMember>();
    const fail = (member: CommitMember, error: CommitFailedError): void => {
      if (failed.has(member)) return;
      failed.add(member);
      group.written.fail(member, error);
      group.durable.fail(member, error);
      member.commitFailed(error);
    };
    const failAll = (error: CommitFailedError): void => {
      group.durable.fail(group, error);
      for (const { member, writes } of durable) if (!isDurable(member, writes)) fail(member, error);
    };

    if (refusal !== undefined) {
      group.durable.fail(group, refusal);
      for (const member of group.members) fail(member, refusal);
    }
    await inParallel(WRITES_AT_ONCE, group.members, async (member) => {
      if (failed.has(member)) return;
      try {
        parts.push(await this.#write(member));
      } catch (thrown) {
        if (!(thrown instanceof CommitFailedError)) throw thrown;
        fail(member, thrown);
      }
    });
    let bytes = 0;
    for (const { writes } of parts) for (const write of writes) bytes += write.bytes;

    const durable: Part[] = [];
    for (const part of parts) {
      if (part.member.syncBeforeAck) {
        durable.push(part);
        continue;
      }
      for (const { path, endOffset } of part.writes) this.#unsynced.addFile(part.member, path, endOffset);
      part.member.written();
      if (part.member.flushDue(startedMs)) this.#flush();
    }
    group.written.settle();

    if (durable.length > 0 || group.marked) {
      try {
        await this.#makeDurable(durable);
      } catch (thrown) {
        if (!(thrown instanceof CommitFailedError)) throw thrown;
        failAll(thrown);
      }
    }
    group.durable.settle();
    this.#options.onGroup?.({ members: group.members.size, bytes, milliseconds: this.#env.monotonicMs() - startedMs });
  }

  #needsJournal({ members, marked }: Group): boolean {
    if (this.#options.openJournal === undefined || this.#journal !== undefined) return false;
    return marked || members.values().some(({ syncBeforeAck }) => syncBeforeAck);
  }

  /** Before the first write that an ack waits for: what is in a segment and in no journal might have been promised. */
  async #beginJournal(): Promise<CommitFailedError | undefined> {
    const { openJournal } = this.#options;
    try {
      if (openJournal !== undefined) this.#journal = await this.attempt('write', 'the journal', openJournal);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof CommitFailedError) return thrown;
      throw thrown;
    }
  }

  /** Syncs the logs that have been written to as much, or as long, as their acks may do without; in the background. */
  #flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    const nowMs = this.#env.monotonicMs();
    this.syncUnsynced((member) => !member.syncBeforeAck && member.flushDue(nowMs))
      .catch((thrown: unknown) => {
        if (!(thrown instanceof CommitFailedError)) this.#break(thrown); // else the dir is offline, and has said so
      })
      .finally(() => (this.#flushing = false));
  }

  /** Writes what the member has staged to its segments. @throws CommitFailedError */
  async #write(member: CommitMember): Promise<Part> {
    const writes = member.takeStaged();
    if (!member.hasDirectory) await this.#makeDirectory(member);
    return this.attempt('write', writes[0]?.path ?? member.directory, async () => {
      for (const write of writes) {
        if (write.creates) this.#unsynced.addName(member, member.directory);
        await this.#openFiles.create(write.path, (handle) => handle.write(write.buffers, write.position));
      }
      return { member, writes };
    });
  }

  async #makeDirectory(member: CommitMember): Promise<void> {
    const made = await this.attempt('write', member.directory, () => member.makeDirectory());
    for (const directory of made.directories) this.#unsynced.addName(member, directory);
    if (member.syncBeforeAck && this.#options.openJournal !== undefined) {
      for (const file of made.files) this.#unsynced.addFile(member, file, 0);
      return;
    }
    // No journal will say whose the folder is: whatever else a power loss takes from such a log, it must not take that.
    for (const file of made.files) await this.attempt('sync', file, () => this.#openFiles.use(file, (handle) => handle.dataSync()));
    await this.attempt('sync', member.directory, () => this.#syncNames(member, this.#unsynced.namesOf(member)));
  }

  /** Frame by frame; a part counts, and its member is told, once all of it is durable. @throws CommitFailedError: the others do not count */
  async #makeDurable(parts: readonly Part[]): Promise<void> {
    const journal = this.#journal;
    await inParallel(this.#env.files.syncsAtOnce, parts, (part) => this.#syncWhatCameBefore(part));
    for (const frame of framesOf(parts, journal?.maxFrameBytes)) {
      await this.#writeFrame(frame, journal);
      for (const member of frame.completes) member.durable();
    }
    if (journal?.wantsRelease === true) this.#options.checkpointSoon();
  }

  async #writeFrame({ entries, journaled, direct }: Frame, journal: Journal | undefined): Promise<void> {
    if (journal?.hasRoomFor(entries) === false) await this.#options.checkpoint();
    // Noted before the frame is written: what a checkpoint believes to lie in older frames must be in its hands by then.
    for (const { member, write } of journaled) this.#unsynced.addFile(member, write.path, write.endOffset);
    if (journal !== undefined) await this.attempt('write', 'the journal', () => journal.write(entries));
    await Promise.all([
      journal && this.attempt('sync', 'the journal', () => journal.sync()),
      inParallel(this.#env.files.syncsAtOnce, direct, (one) => this.attempt('sync', one.write.path, () => this.#syncDirect(one))),
    ]);
    for (const { member, write } of direct) {
      // Of a log that has other bytes to sync it is said when those are: below the recovery point everything is durable.
      if (this.#unsynced.has(member)) this.#unsynced.addFile(member, write.path, write.endOffset);
      else member.synced(write.endOffset);
    }
  }

  /**
   * The log was written to without a sync until now (flush.messages has become 1): the frame cannot stand for bytes that it
   * does not hold, and a power loss would leave a hole before those that it does.
   */
  async #syncWhatCameBefore({ member, writes }: Part): Promise<void> {
    const [first] = writes;
    if (first === undefined || first.baseOffset <= member.durableOffset) return;
    for (const path of member.filesFrom(member.durableOffset))
      await this.attempt('sync', path, () => this.#openFiles.use(path, (handle) => handle.dataSync()));
    await this.attempt('sync', member.directory, () => this.#syncNames(member, this.#unsynced.namesOf(member)));
  }

  async #syncDirect({ member, write }: Frame['direct'][number]): Promise<void> {
    await this.#openFiles.use(write.path, (handle) => handle.dataSync());
    // A crash before this leaves a file that no name reaches: its batches were not acknowledged.
    await this.#syncNames(member, this.#unsynced.namesOf(member));
  }

  async #syncNames(member: CommitMember, names: ReadonlyMap<string, number>): Promise<void> {
    for (const [directory, mark] of names) {
      await this.#env.files.syncDirectory(directory);
      this.#unsynced.nameSynced(member, directory, mark);
    }
  }
}

/** Can more room on the disk mend it? */
export const isDiskFull = ({ code }: CommitFailedError): boolean => isFullDisk(code);

const isDurable = (member: CommitMember, writes: readonly StagedWrite[]): boolean =>
  member.durableOffset >= (writes.at(-1)?.endOffset ?? 0);

/** Shares the writes out to frames of at most `maxFrameBytes`, one of them as a rule; without a journal all are synced in their segments. */
function framesOf(parts: readonly Part[], maxFrameBytes: number | undefined): Frame[] {
  const newFrame = (): Frame => ({ entries: [], journaled: [], direct: [], completes: [], bytes: FRAME_HEADER_BYTES, dataBytes: 0 });
  const maxDataBytes = (maxFrameBytes ?? 0) / 2;
  let frame = newFrame();
  const frames = [frame];
  for (const { member, writes } of parts) {
    for (const write of writes) {
      const tableBytes = tableBytesOf({ partition: member.name });
      const isSmall = write.bytes <= JOURNALED_WRITE_BYTES && frame.dataBytes + write.bytes <= maxDataBytes;
      const bytes = tableBytes + (isSmall ? write.bytes : 0);
      if (maxFrameBytes !== undefined && frame.bytes + bytes > maxFrameBytes) frames.push((frame = newFrame()));
      frame.entries.push(entryOf(member, write, isSmall));
      (isSmall ? frame.journaled : frame.direct).push({ member, write });
      frame.bytes += bytes;
      if (isSmall) frame.dataBytes += write.bytes;
    }
    frame.completes.push(member);
  }
  return frames;
}

function entryOf(member: CommitMember, write: StagedWrite, withData: boolean): JournalEntry {
  const { segmentBase, position, bytes, baseOffset, endOffset, leaderEpoch, buffers } = write;
  return {
    partition: member.name,
    topicId: member.topicId,
    segmentBase,
    position,
    bytes,
    baseOffset,
    endOffset,
    leaderEpoch,
    data: withData ? buffers : undefined,
  };
}
