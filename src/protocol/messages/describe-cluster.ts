// DescribeCluster (API 60): the brokers or controllers, and what the asker may do to the cluster (KIP-700).
// Wire tables only. The answer is made from the metadata image.
import { arrayOf, boolean, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const describeClusterRequest = message(
  'DescribeClusterRequest',
  { apiKey: 60, type: 'request', versions: '0-2', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: boolean('0+'),
    endpointType: int8('1+', { default: 1 }), // KIP-919: 1 brokers, 2 controllers
    includeFencedBrokers: boolean('2+'), // KIP-1073
  },
);
export type DescribeClusterRequest = Decoded<typeof describeClusterRequest>;

export const describeClusterResponse = message(
  'DescribeClusterResponse',
  { apiKey: 60, type: 'response', versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    endpointType: int8('1+', { default: 1 }), // KIP-919
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1 }),
    brokers: arrayOf('0+', {
      brokerId: int32('0+', { mapKey: true }),
      host: string('0+'),
      port: int32('0+'),
      rack: nullableString('0+', { default: null }),
      isFenced: boolean('2+'), // KIP-1073
    }),
    clusterAuthorizedOperations: int32('0+', { default: -2_147_483_648 }),
  },
);
export type DescribeClusterResponse = Decoded<typeof describeClusterResponse>;
