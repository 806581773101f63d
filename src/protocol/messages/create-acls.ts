// CreateAcls (API 30): new access control entries.
// Wire tables only. The codes of resources, patterns and operations belong to broker/security/.
import { arrayOf, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const createAclsRequest = message(
  'CreateAclsRequest',
  { apiKey: 30, type: 'request', versions: '1-3', flexible: '2+' },
  {
    creations: arrayOf('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      resourcePatternType: int8('1+', { default: 3 }), // KIP-290
      principal: string('0+'),
      host: string('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
);
export type CreateAclsRequest = Decoded<typeof createAclsRequest>;

export const createAclsResponse = message(
  'CreateAclsResponse',
  { apiKey: 30, type: 'response', versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
    }),
  },
);
export type CreateAclsResponse = Decoded<typeof createAclsResponse>;
