// meta.properties: which cluster and which node a log directory belongs to, and the directory's own id (KIP-631, KIP-858).
// Text form only; a broker refuses a directory of another cluster or node before it touches anything in it.
import { DamagedFileError, quoted } from './damaged-file.ts';
import { normalizeUuid } from './uuid-text.ts';

export const META_PROPERTIES_FILE = 'meta.properties';
const MAX_INT32 = 0x7fff_ffff;

export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  /** 22 characters of base64url; undefined in a directory that a Kafka before 3.7 formatted: the next writer gives it one. */
  readonly directoryId: string | undefined;
}

/** The text of version 1, the only one of KRaft. */
export function encodeMetaProperties(properties: MetaProperties): Buffer {
  const lines = ['version=1', `cluster.id=${escapeValue(properties.clusterId)}`, `node.id=${properties.nodeId}`];
  if (properties.directoryId !== undefined) lines.push(`directory.id=${properties.directoryId}`);
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
}

/** @throws DamagedFileError, also for version 0, which ZooKeeper-based Kafka wrote */
export function decodeMetaProperties(bytes: Buffer, file: string = META_PROPERTIES_FILE): MetaProperties {
  const values = parseJavaProperties(bytes.toString('latin1'));
  const version = values.get('version')?.trim() ?? '0';
  if (version === '0')
    throw new DamagedFileError(
      file,
      'it has version 0, of a Kafka with ZooKeeper',
      'migrate that cluster to KRaft with Kafka 3.9 first, or use another directory',
    );
  if (version !== '1')
    throw new DamagedFileError(file, `it has version ${quoted(version)}, known is 1`, 'open the directory with the broker that wrote it');
  const clusterId = values.get('cluster.id');
  if (clusterId === undefined || clusterId === '') throw incomplete(file, 'cluster.id is missing');
  const nodeIdText = values.get('node.id');
  const nodeId = Number(nodeIdText);
  if (nodeIdText === undefined) throw incomplete(file, 'node.id is missing');
  if (!/^\d{1,10}$/.test(nodeIdText) || nodeId > MAX_INT32)
    throw incomplete(file, `node.id is ${quoted(nodeIdText)}, no number from 0 to 2^31 - 1`);
  const directoryIdText = values.get('directory.id');
  const directoryId = directoryIdText === undefined ? undefined : normalizeUuid(directoryIdText);
  if (directoryIdText !== undefined && directoryId === undefined)
    throw incomplete(file, `directory.id is ${quoted(directoryIdText)}, no id of 22 characters of base64url`);
  return { clusterId, nodeId, directoryId };
}

function incomplete(file: string, why: string): DamagedFileError {
  return new DamagedFileError(
    file,
    why,
    "restore it from a backup, or from another log directory of the same node (only directory.id differs); don't delete it while the directory holds topics",
  );
}

/** Java's properties format: comments with # or !, key and value parted by =, : or blanks, backslash escapes, lines continued by a backslash. */
function parseJavaProperties(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const lines = text.replaceAll(/(?<!\\)((?:\\\\)*)\\(?:\r\n|\n|\r)[ \t\f]*/g, '$1').split(/\r\n|\n|\r/);
  for (const line of lines) {
    const parts = /^[ \t\f]*((?:\\.|[^\\=: \t\f])+)[ \t\f]*(?:[=:][ \t\f]*)?(.*)$/.exec(line);
    const key = parts?.[1];
    if (key === undefined || key.startsWith('#') || key.startsWith('!')) continue;
    values.set(unescape(key), unescape(parts?.[2] ?? ''));
  }
  return values;
}

const namedEscapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: '\f' };

function unescape(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, character: string) =>
    code === undefined ? (namedEscapes[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function escapeValue(text: string): string {
  return text.replaceAll(/[\\=:#! \n\r\t\f]|[^ -~]/g, (character) =>
    /[\\=:#! ]/.test(character) ? `\\${character}` : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
