// DescribeGroups (API 15): the state and the members of classic groups.
// Wire tables only. Metadata and assignments of members are opaque bytes, see records/consumer-protocol.ts.
import { arrayOf, boolean, bytes, int16, int32, message, nullableString, string, type Decoded } from '../schema.ts';

export const describeGroupsRequest = message(
  'DescribeGroupsRequest',
  { apiKey: 15, type: 'request', versions: '0-6', flexible: '5+' },
  {
    groups: arrayOf('0+', string),
    includeAuthorizedOperations: boolean('3+'), // KIP-430
  },
);
export type DescribeGroupsRequest = Decoded<typeof describeGroupsRequest>;

export const describeGroupsResponse = message(
  'DescribeGroupsResponse',
  { apiKey: 15, type: 'response', versions: '0-6', flexible: '5+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    groups: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('6+', { default: null }), // KIP-1043
      groupId: string('0+'),
      groupState: string('0+'),
      protocolType: string('0+'),
      protocolData: string('0+'),
      members: arrayOf('0+', {
        memberId: string('0+'),
        groupInstanceId: nullableString('4+', { default: null, ignorable: true }), // KIP-345
        clientId: string('0+'),
        clientHost: string('0+'),
        memberMetadata: bytes('0+'),
        memberAssignment: bytes('0+'),
      }),
      authorizedOperations: int32('3+', { default: -2_147_483_648 }), // KIP-430
    }),
  },
);
export type DescribeGroupsResponse = Decoded<typeof describeGroupsResponse>;
