// Who the log dirs belong to: one cluster and one node, as `meta.properties` of each says, and which of them holds the
// metadata. Looks at all of them before anything is changed in any, and refuses what does not belong together, what belongs to
// somebody else, and what has lost its papers; a folder is never adopted. Only then do new ones get theirs.
import { join } from 'node:path';
import type { Env } from '../base/env.ts';
import { makeDurableDirectory, readFileIfThere, replaceFile } from '../base/files.ts';
import { DamagedFileError } from './damaged-file.ts';
import { isReservedDirectoryId, newUuid } from './directory-ids.ts';
import { parsePartitionDirectoryName } from './log/log-names.ts';
import { decodeMetaProperties, encodeMetaProperties, META_PROPERTIES_FILE, type MetaProperties } from './meta-properties.ts';

export interface Identity {
  readonly clusterId: string;
  readonly nodeId: number;
  /** In the order they were given. */
  readonly directories: readonly LogDirIdentity[];
  /** The one of them that holds the metadata log, or is going to. */
  readonly metadataDirectory: string;
  /** One of the partitions that lie in the log dirs, as a witness that the metadata cannot be empty; undefined when there are none. */
  readonly witness: string | undefined;
}

export interface LogDirIdentity {
  readonly directory: string;
  /** 22 characters of base64url. */
  readonly id: string;
}

/** The log dirs are not what they should be; the message says why, and what to do. */
export class WrongDirectoryError extends Error {
  override readonly name = 'WrongDirectoryError';
}

const METADATA_DIRECTORY = '__cluster_metadata-0';
const DEFAULT_NODE_ID = 1;

interface Found {
  readonly directory: string;
  readonly properties: MetaProperties | undefined;
  readonly holdsMetadata: boolean;
  /** Names of the folders of partitions, without the metadata's. */
  readonly partitions: readonly string[];
}

/**
 * `wanted`: what the settings demand; what is left out is taken from the log dirs, or made up for new ones.
 * @throws WrongDirectoryError, DamagedFileError
 */
export async function openIdentity(
  env: Env,
  directories: readonly string[],
  wanted: { clusterId?: string | undefined; nodeId?: number | undefined },
): Promise<Identity> {
  const found: Found[] = [];
  for (const directory of directories) {
    if (found.some((other) => other.directory === directory)) throw new WrongDirectoryError(`${directory} is named twice in log.dirs`);
    await makeDurableDirectory(env.files, directory);
    found.push(await look(env, directory));
  }
  const { clusterId, nodeId } = checkOwner(env, found, wanted);
  checkDirectoryIds(found);
  checkPapers(found);
  checkNoPartitionTwice(found);
  const metadataDirectory = findMetadata(found);
  const identities: LogDirIdentity[] = [];
  for (const { directory, properties } of found) {
    const id = properties?.directoryId ?? newUuid(env);
    // A crash leaves some with and some without: the next start goes on here.
    if (properties?.directoryId === undefined) {
      await replaceFile(env.files, join(directory, META_PROPERTIES_FILE), encodeMetaProperties({ clusterId, nodeId, directoryId: id }));
    }
    identities.push({ directory, id });
  }
  const holder = found.find(({ partitions }) => partitions.length > 0);
  const witness = holder === undefined ? undefined : join(holder.directory, holder.partitions[0] ?? '');
  return { clusterId, nodeId, directories: identities, metadataDirectory, witness };
}

async function look(env: Env, directory: string): Promise<Found> {
  const file = join(directory, META_PROPERTIES_FILE);
  const bytes = await readFileIfThere(env.files, file);
  const folders = (await env.files.readDirectory(directory)).filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  return {
    directory,
    properties: bytes === undefined ? undefined : decodeMetaProperties(bytes, file),
    holdsMetadata: folders.includes(METADATA_DIRECTORY),
    partitions: folders.filter((name) => name !== METADATA_DIRECTORY && isPartition(name)).sort(),
  };
}

function isPartition(folder: string): boolean {
  const parsed = parsePartitionDirectoryName(folder);
  return parsed !== undefined && parsed.mark === undefined;
}

