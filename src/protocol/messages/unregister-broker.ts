// UnregisterBroker (API 64): the cluster forgets a broker that is gone for good (KIP-631).
// Wire tables only. Whether it may is decided in handlers/unregister-broker.ts.
import { int16, int32, message, nullableString, type Decoded } from '../schema.ts';

export const unregisterBrokerRequest = message(
  'UnregisterBrokerRequest',
  { apiKey: 64, type: 'request', versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
  },
);
export type UnregisterBrokerRequest = Decoded<typeof unregisterBrokerRequest>;

export const unregisterBrokerResponse = message(
  'UnregisterBrokerResponse',
  { apiKey: 64, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
  },
);
export type UnregisterBrokerResponse = Decoded<typeof unregisterBrokerResponse>;
