// DeleteGroups (API 42): empty groups go, with their committed offsets.
// Wire tables only. Whether a group is empty is decided by the group coordinator.
import { arrayOf, int16, int32, message, string, type Decoded } from '../schema.ts';

export const deleteGroupsRequest = message(
  'DeleteGroupsRequest',
  { apiKey: 42, type: 'request', versions: '0-2', flexible: '2+' },
  {
    groupsNames: arrayOf('0+', string),
  },
);
export type DeleteGroupsRequest = Decoded<typeof deleteGroupsRequest>;

export const deleteGroupsResponse = message(
  'DeleteGroupsResponse',
  { apiKey: 42, type: 'response', versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: arrayOf('0+', {
      groupId: string('0+', { mapKey: true }),
      errorCode: int16('0+'),
    }),
  },
);
export type DeleteGroupsResponse = Decoded<typeof deleteGroupsResponse>;
