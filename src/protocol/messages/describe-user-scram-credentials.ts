// DescribeUserScramCredentials (API 50): which SCRAM credentials users have, never the secrets (KIP-554).
// Wire tables only. The credentials are kept in the metadata image.
import { arrayOf, int16, int32, int8, message, nullableArrayOf, nullableString, string, type Decoded } from '../schema.ts';

export const describeUserScramCredentialsRequest = message(
  'DescribeUserScramCredentialsRequest',
  { apiKey: 50, type: 'request', versions: '0', flexible: '0+' },
  {
    users: nullableArrayOf('0+', {
      name: string('0+'),
    }),
  },
);
export type DescribeUserScramCredentialsRequest = Decoded<typeof describeUserScramCredentialsRequest>;

export const describeUserScramCredentialsResponse = message(
  'DescribeUserScramCredentialsResponse',
  { apiKey: 50, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    results: arrayOf('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      credentialInfos: arrayOf('0+', {
        mechanism: int8('0+'),
        iterations: int32('0+'),
      }),
    }),
  },
);
export type DescribeUserScramCredentialsResponse = Decoded<typeof describeUserScramCredentialsResponse>;
