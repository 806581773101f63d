// CreatePartitions (API 37): topics get more partitions.
// Wire tables only. What may grow, and to how many, is decided in handlers/create-partitions.ts.
import { arrayOf, boolean, int16, int32, message, nullableArrayOf, nullableString, string, type Decoded } from '../schema.ts';

export const createPartitionsRequest = message(
  'CreatePartitionsRequest',
  { apiKey: 37, type: 'request', versions: '0-3', flexible: '2+' },
  {
    topics: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      count: int32('0+'),
      assignments: nullableArrayOf('0+', {
        brokerIds: arrayOf('0+', int32),
      }),
    }),
    timeoutMs: int32('0+'),
    validateOnly: boolean('0+'),
  },
);
export type CreatePartitionsRequest = Decoded<typeof createPartitionsRequest>;

export const createPartitionsResponse = message(
  'CreatePartitionsResponse',
  { apiKey: 37, type: 'response', versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: arrayOf('0+', {
      name: string('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
    }),
  },
);
export type CreatePartitionsResponse = Decoded<typeof createPartitionsResponse>;
