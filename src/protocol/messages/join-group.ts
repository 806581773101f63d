// JoinGroup (API 11): a member enters a classic group, or takes part in its next rebalance.
// Wire tables only. The answer is held back until the round is complete; the group coordinator decides when that is.
import { arrayOf, boolean, bytes, int16, int32, message, nullableString, string, type Decoded } from '../schema.ts';

export const joinGroupRequest = message(
  'JoinGroupRequest',
  { apiKey: 11, type: 'request', versions: '0-9', flexible: '6+' },
  {
    groupId: string('0+'),
    sessionTimeoutMs: int32('0+'),
    rebalanceTimeoutMs: int32('1+', { default: -1, ignorable: true }), // KIP-62: before it, the session timeout
    memberId: string('0+'),
    groupInstanceId: nullableString('5+', { default: null }), // KIP-345
    protocolType: string('0+'),
    protocols: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      metadata: bytes('0+'),
    }),
    reason: nullableString('8+', { default: null, ignorable: true }), // KIP-800
  },
);
export type JoinGroupRequest = Decoded<typeof joinGroupRequest>;

export const joinGroupResponse = message(
  'JoinGroupResponse',
  { apiKey: 11, type: 'response', versions: '0-9', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: nullableString('7+', { default: null, ignorable: true }), // KIP-559
    protocolName: string('0+', { nullable: '7+' }),
    leader: string('0+'),
    skipAssignment: boolean('9+', { default: false }), // KIP-814
    memberId: string('0+'),
    members: arrayOf('0+', {
      memberId: string('0+'),
      groupInstanceId: nullableString('5+', { default: null, ignorable: true }), // KIP-345
      metadata: bytes('0+'),
    }),
  },
);
export type JoinGroupResponse = Decoded<typeof joinGroupResponse>;
