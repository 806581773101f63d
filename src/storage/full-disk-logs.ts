// The logs of one dir whose commits a full disk has refused: each is cut to what is committed, which makes room too, and
// takes records again. Whether clients' records are let in by then is the disk room's to say.
import type { CheckpointSchedule } from './checkpoint-schedule.ts';
import type { CommitLog } from './commit/commit-log.ts';
import type { DiskRoom } from './disk-room.ts';
import type { PartitionLog } from './log/partition-log.ts';
import type { RecoveredLog } from './log/recovery.ts';

export interface FullDiskLogsOptions {
  readonly commits: CommitLog;
  readonly room: DiskRoom;
  readonly checkpoints: CheckpointSchedule;
  /** What the files of the log hold up to its high watermark, which is synced now; what lies beyond is cut. */
  readonly recover: (log: PartitionLog) => Promise<RecoveredLog>;
  /** It was dropped, or closed, while it waited, or the dir has failed for good. */
  readonly isGone: (log: PartitionLog) => boolean;
  readonly onReopened: (log: PartitionLog) => void;
  readonly onFatal: (error: unknown) => void;
}

export class FullDiskLogs {
  readonly #options: FullDiskLogsOptions;
  readonly #waiting = new Set<PartitionLog>();
  #running: Promise<void> | undefined;

  constructor(options: FullDiskLogsOptions) {
    this.#options = options;
  }

  add(log: PartitionLog): void {
    this.#waiting.add(log);
    this.#running ??= this.#run().catch((thrown: unknown) => this.#options.onFatal(thrown));
  }

  /** Resolves when nothing is being cut. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /**
   * For a clean stop: what was refused and is not cut by then would be taken for part of the log by the next start.
   * @throws what the file system throws
   */
  async cut(logs: Iterable<PartitionLog>): Promise<void> {
    for (const log of logs) if (log.isUncut) await log.changeFiles(() => this.#cutNow(log));
  }

  async #run(): Promise<void> {
    const { room, commits } = this.#options;
    try {
      while (this.#waiting.size > 0) {
        await room.ranOut(() => commits.settled());
        const logs = [...this.#waiting];
        this.#waiting.clear();
        for (const log of logs) await this.#reopen(log);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #reopen(log: PartitionLog): Promise<void> {
    const { commits, isGone } = this.#options;
    await commits.settled();
    if (isGone(log)) return;
    try {
      await log.changeFiles(async () => (isGone(log) ? undefined : this.#cutNow(log)));
    } catch (thrown) {
      // In a stop a descriptor is not waited for without end: `cut` tries again, and says so if it cannot.
      if (!isGone(log)) throw thrown;
    }
  }

  /**
   * Nobody syncs the files of the log any more once they are forgotten: until `recover` has done it, the frames of the journal are all
   * that is durable of what was acknowledged, so no checkpoint may come in between.
   */
  async #cutNow(log: PartitionLog): Promise<void> {
    const { commits, checkpoints, recover, onReopened } = this.#options;
    await checkpoints.between(async () => {
      commits.forget(log);
      log.reopen(await recover(log));
    });
    onReopened(log);
  }
}
