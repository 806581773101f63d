// DeleteTopics (API 20): topics go, by name or by id.
// Wire tables only. Until version 5 topics are named in a plain list, from version 6 on by name or id.
import { arrayOf, int16, int32, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const deleteTopicsRequest = message(
  'DeleteTopicsRequest',
  { apiKey: 20, type: 'request', versions: '1-6', flexible: '4+' },
  {
    // KIP-516
    topics: arrayOf('6+', {
      name: nullableString('6+', { default: null }),
      topicId: uuid('6+'),
    }),
    topicNames: arrayOf('0-5', string, { ignorable: true }),
    timeoutMs: int32('0+'),
  },
);
export type DeleteTopicsRequest = Decoded<typeof deleteTopicsRequest>;

export const deleteTopicsResponse = message(
  'DeleteTopicsResponse',
  { apiKey: 20, type: 'response', versions: '1-6', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: arrayOf('0+', {
      name: string('0+', { nullable: '6+', mapKey: true }),
      topicId: uuid('6+', { ignorable: true }), // KIP-516
      errorCode: int16('0+'),
      errorMessage: nullableString('5+', { default: null, ignorable: true }), // KIP-599
    }),
  },
);
export type DeleteTopicsResponse = Decoded<typeof deleteTopicsResponse>;
