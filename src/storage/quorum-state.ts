// quorum-state: what a node of the metadata quorum must not forget, its epoch and its vote (KIP-595, KIP-853). JSON form
// only. Version 0 belongs to kraft.version 0 (static voters), version 1 to kraft.version 1.
import { ZERO_UUID } from '../protocol/reader.ts';
import { DamagedFileError, quoted } from './damaged-file.ts';
import { normalizeUuid } from './uuid-text.ts';

export const QUORUM_STATE_FILE = 'quorum-state';
const NONE = -1;

export interface QuorumState {
  /** -1 when none is known. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** Whom this node gave its vote in `leaderEpoch`; -1 for nobody. */
  readonly votedId: number;
  readonly format:
    | { readonly version: 0; readonly voters: readonly number[] }
    | { readonly version: 1; /** The zero id when unknown. */ readonly votedDirectoryId: string };
}

export function encodeQuorumState(state: QuorumState): Buffer {
  const { leaderId, leaderEpoch, votedId, format } = state;
  const content =
    format.version === 0
      ? {
          clusterId: '',
          leaderId,
          leaderEpoch,
          votedId,
          appliedOffset: 0,
          currentVoters: format.voters.map((voterId) => ({ voterId })),
          data_version: 0,
        }
      : { leaderId, leaderEpoch, votedId, votedDirectoryId: format.votedDirectoryId, data_version: 1 };
  return Buffer.from(JSON.stringify(content));
}

/** @throws DamagedFileError */
export function decodeQuorumState(bytes: Buffer, file: string = QUORUM_STATE_FILE): QuorumState {
  const content = parseObject(bytes, file);
  const version = content['data_version'];
  if (version !== 0 && version !== 1) throw damaged(file, `data_version is ${quoted(String(version))}, known are 0 and 1`);
  const number = (name: string): number => {
    const value = content[name];
    if (!Number.isInteger(value) || (value as number) < NONE) throw damaged(file, `${name} is ${quoted(String(value))}, no number from -1`);
    return value as number;
  };
  const common = { leaderId: number('leaderId'), leaderEpoch: number('leaderEpoch'), votedId: number('votedId') };
  return {
    ...common,
    format:
      version === 0
        ? { version, voters: voters(content['currentVoters'], file) }
        : { version, votedDirectoryId: uuid(content['votedDirectoryId'], file) },
  };
}

function parseObject(bytes: Buffer, file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(file, `it is no JSON (${(cause as Error).message})`);
  }
  if (content === null || typeof content !== 'object' || Array.isArray(content)) throw damaged(file, 'it is no JSON object');
  return content as Record<string, unknown>;
}

function voters(value: unknown, file: string): number[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw damaged(file, 'currentVoters is no list');
  return value.map((voter: unknown) => {
    const id: unknown = voter !== null && typeof voter === 'object' && 'voterId' in voter ? voter.voterId : undefined;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) throw damaged(file, 'currentVoters holds something that is no voter');
    return id;
  });
}

function uuid(value: unknown, file: string): string {
  const id = normalizeUuid(typeof value === 'string' ? value : ZERO_UUID);
  if (id === undefined) throw damaged(file, `votedDirectoryId is ${quoted(String(value))}, no id of 22 characters of base64url`);
  return id;
}

function damaged(file: string, why: string): DamagedFileError {
  return new DamagedFileError(
    file,
    why,
    'a node on its own may remove it and keeps all topics; in a quorum of several, a node that forgets its vote may elect a second leader, so restore the file instead',
  );
}