function checkOwner(
  env: Env,
  found: readonly Found[],
  wanted: { clusterId?: string | undefined; nodeId?: number | undefined },
): { clusterId: string; nodeId: number } {
  const first = found.find(({ properties }) => properties !== undefined);
  const clusterId = first?.properties?.clusterId ?? wanted.clusterId ?? newUuid(env);
  const nodeId = first?.properties?.nodeId ?? wanted.nodeId ?? DEFAULT_NODE_ID;
  for (const { directory, properties } of found) {
    if (properties === undefined) continue;
    if (properties.clusterId !== clusterId) {
      throw new WrongDirectoryError(
        `${directory} belongs to cluster ${properties.clusterId}, and ${first?.directory ?? ''} to cluster ${clusterId}: the log dirs of a broker are of one cluster, take the wrong one out of log.dirs`,
      );
    }
    if (properties.nodeId !== nodeId) {
      throw new WrongDirectoryError(
        `${directory} belongs to node ${properties.nodeId}, and ${first?.directory ?? ''} to node ${nodeId}: the log dirs of a broker are of one node, take the wrong one out of log.dirs`,
      );
    }
  }
  if (wanted.clusterId !== undefined && wanted.clusterId !== clusterId) {
    throw new WrongDirectoryError(
      `${first?.directory ?? ''} belongs to cluster ${clusterId}, and cluster.id is ${wanted.clusterId}: leave the setting out, or give another directory`,
    );
  }
  if (wanted.nodeId !== undefined && wanted.nodeId !== nodeId) {
    throw new WrongDirectoryError(
      `${first?.directory ?? ''} belongs to node ${nodeId}, and node.id is ${wanted.nodeId}: leave the setting out, or give another directory`,
    );
  }
  return { clusterId, nodeId };
}

function checkDirectoryIds(found: readonly Found[]): void {
  const seen = new Map<string, string>();
  for (const { directory, properties } of found) {
    const id = properties?.directoryId;
    if (id === undefined) continue;
    const other = seen.get(id);
    if (other !== undefined) {
      throw new WrongDirectoryError(
        `${directory} and ${other} have the same directory.id ${id}: one is a copy of the other, take it out of log.dirs`,
      );
    }
    if (isReservedDirectoryId(id)) {
      throw new DamagedFileError(
        join(directory, META_PROPERTIES_FILE),
        `directory.id is ${id}, which no directory can have`,
        'restore the file; or remove that line, and the directory gets a new id',
      );
    }
    seen.set(id, directory);
  }
}

/** What lies in a dir without papers belongs to somebody, and nobody can say whom. */
function checkPapers(found: readonly Found[]): void {
  for (const { directory, properties, holdsMetadata, partitions } of found) {
    const [partition] = holdsMetadata ? [METADATA_DIRECTORY] : partitions;
    if (properties !== undefined || partition === undefined) continue;
    throw new WrongDirectoryError(
      `${directory} is not empty and has no ${META_PROPERTIES_FILE}: ${partition} in it looks like a partition of a cluster; restore that file (another log dir of the same node has the same but for directory.id), or give an empty directory`,
    );
  }
}

function checkNoPartitionTwice(found: readonly Found[]): void {
  const seen = new Map<string, string>();
  for (const { directory, partitions } of found) {
    for (const partition of partitions) {
      const other = seen.get(partition);
      if (other !== undefined) {
        throw new WrongDirectoryError(
          `the partition ${partition} lies in ${other} and in ${directory}: nobody can say which one is right; move one of the two out of the log dirs`,
        );
      }
      seen.set(partition, directory);
    }
  }
}

/** Where the metadata log lies. Cluster metadata that was lost must not be begun again beside the data it was about. */
function findMetadata(found: readonly Found[]): string {
  const [first, second] = found.filter(({ holdsMetadata }) => holdsMetadata);
  if (first !== undefined && second !== undefined) {
    throw new WrongDirectoryError(
      `${first.directory} and ${second.directory} both hold a ${METADATA_DIRECTORY}: a broker has one metadata log, move the older one out of the log dirs`,
    );
  }
  if (first !== undefined) return first.directory;
  const holder = found.find(({ partitions }) => partitions.length > 0);
  if (holder !== undefined) {
    throw new WrongDirectoryError(
      `no log dir holds the metadata log ${METADATA_DIRECTORY}, and ${holder.directory} holds the partition ${holder.partitions[0] ?? ''}: the log dir with the metadata is missing from log.dirs, or the folder was removed; name it or restore it (without it nobody knows what topics there are)`,
    );
  }
  return found[0]?.directory ?? '';
}
