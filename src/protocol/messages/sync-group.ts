// SyncGroup (API 14): the leader of a classic group hands out the assignment, every other member waits for its share.
// Wire tables only. Assignments are opaque bytes to the broker.
import { arrayOf, bytes, int16, int32, message, nullableString, string, type Decoded } from '../schema.ts';

export const syncGroupRequest = message(
  'SyncGroupRequest',
  { apiKey: 14, type: 'request', versions: '0-5', flexible: '4+' },
  {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: nullableString('3+', { default: null }), // KIP-345
    protocolType: nullableString('5+', { default: null, ignorable: true }), // KIP-559
    protocolName: nullableString('5+', { default: null, ignorable: true }), // KIP-559
    assignments: arrayOf('0+', {
      memberId: string('0+'),
      assignment: bytes('0+'),
    }),
  },
);
export type SyncGroupRequest = Decoded<typeof syncGroupRequest>;

export const syncGroupResponse = message(
  'SyncGroupResponse',
  { apiKey: 14, type: 'response', versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: nullableString('5+', { default: null, ignorable: true }), // KIP-559
    protocolName: nullableString('5+', { default: null, ignorable: true }), // KIP-559
    assignment: bytes('0+'),
  },
);
export type SyncGroupResponse = Decoded<typeof syncGroupResponse>;
