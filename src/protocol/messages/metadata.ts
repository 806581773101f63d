// Metadata (API 3): the brokers, and the topics with their partitions and leaders: what a client needs to find its way.
// Wire tables only. Which topics may be seen or created is decided in handlers/metadata.ts.
import { arrayOf, boolean, int16, int32, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const metadataRequest = message(
  'MetadataRequest',
  { apiKey: 3, type: 'request', versions: '0-13', flexible: '9+' },
  {
    // null asks for all topics; so does the empty list of version 0
    topics: arrayOf(
      '0+',
      {
        topicId: uuid('10+', { ignorable: true }), // KIP-516: may be asked for from version 12 on
        name: string('0+', { nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: boolean('4+', { default: true }), // earlier versions always allow it
    includeClusterAuthorizedOperations: boolean('8-10'), // KIP-430, gone with KIP-700
    includeTopicAuthorizedOperations: boolean('8+'), // KIP-430
  },
);
export type MetadataRequest = Decoded<typeof metadataRequest>;

export const metadataResponse = message(
  'MetadataResponse',
  { apiKey: 3, type: 'response', versions: '0-13', flexible: '9+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    brokers: arrayOf('0+', {
      nodeId: int32('0+', { mapKey: true }),
      host: string('0+'),
      port: int32('0+'),
      rack: nullableString('1+', { default: null, ignorable: true }), // KIP-36
    }),
    clusterId: nullableString('2+', { default: null, ignorable: true }), // KIP-78
    controllerId: int32('1+', { default: -1, ignorable: true }),
    topics: arrayOf('0+', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '12+', mapKey: true }),
      topicId: uuid('10+', { ignorable: true }), // KIP-516
      isInternal: boolean('1+', { default: false, ignorable: true }), // KIP-4
      partitions: arrayOf('0+', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('7+', { default: -1, ignorable: true }), // KIP-320
        replicaNodes: arrayOf('0+', int32),
        isrNodes: arrayOf('0+', int32),
        offlineReplicas: arrayOf('5+', int32, { ignorable: true }), // KIP-112
      }),
      topicAuthorizedOperations: int32('8+', { default: -2_147_483_648 }), // KIP-430: a set of bits; the default means that nobody asked
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -2_147_483_648 }), // KIP-430, gone with KIP-700
    errorCode: int16('13+', { ignorable: true }), // KIP-1102
  },
);
export type MetadataResponse = Decoded<typeof metadataResponse>;
