// DeleteAcls (API 31): access control entries that match a filter go.
// Wire tables only. The codes of resources, patterns and operations belong to broker/security/.
import { arrayOf, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const deleteAclsRequest = message(
  'DeleteAclsRequest',
  { apiKey: 31, type: 'request', versions: '1-3', flexible: '2+' },
  {
    filters: arrayOf('0+', {
      resourceTypeFilter: int8('0+'),
      resourceNameFilter: nullableString('0+'),
      patternTypeFilter: int8('1+', { default: 3 }), // KIP-290
      principalFilter: nullableString('0+'),
      hostFilter: nullableString('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
);
export type DeleteAclsRequest = Decoded<typeof deleteAclsRequest>;

export const deleteAclsResponse = message(
  'DeleteAclsResponse',
  { apiKey: 31, type: 'response', versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    filterResults: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      matchingAcls: arrayOf('0+', {
        errorCode: int16('0+'),
        errorMessage: nullableString('0+'),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        patternType: int8('1+', { default: 3 }), // KIP-290
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  },
);
export type DeleteAclsResponse = Decoded<typeof deleteAclsResponse>;
