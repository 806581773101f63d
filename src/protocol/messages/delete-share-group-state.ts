// DeleteShareGroupState (API 86): the group coordinator removes the state of share partitions (KIP-932).
// Wire tables only. Brokers ask each other; a client needs permission on the cluster.
import { arrayOf, int16, int32, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const deleteShareGroupStateRequest = message(
  'DeleteShareGroupStateRequest',
  { apiKey: 86, type: 'request', versions: '0', flexible: '0+' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
      }),
    }),
  },
);
export type DeleteShareGroupStateRequest = Decoded<typeof deleteShareGroupStateRequest>;

export const deleteShareGroupStateResponse = message(
  'DeleteShareGroupStateResponse',
  { apiKey: 86, type: 'response', versions: '0', flexible: '0+' },
  {
    results: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
      }),
    }),
  },
);
export type DeleteShareGroupStateResponse = Decoded<typeof deleteShareGroupStateResponse>;
