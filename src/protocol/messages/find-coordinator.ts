// FindCoordinator (API 10): the broker that coordinates a group, a transactional id or a share partition.
// Wire tables only. Until version 3 one key is asked for, from version 4 on a list.
import { arrayOf, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const findCoordinatorRequest = message(
  'FindCoordinatorRequest',
  { apiKey: 10, type: 'request', versions: '0-6', flexible: '3+' },
  {
    key: string('0-3'),
    keyType: int8('1+', { default: 0 }), // KIP-98: 0 group, 1 transactional id, 2 share partition (KIP-932)
    coordinatorKeys: arrayOf('4+', string), // KIP-699
  },
);
export type FindCoordinatorRequest = Decoded<typeof findCoordinatorRequest>;

export const findCoordinatorResponse = message(
  'FindCoordinatorResponse',
  { apiKey: 10, type: 'response', versions: '0-6', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0-3'),
    errorMessage: nullableString('1-3', { ignorable: true }),
    nodeId: int32('0-3'),
    host: string('0-3'),
    port: int32('0-3'),
    // KIP-699
    coordinators: arrayOf('4+', {
      key: string('4+'),
      nodeId: int32('4+'),
      host: string('4+'),
      port: int32('4+'),
      errorCode: int16('4+'),
      errorMessage: nullableString('4+', { ignorable: true }),
    }),
  },
);
export type FindCoordinatorResponse = Decoded<typeof findCoordinatorResponse>;
