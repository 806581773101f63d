// The records of __consumer_offsets that share groups leave there (KIP-932): members, assignments, partitions with state.
// Tables only; broker/groups/ folds them into state.
import { arrayOf, int32, int64Big, int8, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

const topicPartitionsInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: arrayOf('0+', int32),
};

export const shareGroupMemberMetadataKey = message(
  'ShareGroupMemberMetadataKey',
  { apiKey: 10, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ShareGroupMemberMetadataKey = Decoded<typeof shareGroupMemberMetadataKey>;

export const shareGroupMemberMetadataValue = message(
  'ShareGroupMemberMetadataValue',
  { apiKey: 10, type: 'data', versions: '0', flexible: '0+' },
  {
    rackId: nullableString('0+'),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', string),
  },
);
export type ShareGroupMemberMetadataValue = Decoded<typeof shareGroupMemberMetadataValue>;

export const shareGroupMetadataKey = message(
  'ShareGroupMetadataKey',
  { apiKey: 11, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ShareGroupMetadataKey = Decoded<typeof shareGroupMetadataKey>;

export const shareGroupMetadataValue = message(
  'ShareGroupMetadataValue',
  { apiKey: 11, type: 'data', versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64Big('0+'), // KIP-1101: a hash, every bit counts
  },
);
export type ShareGroupMetadataValue = Decoded<typeof shareGroupMetadataValue>;

export const shareGroupTargetAssignmentMetadataKey = message(
  'ShareGroupTargetAssignmentMetadataKey',
  { apiKey: 12, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ShareGroupTargetAssignmentMetadataKey = Decoded<typeof shareGroupTargetAssignmentMetadataKey>;

export const shareGroupTargetAssignmentMetadataValue = message(
  'ShareGroupTargetAssignmentMetadataValue',
  { apiKey: 12, type: 'data', versions: '0', flexible: '0+' },
  {
    assignmentEpoch: int32('0+'),
  },
);
export type ShareGroupTargetAssignmentMetadataValue = Decoded<typeof shareGroupTargetAssignmentMetadataValue>;

export const shareGroupTargetAssignmentMemberKey = message(
  'ShareGroupTargetAssignmentMemberKey',
  { apiKey: 13, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ShareGroupTargetAssignmentMemberKey = Decoded<typeof shareGroupTargetAssignmentMemberKey>;

export const shareGroupTargetAssignmentMemberValue = message(
  'ShareGroupTargetAssignmentMemberValue',
  { apiKey: 13, type: 'data', versions: '0', flexible: '0+' },
  {
    topicPartitions: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type ShareGroupTargetAssignmentMemberValue = Decoded<typeof shareGroupTargetAssignmentMemberValue>;

export const shareGroupCurrentMemberAssignmentKey = message(
  'ShareGroupCurrentMemberAssignmentKey',
  { apiKey: 14, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ShareGroupCurrentMemberAssignmentKey = Decoded<typeof shareGroupCurrentMemberAssignmentKey>;

export const shareGroupCurrentMemberAssignmentValue = message(
  'ShareGroupCurrentMemberAssignmentValue',
  { apiKey: 14, type: 'data', versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type ShareGroupCurrentMemberAssignmentValue = Decoded<typeof shareGroupCurrentMemberAssignmentValue>;

export const shareGroupStatePartitionMetadataKey = message(
  'ShareGroupStatePartitionMetadataKey',
  { apiKey: 15, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ShareGroupStatePartitionMetadataKey = Decoded<typeof shareGroupStatePartitionMetadataKey>;

export const shareGroupStatePartitionMetadataValue = message(
  'ShareGroupStatePartitionMetadataValue',
  { apiKey: 15, type: 'data', versions: '0', flexible: '0+' },
  {
    initializingTopics: arrayOf('0+', topicPartitionsInfo),
    initializedTopics: arrayOf('0+', topicPartitionsInfo),
    deletingTopics: arrayOf('0+', {
      topicId: uuid('0+'),
      topicName: string('0+'),
    }),
  },
);
export type ShareGroupStatePartitionMetadataValue = Decoded<typeof shareGroupStatePartitionMetadataValue>;
