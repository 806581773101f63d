// The programs of a machine in memory: each that has mounted its disk is one, and runs until it is killed or the power goes.
// Nothing is unknown there, and no lock of an operating system is held.
import type { FileLockHolder, ProcessFacts, ProcessIdentity, ProcessState } from '../env.ts';
import type { MemoryDisk } from './disk.ts';
import type { MemoryFiles } from './files.ts';

const MACHINE = 'memory';

export function memoryProcessFacts(disk: MemoryDisk, files: MemoryFiles): ProcessFacts {
  const self: ProcessIdentity = { pid: 1, startedAt: files.program, bootId: MACHINE, pidNamespace: MACHINE, host: MACHINE };
  return {
    self: () => Promise.resolve(self),
    state: (of): Promise<ProcessState> => Promise.resolve(of.host === MACHINE ? (disk.runs(of.startedAt) ? 'running' : 'gone') : 'unknown'),
    fileLockHolder: (): Promise<FileLockHolder | undefined> => Promise.resolve(undefined),
  };
}
