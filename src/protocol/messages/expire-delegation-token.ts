// ExpireDelegationToken (API 40): a delegation token ends sooner (KIP-48).
// Wire tables only. When is decided in handlers/expire-delegation-token.ts.
import { bytes, int16, int32, int64, message, type Decoded } from '../schema.ts';

export const expireDelegationTokenRequest = message(
  'ExpireDelegationTokenRequest',
  { apiKey: 40, type: 'request', versions: '1-2', flexible: '2+' },
  {
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  },
);
export type ExpireDelegationTokenRequest = Decoded<typeof expireDelegationTokenRequest>;

export const expireDelegationTokenResponse = message(
  'ExpireDelegationTokenResponse',
  { apiKey: 40, type: 'response', versions: '1-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
);
export type ExpireDelegationTokenResponse = Decoded<typeof expireDelegationTokenResponse>;
