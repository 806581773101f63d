// LeaveGroup (API 13): members leave a classic group at once, without waiting for their session to time out.
// Wire tables only. Until version 2 one member leaves, from version 3 on a list.
import { arrayOf, int16, int32, message, nullableString, string, type Decoded } from '../schema.ts';

export const leaveGroupRequest = message(
  'LeaveGroupRequest',
  { apiKey: 13, type: 'request', versions: '0-5', flexible: '4+' },
  {
    groupId: string('0+'),
    memberId: string('0-2'),
    // KIP-345
    members: arrayOf('3+', {
      memberId: string('3+'),
      groupInstanceId: nullableString('3+', { default: null }),
      reason: nullableString('5+', { default: null, ignorable: true }), // KIP-800
    }),
  },
);
export type LeaveGroupRequest = Decoded<typeof leaveGroupRequest>;

export const leaveGroupResponse = message(
  'LeaveGroupResponse',
  { apiKey: 13, type: 'response', versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    // KIP-345
    members: arrayOf('3+', {
      memberId: string('3+'),
      groupInstanceId: nullableString('3+'),
      errorCode: int16('3+'),
    }),
  },
);
export type LeaveGroupResponse = Decoded<typeof leaveGroupResponse>;
