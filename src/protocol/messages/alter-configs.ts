// AlterConfigs (API 33): replaces all settings of a topic or broker; superseded by IncrementalAlterConfigs (KIP-339).
// Wire tables only. What may be set is decided by the tables in config/.
import { arrayOf, boolean, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const alterConfigsRequest = message(
  'AlterConfigsRequest',
  { apiKey: 33, type: 'request', versions: '0-2', flexible: '2+' },
  {
    resources: arrayOf('0+', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: arrayOf('0+', {
        name: string('0+', { mapKey: true }),
        value: nullableString('0+'),
      }),
    }),
    validateOnly: boolean('0+'),
  },
);
export type AlterConfigsRequest = Decoded<typeof alterConfigsRequest>;

export const alterConfigsResponse = message(
  'AlterConfigsResponse',
  { apiKey: 33, type: 'response', versions: '0-2', flexible: '2+' },
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
export type AlterConfigsResponse = Decoded<typeof alterConfigsResponse>;
