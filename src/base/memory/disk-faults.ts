// What can be wrong with a disk in memory: rules that make chosen operations fail, come up short or take their time.
// Counting and matching only; memory/files.ts asks before every operation.
import type { PosixCode } from '../posix-error.ts';

export type DiskOperationKind =
  | 'open'
  | 'create'
  | 'readDirectory'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'stat'
  | 'syncDirectory'
  | 'read'
  | 'write'
  | 'dataSync'
  | 'truncate'
  | 'size'
  | 'close';

/** `create` is an open in mode `create`, whether or not the file was there. `readFile` is `open`, `read`, `close`. */
export interface DiskOperation {
  /** Counts all operations of the disk, from 0. */
  readonly index: number;
  readonly kind: DiskOperationKind;
  /** The path it was asked for; of a handle the one it was opened by. */
  readonly path: string;
  /** Where in the file, 0 when that means nothing. */
  readonly position: number;
  /** To read, to write, or the length to truncate to. */
  readonly bytes: number;
}

export interface DiskFault {
  /** All kinds when left out. */
  kinds?: readonly DiskOperationKind[];
  /** All paths when left out. */
  path?: RegExp;
  /** Lets this many matching operations pass first: 2 means from the third on. */
  skip?: number;
  /** Then strikes this many times; without end when left out. */
  times?: number;
  /**
   * Fails with this code. A failed `dataSync` leaves what it should have synced lost to every later sync, as on Linux; so does a
   * failed `syncDirectory`, but for EMFILE, with which the folder was not even opened.
   */
  code?: PosixCode;
  /** A write that fails has written this many bytes by then; a read gives no more than this many. */
  partialBytes?: number;
  /** Takes so long, on the clock of the disk. */
  delayMs?: number;
}

export interface FaultOutcome {
  code: PosixCode | undefined;
  partialBytes: number | undefined;
  delayMs: number;
}

const noFault: FaultOutcome = { code: undefined, partialBytes: undefined, delayMs: 0 };

interface Rule {
  readonly fault: DiskFault;
  skip: number;
  left: number;
}

export class DiskFaults {
  readonly #rules = new Set<Rule>();

  /** Disposing takes the rule back. */
  add(fault: DiskFault): Disposable {
    const rule: Rule = { fault, skip: fault.skip ?? 0, left: fault.times ?? Infinity };
    this.#rules.add(rule);
    return { [Symbol.dispose]: () => void this.#rules.delete(rule) };
  }

  clear(): void {
    this.#rules.clear();
  }

  /** Every matching rule counts; the delays add up, and the first one that fails the operation decides how. */
  strike(operation: DiskOperation): FaultOutcome {
    if (this.#rules.size === 0) return noFault;
    const outcome = { ...noFault };
    for (const rule of this.#rules) {
      const { kinds, path, code, partialBytes, delayMs } = rule.fault;
      if (kinds !== undefined && !kinds.includes(operation.kind)) continue;
      if (path !== undefined && !path.test(operation.path)) continue;
      if (rule.skip > 0) {
        rule.skip -= 1;
        continue;
      }
      rule.left -= 1;
      if (rule.left <= 0) this.#rules.delete(rule);
      outcome.delayMs += delayMs ?? 0;
      if (outcome.code === undefined && outcome.partialBytes === undefined) {
        outcome.code = code;
        outcome.partialBytes = partialBytes;
      }
    }
    return outcome;
  }
}
