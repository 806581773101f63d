// DescribeClientQuotas (API 48): the quotas of users, client ids and addresses (KIP-546).
// Wire tables only. How a filter matches is decided in handlers/describe-client-quotas.ts.
import {
  arrayOf,
  boolean,
  float64,
  int16,
  int32,
  int8,
  message,
  nullableArrayOf,
  nullableString,
  string,
  type Decoded,
} from '../schema.ts';

export const describeClientQuotasRequest = message(
  'DescribeClientQuotasRequest',
  { apiKey: 48, type: 'request', versions: '0-1', flexible: '1+' },
  {
    components: arrayOf('0+', {
      entityType: string('0+'),
      matchType: int8('0+'),
      match: nullableString('0+'),
    }),
    strict: boolean('0+'),
  },
);
export type DescribeClientQuotasRequest = Decoded<typeof describeClientQuotasRequest>;

export const describeClientQuotasResponse = message(
  'DescribeClientQuotasResponse',
  { apiKey: 48, type: 'response', versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    entries: nullableArrayOf('0+', {
      entity: arrayOf('0+', {
        entityType: string('0+'),
        entityName: nullableString('0+'),
      }),
      values: arrayOf('0+', {
        key: string('0+'),
        value: float64('0+'),
      }),
    }),
  },
);
export type DescribeClientQuotasResponse = Decoded<typeof describeClientQuotasResponse>;
