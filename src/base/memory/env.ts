// An environment without a machine: time that stands still until it is moved, a disk and a network in memory, chance from a
// seed. Tests and the simulator run the broker's own code in it. Several of them share a clock, a wire, or one disk after the other.
import type { Compute, Env } from '../env.ts';
import { guarded, type OnThrown } from '../real/clock.ts';
import { FakeClock } from './clock.ts';
import { MemoryDisk, type Progress } from './disk.ts';
import type { MemoryFiles } from './files.ts';
import { MemoryNetwork, type JoinedNetwork } from './network.ts';
import { memoryProcessFacts } from './process-facts.ts';
import { SeededRandom } from './random.ts';

export interface MemoryEnvOptions {
  /** 1 when left out. */
  seed?: number;
  /** One that answers at once keeps a run the same every time; work on threads is waited for, but may end in any order. */
  compute: Compute;
  /** Wall time at the start, where no clock is given. */
  startWallMs?: number;
  /** Left out: nothing limits it. */
  memoryLimitBytes?: number;
  /** Shared with other programs of the same world; made when left out. */
  clock?: FakeClock;
  disk?: MemoryDisk;
  wire?: MemoryNetwork;
  /** Receives what timers, deferred work and sockets' callbacks throw; left out, it becomes an uncaught exception. */
  onThrown?: OnThrown;
}

export interface MemoryEnv extends Env {
  readonly clock: FakeClock;
  readonly disk: MemoryDisk;
  readonly wire: MemoryNetwork;
  readonly files: MemoryFiles;
  readonly network: JoinedNetwork;
  advanceMs(ms: number): Promise<void>;
  settle(): Promise<void>;
  /**
   * kill -9: no timer fires any more, no file operation returns, the peers see resets. The disk keeps what was written;
   * `disk.losePower` takes from it what was not synced. Start again with a new environment over the same disk, clock and wire.
   */
  kill(progress?: Progress): void;
}

export function makeMemoryEnv(options: MemoryEnvOptions): MemoryEnv {
  const random = new SeededRandom(options.seed ?? 1);
  const clock = options.clock ?? new FakeClock(options.startWallMs === undefined ? {} : { startWallMs: options.startWallMs });
  const disk = options.disk ?? new MemoryDisk({ clock });
  const wire = options.wire ?? new MemoryNetwork({ clock });
  const files = disk.mount();
  const network = wire.join(options.onThrown);
  let alive = true;
  const ifAlive = (run: () => void) => (): void => {
    if (alive) guarded(run, options.onThrown);
  };
  return {
    clock,
    disk,
    wire,
    files,
    network,
    compute: trackedCompute(options.compute, clock),
    processes: memoryProcessFacts(disk, files),
    monotonicMs: () => clock.monotonicMs(),
    wallMs: () => clock.wallMs(),
    timer: (ms, run) => clock.timer(ms, ifAlive(run)),
    defer: (run) => clock.defer(ifAlive(run)),
    random: () => random.next(),
    randomBytes: (count) => random.bytes(count),
    memoryLimitBytes: options.memoryLimitBytes ?? Infinity,
    advanceMs: (ms) => clock.advanceMs(ms),
    settle: () => clock.settle(),
    kill: (progress) => {
      alive = false;
      network.kill();
      files.kill(progress);
    },
  };
}

function trackedCompute(compute: Compute, clock: FakeClock): Compute {
  const tracked = <T>(result: T | Promise<T>): T | Promise<T> => (result instanceof Promise ? clock.track(result) : result);
  return {
    crc32c: (bytes) => compute.crc32c(bytes),
    compress: (codec, bytes, level) => tracked(compute.compress(codec, bytes, level)),
    decompress: (codec, bytes, maxBytes) => tracked(compute.decompress(codec, bytes, maxBytes)),
  };
}
