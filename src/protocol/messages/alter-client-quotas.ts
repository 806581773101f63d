// AlterClientQuotas (API 49): sets and removes quotas of users, client ids and addresses (KIP-546).
// Wire tables only. What may be set is decided in handlers/alter-client-quotas.ts.
import { arrayOf, boolean, float64, int16, int32, message, nullableString, string, type Decoded } from '../schema.ts';

export const alterClientQuotasRequest = message(
  'AlterClientQuotasRequest',
  { apiKey: 49, type: 'request', versions: '0-1', flexible: '1+' },
  {
    entries: arrayOf('0+', {
      entity: arrayOf('0+', {
        entityType: string('0+'),
        entityName: nullableString('0+'),
      }),
      ops: arrayOf('0+', {
        key: string('0+'),
        value: float64('0+'),
        remove: boolean('0+'),
      }),
    }),
    validateOnly: boolean('0+'),
  },
);
export type AlterClientQuotasRequest = Decoded<typeof alterClientQuotasRequest>;

export const alterClientQuotasResponse = message(
  'AlterClientQuotasResponse',
  { apiKey: 49, type: 'response', versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    entries: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      entity: arrayOf('0+', {
        entityType: string('0+'),
        entityName: nullableString('0+'),
      }),
    }),
  },
);
export type AlterClientQuotasResponse = Decoded<typeof alterClientQuotasResponse>;
