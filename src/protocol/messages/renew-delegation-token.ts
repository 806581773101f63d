// RenewDelegationToken (API 39): a delegation token lives longer (KIP-48).
// Wire tables only. How long is decided in handlers/renew-delegation-token.ts.
import { bytes, int16, int32, int64, message, type Decoded } from '../schema.ts';

export const renewDelegationTokenRequest = message(
  'RenewDelegationTokenRequest',
  { apiKey: 39, type: 'request', versions: '1-2', flexible: '2+' },
  {
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  },
);
export type RenewDelegationTokenRequest = Decoded<typeof renewDelegationTokenRequest>;

export const renewDelegationTokenResponse = message(
  'RenewDelegationTokenResponse',
  { apiKey: 39, type: 'response', versions: '1-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
);
export type RenewDelegationTokenResponse = Decoded<typeof renewDelegationTokenResponse>;
