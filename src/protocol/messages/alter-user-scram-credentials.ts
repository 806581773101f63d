// AlterUserScramCredentials (API 51): sets and removes SCRAM credentials of users (KIP-554).
// Wire tables only. The client sends salted passwords; what is accepted is decided in broker/security/.
import { arrayOf, bytes, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const alterUserScramCredentialsRequest = message(
  'AlterUserScramCredentialsRequest',
  { apiKey: 51, type: 'request', versions: '0', flexible: '0+' },
  {
    deletions: arrayOf('0+', {
      name: string('0+'),
      mechanism: int8('0+'),
    }),
    upsertions: arrayOf('0+', {
      name: string('0+'),
      mechanism: int8('0+'),
      iterations: int32('0+'),
      salt: bytes('0+'),
      saltedPassword: bytes('0+'),
    }),
  },
);
export type AlterUserScramCredentialsRequest = Decoded<typeof alterUserScramCredentialsRequest>;

export const alterUserScramCredentialsResponse = message(
  'AlterUserScramCredentialsResponse',
  { apiKey: 51, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    results: arrayOf('0+', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
    }),
  },
);
export type AlterUserScramCredentialsResponse = Decoded<typeof alterUserScramCredentialsResponse>;
