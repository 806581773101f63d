// The disk of one machine in memory, and what can happen to it: programs mount it, it fills up, fails and slows down on
// demand, a program is killed, the power goes. As the store of an embedded broker it is none of that and costs nothing for it.
import type { Env } from '../env.ts';
import { DiskFaults, type DiskFault, type DiskOperation, type DiskOperationKind, type FaultOutcome } from './disk-faults.ts';
import { DiskState } from './disk-state.ts';
import { MemoryFiles } from './files.ts';
import { afterPowerLoss, describeChange, type Survival, type UnsyncedChange } from './power-loss.ts';

export interface MemoryDiskOptions {
  /** Keeps what is durable apart from what is written, so that `losePower` is possible. Doubles the memory. */
  modelsPowerLoss?: boolean;
  /** Times of modification, and delays. Without it files are from 1970 and nothing can be delayed. */
  clock?: Pick<Env, 'timer' | 'wallMs'>;
  /** Bytes of content that fit; settable later. Without end when left out. */
  capacityBytes?: number;
  /** Open files a program may have at once; beyond it opening fails with EMFILE. */
  mostHandles?: number;
  /** How long an operation takes; needs a clock. */
  latencyMs?: (operation: DiskOperation) => number;
  /** Called before every operation. */
  onOperation?: (operation: DiskOperation) => void;
}

/** What an operation under way has done by the time its program is killed: the share of a write, 0 to 1; others happen from 1 on. */
export type Progress = (operation: DiskOperation) => number;

export interface BegunOperation {
  readonly operation: DiskOperation;
  readonly fault: FaultOutcome;
  readonly delayMs: number;
}

export class MemoryDisk {
  capacityBytes: number;
  readonly mostHandles: number;
  readonly clock: Pick<Env, 'timer' | 'wallMs'> | undefined;
  readonly faults = new DiskFaults();
  readonly counts = new Map<DiskOperationKind, number>();
  state: DiskState;
  readonly #latencyMs: ((operation: DiskOperation) => number) | undefined;
  readonly #onOperation: ((operation: DiskOperation) => void) | undefined;
  readonly #programs = new Set<MemoryFiles>();
  #operations = 0;

  constructor(options: MemoryDiskOptions = {}) {
    this.state = new DiskState(options.modelsPowerLoss ?? false);
    this.capacityBytes = options.capacityBytes ?? Infinity;
    this.mostHandles = options.mostHandles ?? Infinity;
    this.clock = options.clock;
    this.#latencyMs = options.latencyMs;
    this.#onOperation = options.onOperation;
  }

  /** The file system as one program sees it; a restarted program mounts again. */
  mount(): MemoryFiles {
    const files = new MemoryFiles(this);
    this.#programs.add(files);
    return files;
  }

  /** True while the program has the disk mounted. */
  runs(program: string): boolean {
    for (const files of this.#programs) if (files.program === program) return true;
    return false;
  }

  get usedBytes(): number {
    return this.state.storedBytes;
  }

  /** How many operations of a kind, or all, have been asked for. */
  count(kind?: DiskOperationKind): number {
    return kind === undefined ? this.#operations : (this.counts.get(kind) ?? 0);
  }

  /** Makes matching operations fail, come up short or take long. Disposing ends it. */
  inject(fault: DiskFault): Disposable {
    return this.faults.add(fault);
  }

  /** Everything that was changed and not synced, in order. */
  unsynced(): UnsyncedChange[] {
    return Array.from(this.state.pending.values(), describeChange);
  }

  /** Kills every program, then the power goes and comes back. Mount again to see what is left. */
  losePower(survives: Survival, progress?: Progress): void {
    for (const program of this.#programs) program.kill(progress);
    this.state = afterPowerLoss(this.state, survives);
  }

  /** A disk as `losePower` would leave it; this one goes on. Without faults, full speed. */
  copyAfterPowerLoss(survives: Survival): MemoryDisk {
    const copy = new MemoryDisk({ modelsPowerLoss: true, ...(this.clock && { clock: this.clock }) });
    copy.state = afterPowerLoss(this.state, survives);
    return copy;
  }

  /** For MemoryFiles: counts an operation and says what becomes of it. */
  begin(kind: DiskOperationKind, path: string, position: number, bytes: number): BegunOperation {
    const operation = { index: this.#operations, kind, path, position, bytes };
    this.#operations += 1;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#onOperation?.(operation);
    const fault = this.faults.strike(operation);
    const latencyMs = this.#latencyMs?.(operation) ?? 0;
    return { operation, fault, delayMs: fault.delayMs + latencyMs };
  }

  /** For MemoryFiles: a killed program is forgotten. */
  unmounted(files: MemoryFiles): void {
    this.#programs.delete(files);
  }
}
