// SaslAuthenticate (API 36): one step of a SASL exchange.
// Wire tables only. The tokens are opaque here; the mechanisms are in broker/security/.
import { bytes, int16, int64, message, nullableString, type Decoded } from '../schema.ts';

export const saslAuthenticateRequest = message(
  'SaslAuthenticateRequest',
  { apiKey: 36, type: 'request', versions: '0-2', flexible: '2+' },
  {
    authBytes: bytes('0+'),
  },
);
export type SaslAuthenticateRequest = Decoded<typeof saslAuthenticateRequest>;

export const saslAuthenticateResponse = message(
  'SaslAuthenticateResponse',
  { apiKey: 36, type: 'response', versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { default: 0, ignorable: true }), // KIP-368
  },
);
export type SaslAuthenticateResponse = Decoded<typeof saslAuthenticateResponse>;
