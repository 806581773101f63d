// What members of a classic group tell each other through the coordinator, which hands it on unread: an int16 version, then one
// of these. We read them to describe groups and to move groups between protocols (KIP-848).
import { arrayOf, int32, message, nullableBytes, nullableString, string, type Decoded } from '../schema.ts';

export const consumerProtocolSubscription = message(
  'ConsumerProtocolSubscription',
  { type: 'data', versions: '0-3', flexible: 'none' },
  {
    topics: arrayOf('0+', string),
    userData: nullableBytes('0+', { default: null }),
    // KIP-429
    ownedPartitions: arrayOf(
      '1+',
      {
        topic: string('1+', { mapKey: true }),
        partitions: arrayOf('1+', int32),
      },
      { ignorable: true },
    ),
    generationId: int32('2+', { default: -1, ignorable: true }), // KIP-792
    rackId: nullableString('3+', { default: null, ignorable: true }), // KIP-881
  },
);
export type ConsumerProtocolSubscription = Decoded<typeof consumerProtocolSubscription>;

export const consumerProtocolAssignment = message(
  'ConsumerProtocolAssignment',
  { type: 'data', versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: arrayOf('0+', {
      topic: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', int32),
    }),
    userData: nullableBytes('0+', { default: null }),
  },
);
export type ConsumerProtocolAssignment = Decoded<typeof consumerProtocolAssignment>;
