// IncrementalAlterConfigs (API 44): sets, deletes, appends to and subtracts from single settings (KIP-339).
// Wire tables only. What may be set is decided by the tables in config/.
import { arrayOf, boolean, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const incrementalAlterConfigsRequest = message(
  'IncrementalAlterConfigsRequest',
  { apiKey: 44, type: 'request', versions: '0-1', flexible: '1+' },
  {
    resources: arrayOf('0+', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: arrayOf('0+', {
        name: string('0+', { mapKey: true }),
        configOperation: int8('0+', { mapKey: true }),
        value: nullableString('0+'),
      }),
    }),
    validateOnly: boolean('0+'),
  },
);
export type IncrementalAlterConfigsRequest = Decoded<typeof incrementalAlterConfigsRequest>;

export const incrementalAlterConfigsResponse = message(
  'IncrementalAlterConfigsResponse',
  { apiKey: 44, type: 'response', versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    responses: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      resourceType: int8('0+'),
      resourceName: string('0+'),
    }),
  },
);
export type IncrementalAlterConfigsResponse = Decoded<typeof incrementalAlterConfigsResponse>;
