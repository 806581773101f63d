// CreateDelegationToken (API 38): a principal gets a token to log in with later, for itself or for another (KIP-48).
// Wire tables only. Who may have one is decided in handlers/create-delegation-token.ts.
import { arrayOf, bytes, int16, int32, int64, message, nullableString, string, type Decoded } from '../schema.ts';

export const createDelegationTokenRequest = message(
  'CreateDelegationTokenRequest',
  { apiKey: 38, type: 'request', versions: '1-3', flexible: '2+' },
  {
    ownerPrincipalType: nullableString('3+'), // KIP-373
    ownerPrincipalName: nullableString('3+'), // KIP-373
    renewers: arrayOf('0+', {
      principalType: string('0+'),
      principalName: string('0+'),
    }),
    maxLifetimeMs: int64('0+'),
  },
);
export type CreateDelegationTokenRequest = Decoded<typeof createDelegationTokenRequest>;

export const createDelegationTokenResponse = message(
  'CreateDelegationTokenResponse',
  { apiKey: 38, type: 'response', versions: '1-3', flexible: '2+' },
  {
    errorCode: int16('0+'),
    principalType: string('0+'),
    principalName: string('0+'),
    tokenRequesterPrincipalType: string('3+'), // KIP-373
    tokenRequesterPrincipalName: string('3+'), // KIP-373
    issueTimestampMs: int64('0+'),
    expiryTimestampMs: int64('0+'),
    maxTimestampMs: int64('0+'),
    tokenId: string('0+'),
    hmac: bytes('0+'),
    throttleTimeMs: int32('0+'),
  },
);
export type CreateDelegationTokenResponse = Decoded<typeof createDelegationTokenResponse>;
