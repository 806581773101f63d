// DescribeDelegationToken (API 41): the delegation tokens of principals (KIP-48).
// Wire tables only. Which may be seen is decided in handlers/describe-delegation-token.ts.
import { arrayOf, bytes, int16, int32, int64, message, nullableArrayOf, string, type Decoded } from '../schema.ts';

export const describeDelegationTokenRequest = message(
  'DescribeDelegationTokenRequest',
  { apiKey: 41, type: 'request', versions: '1-3', flexible: '2+' },
  {
    owners: nullableArrayOf('0+', {
      principalType: string('0+'),
      principalName: string('0+'),
    }),
  },
);
export type DescribeDelegationTokenRequest = Decoded<typeof describeDelegationTokenRequest>;

export const describeDelegationTokenResponse = message(
  'DescribeDelegationTokenResponse',
  { apiKey: 41, type: 'response', versions: '1-3', flexible: '2+' },
  {
    errorCode: int16('0+'),
    tokens: arrayOf('0+', {
      principalType: string('0+'),
      principalName: string('0+'),
      tokenRequesterPrincipalType: string('3+'), // KIP-373
      tokenRequesterPrincipalName: string('3+'), // KIP-373
      issueTimestamp: int64('0+'),
      expiryTimestamp: int64('0+'),
      maxTimestamp: int64('0+'),
      tokenId: string('0+'),
      hmac: bytes('0+'),
      renewers: arrayOf('0+', {
        principalType: string('0+'),
        principalName: string('0+'),
      }),
    }),
    throttleTimeMs: int32('0+'),
  },
);
export type DescribeDelegationTokenResponse = Decoded<typeof describeDelegationTokenResponse>;
