// The figures of what lies below the sockets: commits, caches, files, log dirs, and how late the event loop runs.
import type { Env } from '../base/env.ts';
import { groupSizes, latencySeconds, sizeBytes, type Metrics } from '../base/metrics.ts';
import type { Broker } from '../broker/broker.ts';
import type { LogCleaner } from '../storage/log-cleaner.ts';
import type { LogDir } from '../storage/log-dir.ts';
import type { CleaningFigures } from '../storage/log/cleaner.ts';
import type { TailCache } from '../storage/log/tail-cache.ts';

export interface CommitFigures {
  readonly members: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Returns what the commit loops of all log dirs report to. */
export function measureCommits(metrics: Metrics): (group: CommitFigures) => void {
  const seconds = metrics.histogram(
    'bucketrider_commit_seconds',
    'Time a group commit took, from its first write to its last sync',
    latencySeconds,
  );
  const partitions = metrics.histogram('bucketrider_commit_partitions', 'Partitions in a group commit', groupSizes);
  const bytes = metrics.histogram('bucketrider_commit_bytes', 'Bytes of record batches in a group commit', sizeBytes);
  return (group) => {
    seconds.observe(group.milliseconds / 1000);
    partitions.observe(group.members);
    bytes.observe(group.bytes);
  };
}

export function measureStorage(metrics: Metrics, parts: { logDirs: readonly LogDir[]; tailCache: TailCache }): void {
  const { logDirs, tailCache } = parts;
  metrics.measure('bucketrider_tail_cache_bytes', 'Bytes of batches held in memory, those being written among them', () => tailCache.bytes);
  metrics.measure('bucketrider_open_files', 'Files of logs that are open', () =>
    logDirs.reduce((sum, { openFileCount }) => sum + openFileCount, 0),
  );
  metrics.measureEach('bucketrider_log_dir_offline', '1 when the log dir takes no writes until a restart', ['directory'], () =>
    logDirs.map(({ directory, offline }) => [{ directory }, offline === undefined ? 0 : 1]),
  );
  metrics.measureEach('bucketrider_log_dir_full', '1 while clients’ records are refused because the disk is full', ['directory'], () =>
    logDirs.map(({ directory, isFull }) => [{ directory }, isFull ? 1 : 0]),
  );
}

/** Returns what the cleaner reports to. */
export function measureCleaner(metrics: Metrics, cleaner: () => LogCleaner): (figures: CleaningFigures & { milliseconds: number }) => void {
  const seconds = metrics.histogram('bucketrider_cleaning_seconds', 'Time the cleaning of one log took', latencySeconds);
  const read = metrics.counter('bucketrider_cleaner_read_bytes', 'Bytes of segments that the cleaner has read');
  const written = metrics.counter('bucketrider_cleaner_written_bytes', 'Bytes of segments that the cleaner has written anew');
  const records = metrics.counter('bucketrider_cleaner_removed_records', 'Records that cleaning has left out');
  metrics.measure(
    'bucketrider_cleaner_max_dirty_ratio',
    'Share of uncleaned bytes in the dirtiest compacted log, as of the last look',
    () => cleaner().maxDirtyRatio,
  );
  metrics.measure(
    'bucketrider_cleaner_uncleanable_partitions',
    'Partitions that could not be cleaned and are left alone until a restart',
    () => cleaner().uncleanable.length,
  );
  return (figures) => {
    seconds.observe(figures.milliseconds / 1000);
    read.add(figures.bytesRead);
    written.add(figures.bytesWritten);
    records.add(figures.recordsRead - figures.recordsKept);
  };
}

export function measureBroker(metrics: Metrics, parts: Pick<Broker, 'image' | 'fetchSessions' | 'groups'>): void {
  metrics.measure('bucketrider_topics', 'Topics', () => parts.image.topics.size);
  metrics.measure('bucketrider_partitions', 'Partitions', () => parts.image.partitionCount);
  metrics.measure('bucketrider_fetch_sessions', 'Fetch sessions that are open', () => parts.fetchSessions.size);
  metrics.measure('bucketrider_groups', 'Groups that are loaded', () => parts.groups.figures.groups);
  metrics.measure('bucketrider_committed_offsets', 'Offsets that groups have committed', () => parts.groups.figures.offsets);
}

const PROBE_MS = 1000;

/** A timer that should fire every second: what it is late is what everything else on the loop is late too. */
export function measureEventLoop(metrics: Metrics, env: Env): Disposable {
  const delay = metrics.histogram(
    'bucketrider_event_loop_delay_seconds',
    'How late a timer fires that is due every second',
    latencySeconds,
  );
  let timer: Disposable;
  const probe = (): void => {
    const dueMs = env.monotonicMs() + PROBE_MS;
    timer = env.timer(
      PROBE_MS,
      () => {
        delay.observe(Math.max(0, env.monotonicMs() - dueMs) / 1000);
        probe();
      },
      { unref: true },
    );
  };
  probe();
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
