// ListGroups (API 16): all groups this broker coordinates, of any type.
// Wire tables only. Filters and names of states are decided in handlers/list-groups.ts.
import { arrayOf, int16, int32, message, string, type Decoded } from '../schema.ts';

export const listGroupsRequest = message(
  'ListGroupsRequest',
  { apiKey: 16, type: 'request', versions: '0-5', flexible: '3+' },
  {
    statesFilter: arrayOf('4+', string), // KIP-518
    typesFilter: arrayOf('5+', string), // KIP-848
  },
);
export type ListGroupsRequest = Decoded<typeof listGroupsRequest>;

export const listGroupsResponse = message(
  'ListGroupsResponse',
  { apiKey: 16, type: 'response', versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: arrayOf('0+', {
      groupId: string('0+'),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }), // KIP-518
      groupType: string('5+', { ignorable: true }), // KIP-848
    }),
  },
);
export type ListGroupsResponse = Decoded<typeof listGroupsResponse>;
