// The facts of the machine without which no figure means anything; none that names it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { pinning } from './parties.ts';

export function machineFacts(dataParent: string, command: string): string[] {
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${memoryGiB} GiB memory, ${process.platform} ${release()}`,
    `data on ${diskFacts(dataParent)}`,
    `Node.js ${process.version}${javaFacts()}`,
    pinning.enabled ? 'servers pinned to the first core, the load generator to the second' : 'nothing pinned',
    `made by \`${command}\``,
  ];
}

function javaFacts(): string {
  const said = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return said.status === 0 ? `, ${said.stderr.split('\n')[0] ?? ''}` : ', no Java: Kafka is left out';
}

/** File system and class of the disk below a folder; no names. */
export function diskFacts(path: string): string {
  const fileSystem = spawnSync('stat', ['-f', '-c', '%T', path], { encoding: 'utf8' }).stdout?.trim() || 'an unknown file system';
  const device = spawnSync('df', ['--output=source', path], { encoding: 'utf8' }).stdout?.split('\n')[1]?.trim() ?? '';
  const disk = /\/dev\/([a-z]+|nvme\d+n\d+)/.exec(device)?.[1];
  if (disk === undefined) return fileSystem;
  return `${fileSystem} on ${disk.startsWith('vd') ? 'a virtual disk (virtio)' : disk.startsWith('nvme') ? 'NVMe' : 'a disk'}${cacheOf(disk)}`;
}

function cacheOf(disk: string): string {
  try {
    return `, ${readFileSync(`/sys/block/${disk}/queue/write_cache`, 'latin1').trim()} cache`;
  } catch {
    return '';
  }
}
