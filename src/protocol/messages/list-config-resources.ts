// ListConfigResources (API 74): the names of resources that have settings; at version 0 those for client metrics only (KIP-714, KIP-1142).
// Wire tables only. The answer is made from the metadata image.
import { arrayOf, int16, int32, int8, message, string, type Decoded } from '../schema.ts';

export const listConfigResourcesRequest = message(
  'ListConfigResourcesRequest',
  { apiKey: 74, type: 'request', versions: '0-1', flexible: '0+' },
  {
    resourceTypes: arrayOf('1+', int8), // KIP-1142
  },
);
export type ListConfigResourcesRequest = Decoded<typeof listConfigResourcesRequest>;

export const listConfigResourcesResponse = message(
  'ListConfigResourcesResponse',
  { apiKey: 74, type: 'response', versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: arrayOf('0+', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }), // KIP-1142
    }),
  },
);
export type ListConfigResourcesResponse = Decoded<typeof listConfigResourcesResponse>;
