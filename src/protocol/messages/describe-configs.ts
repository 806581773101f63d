// DescribeConfigs (API 32): settings of topics, brokers and groups, with where each value comes from.
// Wire tables only. The settings themselves are tables in config/.
import { arrayOf, boolean, int16, int32, int8, message, nullableArrayOf, nullableString, string, type Decoded } from '../schema.ts';

export const describeConfigsRequest = message(
  'DescribeConfigsRequest',
  { apiKey: 32, type: 'request', versions: '1-4', flexible: '4+' },
  {
    resources: arrayOf('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configurationKeys: nullableArrayOf('0+', string), // null asks for all
    }),
    includeSynonyms: boolean('1+', { default: false }), // KIP-226
    includeDocumentation: boolean('3+', { default: false }), // KIP-569
  },
);
export type DescribeConfigsRequest = Decoded<typeof describeConfigsRequest>;

export const describeConfigsResponse = message(
  'DescribeConfigsResponse',
  { apiKey: 32, type: 'response', versions: '1-4', flexible: '4+' },
  {
    throttleTimeMs: int32('0+'),
    results: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: arrayOf('0+', {
        name: string('0+'),
        value: nullableString('0+'),
        readOnly: boolean('0+'),
        configSource: int8('1+', { default: -1, ignorable: true }),
        isSensitive: boolean('0+'),
        // KIP-226
        synonyms: arrayOf(
          '1+',
          {
            name: string('1+'),
            value: nullableString('1+'),
            source: int8('1+'),
          },
          { ignorable: true },
        ),
        configType: int8('3+', { default: 0, ignorable: true }), // KIP-569
        documentation: nullableString('3+', { ignorable: true }), // KIP-569
      }),
    }),
  },
);
export type DescribeConfigsResponse = Decoded<typeof describeConfigsResponse>;
