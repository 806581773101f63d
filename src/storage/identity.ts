// Who the data belongs to: the cluster and node a log dir was made for (`meta.properties`). Made on the first start,
// checked on every later one: a folder of another node is refused, never adopted.
import type { Env } from '../base/env.ts';
import { readFileIfThere, replaceFile } from '../base/files.ts';
import { join } from 'node:path';
import type { BrokerConfig } from '../config/broker-configs.ts';
import { decodeMetaProperties, encodeMetaProperties, type MetaProperties } from './meta-properties.ts';

export interface Identity {
  readonly clusterId: string;
  readonly nodeId: number;
}

export class WrongDirectoryError extends Error {
  override readonly name = 'WrongDirectoryError';
}

const FILE = 'meta.properties';

/** @throws WrongDirectoryError when the dirs do not belong together, or belong to another node */
export async function openIdentity(env: Env, directories: readonly string[], config: BrokerConfig): Promise<Identity> {
  const found = new Map<string, MetaProperties>();
  for (const directory of directories) {
    const bytes = await readFileIfThere(env.files, join(directory, FILE));
    if (bytes !== undefined) found.set(directory, decodeMetaProperties(bytes));
  }
  const first = [...found][0];
  const wantedNodeId = config['node.id'];
  const clusterId = first?.[1].clusterId ?? config['cluster.id'] ?? newUuid(env);
  const nodeId = first?.[1].nodeId ?? (wantedNodeId >= 0 ? wantedNodeId : 1);
  for (const [directory, properties] of found) {
    if (properties.clusterId !== clusterId) {
      throw new WrongDirectoryError(
        `${directory} belongs to cluster ${properties.clusterId}, ${first?.[0] ?? ''} to cluster ${clusterId}: give log dirs of one cluster`,
      );
    }
    if (properties.nodeId !== nodeId || (wantedNodeId >= 0 && properties.nodeId !== wantedNodeId)) {
      throw new WrongDirectoryError(
        `${directory} belongs to node ${properties.nodeId}, not ${wantedNodeId >= 0 ? wantedNodeId : nodeId}: set node.id to match, or give another directory`,
      );
    }
  }
  for (const directory of directories) {
    if (found.has(directory)) continue;
    await replaceFile(env.files, join(directory, FILE), encodeMetaProperties({ clusterId, nodeId, directoryId: newUuid(env) }));
  }
  return { clusterId, nodeId };
}

function newUuid(env: Env): string {
  for (;;) {
    const id = Buffer.from(env.randomBytes(16)).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
