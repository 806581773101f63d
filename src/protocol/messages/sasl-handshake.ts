// SaslHandshake (API 17): a client picks the SASL mechanism it will log in with.
// Wire tables only. After version 0 raw SASL tokens follow without any header, after version 1 SaslAuthenticate requests (KIP-152).
import { arrayOf, int16, message, string, type Decoded } from '../schema.ts';

export const saslHandshakeRequest = message(
  'SaslHandshakeRequest',
  { apiKey: 17, type: 'request', versions: '0-1', flexible: 'none' },
  {
    mechanism: string('0+'),
  },
);
export type SaslHandshakeRequest = Decoded<typeof saslHandshakeRequest>;

export const saslHandshakeResponse = message(
  'SaslHandshakeResponse',
  { apiKey: 17, type: 'response', versions: '0-1', flexible: 'none' },
  {
    errorCode: int16('0+'),
    mechanisms: arrayOf('0+', string),
  },
);
export type SaslHandshakeResponse = Decoded<typeof saslHandshakeResponse>;
