// Every API a client may call, with the tables of its two messages. What is served, and by which handler, is decided in
// handlers/index.ts; this list only knows what the bytes look like.
import type { Message } from '../schema.ts';
import { produceRequest, produceResponse } from './produce.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from './offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from './offset-fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator.ts';
import { joinGroupRequest, joinGroupResponse } from './join-group.ts';
import { heartbeatRequest, heartbeatResponse } from './heartbeat.ts';
import { leaveGroupRequest, leaveGroupResponse } from './leave-group.ts';
import { syncGroupRequest, syncGroupResponse } from './sync-group.ts';
import { describeGroupsRequest, describeGroupsResponse } from './describe-groups.ts';
import { listGroupsRequest, listGroupsResponse } from './list-groups.ts';
import { saslHandshakeRequest, saslHandshakeResponse } from './sasl-handshake.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from './delete-records.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { addPartitionsToTxnRequest, addPartitionsToTxnResponse } from './add-partitions-to-txn.ts';
import { addOffsetsToTxnRequest, addOffsetsToTxnResponse } from './add-offsets-to-txn.ts';
import { endTxnRequest, endTxnResponse } from './end-txn.ts';
import { writeTxnMarkersRequest, writeTxnMarkersResponse } from './write-txn-markers.ts';
import { txnOffsetCommitRequest, txnOffsetCommitResponse } from './txn-offset-commit.ts';
import { describeAclsRequest, describeAclsResponse } from './describe-acls.ts';
import { createAclsRequest, createAclsResponse } from './create-acls.ts';
import { deleteAclsRequest, deleteAclsResponse } from './delete-acls.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { alterConfigsRequest, alterConfigsResponse } from './alter-configs.ts';
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from './alter-replica-log-dirs.ts';
import { describeLogDirsRequest, describeLogDirsResponse } from './describe-log-dirs.ts';
import { saslAuthenticateRequest, saslAuthenticateResponse } from './sasl-authenticate.ts';
import { createPartitionsRequest, createPartitionsResponse } from './create-partitions.ts';
import { createDelegationTokenRequest, createDelegationTokenResponse } from './create-delegation-token.ts';
import { renewDelegationTokenRequest, renewDelegationTokenResponse } from './renew-delegation-token.ts';
import { expireDelegationTokenRequest, expireDelegationTokenResponse } from './expire-delegation-token.ts';
import { describeDelegationTokenRequest, describeDelegationTokenResponse } from './describe-delegation-token.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from './delete-groups.ts';
import { electLeadersRequest, electLeadersResponse } from './elect-leaders.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from './incremental-alter-configs.ts';
import { alterPartitionReassignmentsRequest, alterPartitionReassignmentsResponse } from './alter-partition-reassignments.ts';
import { listPartitionReassignmentsRequest, listPartitionReassignmentsResponse } from './list-partition-reassignments.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from './offset-delete.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from './describe-client-quotas.ts';
import { alterClientQuotasRequest, alterClientQuotasResponse } from './alter-client-quotas.ts';
import { describeUserScramCredentialsRequest, describeUserScramCredentialsResponse } from './describe-user-scram-credentials.ts';
import { alterUserScramCredentialsRequest, alterUserScramCredentialsResponse } from './alter-user-scram-credentials.ts';
import { describeQuorumRequest, describeQuorumResponse } from './describe-quorum.ts';
import { updateFeaturesRequest, updateFeaturesResponse } from './update-features.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeProducersRequest, describeProducersResponse } from './describe-producers.ts';
import { unregisterBrokerRequest, unregisterBrokerResponse } from './unregister-broker.ts';
import { describeTransactionsRequest, describeTransactionsResponse } from './describe-transactions.ts';
import { listTransactionsRequest, listTransactionsResponse } from './list-transactions.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './consumer-group-heartbeat.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './consumer-group-describe.ts';
import { getTelemetrySubscriptionsRequest, getTelemetrySubscriptionsResponse } from './get-telemetry-subscriptions.ts';
import { pushTelemetryRequest, pushTelemetryResponse } from './push-telemetry.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from './list-config-resources.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from './describe-topic-partitions.ts';
import { shareGroupHeartbeatRequest, shareGroupHeartbeatResponse } from './share-group-heartbeat.ts';
import { shareGroupDescribeRequest, shareGroupDescribeResponse } from './share-group-describe.ts';
import { shareFetchRequest, shareFetchResponse } from './share-fetch.ts';
import { shareAcknowledgeRequest, shareAcknowledgeResponse } from './share-acknowledge.ts';
import { addRaftVoterRequest, addRaftVoterResponse } from './add-raft-voter.ts';
import { removeRaftVoterRequest, removeRaftVoterResponse } from './remove-raft-voter.ts';
import { initializeShareGroupStateRequest, initializeShareGroupStateResponse } from './initialize-share-group-state.ts';
import { readShareGroupStateRequest, readShareGroupStateResponse } from './read-share-group-state.ts';
import { writeShareGroupStateRequest, writeShareGroupStateResponse } from './write-share-group-state.ts';
import { deleteShareGroupStateRequest, deleteShareGroupStateResponse } from './delete-share-group-state.ts';
import { readShareGroupStateSummaryRequest, readShareGroupStateSummaryResponse } from './read-share-group-state-summary.ts';
import { streamsGroupHeartbeatRequest, streamsGroupHeartbeatResponse } from './streams-group-heartbeat.ts';
import { streamsGroupDescribeRequest, streamsGroupDescribeResponse } from './streams-group-describe.ts';
import { describeShareGroupOffsetsRequest, describeShareGroupOffsetsResponse } from './describe-share-group-offsets.ts';
import { alterShareGroupOffsetsRequest, alterShareGroupOffsetsResponse } from './alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsRequest, deleteShareGroupOffsetsResponse } from './delete-share-group-offsets.ts';

export interface Api {
  readonly key: number;
  /** As Kafka writes it: `DescribeTopicPartitions`. */
  readonly name: string;
  readonly request: Message;
  readonly response: Message;
}

const api = (key: number, name: string, request: Message, response: Message): Api => ({ key, name, request, response });

export const apis: readonly Api[] = [
  api(0, 'Produce', produceRequest, produceResponse),
  api(1, 'Fetch', fetchRequest, fetchResponse),
  api(2, 'ListOffsets', listOffsetsRequest, listOffsetsResponse),
  api(3, 'Metadata', metadataRequest, metadataResponse),
  api(8, 'OffsetCommit', offsetCommitRequest, offsetCommitResponse),
  api(9, 'OffsetFetch', offsetFetchRequest, offsetFetchResponse),
  api(10, 'FindCoordinator', findCoordinatorRequest, findCoordinatorResponse),
  api(11, 'JoinGroup', joinGroupRequest, joinGroupResponse),
  api(12, 'Heartbeat', heartbeatRequest, heartbeatResponse),
  api(13, 'LeaveGroup', leaveGroupRequest, leaveGroupResponse),
  api(14, 'SyncGroup', syncGroupRequest, syncGroupResponse),
  api(15, 'DescribeGroups', describeGroupsRequest, describeGroupsResponse),
  api(16, 'ListGroups', listGroupsRequest, listGroupsResponse),
  api(17, 'SaslHandshake', saslHandshakeRequest, saslHandshakeResponse),
  api(18, 'ApiVersions', apiVersionsRequest, apiVersionsResponse),
  api(19, 'CreateTopics', createTopicsRequest, createTopicsResponse),
  api(20, 'DeleteTopics', deleteTopicsRequest, deleteTopicsResponse),
  api(21, 'DeleteRecords', deleteRecordsRequest, deleteRecordsResponse),
  api(22, 'InitProducerId', initProducerIdRequest, initProducerIdResponse),
  api(23, 'OffsetForLeaderEpoch', offsetForLeaderEpochRequest, offsetForLeaderEpochResponse),
  api(24, 'AddPartitionsToTxn', addPartitionsToTxnRequest, addPartitionsToTxnResponse),
  api(25, 'AddOffsetsToTxn', addOffsetsToTxnRequest, addOffsetsToTxnResponse),
  api(26, 'EndTxn', endTxnRequest, endTxnResponse),
  api(27, 'WriteTxnMarkers', writeTxnMarkersRequest, writeTxnMarkersResponse),
  api(28, 'TxnOffsetCommit', txnOffsetCommitRequest, txnOffsetCommitResponse),
  api(29, 'DescribeAcls', describeAclsRequest, describeAclsResponse),
  api(30, 'CreateAcls', createAclsRequest, createAclsResponse),
  api(31, 'DeleteAcls', deleteAclsRequest, deleteAclsResponse),
  api(32, 'DescribeConfigs', describeConfigsRequest, describeConfigsResponse),
  api(33, 'AlterConfigs', alterConfigsRequest, alterConfigsResponse),
  api(34, 'AlterReplicaLogDirs', alterReplicaLogDirsRequest, alterReplicaLogDirsResponse),
  api(35, 'DescribeLogDirs', describeLogDirsRequest, describeLogDirsResponse),
  api(36, 'SaslAuthenticate', saslAuthenticateRequest, saslAuthenticateResponse),
  api(37, 'CreatePartitions', createPartitionsRequest, createPartitionsResponse),
  api(38, 'CreateDelegationToken', createDelegationTokenRequest, createDelegationTokenResponse),
  api(39, 'RenewDelegationToken', renewDelegationTokenRequest, renewDelegationTokenResponse),
  api(40, 'ExpireDelegationToken', expireDelegationTokenRequest, expireDelegationTokenResponse),
  api(41, 'DescribeDelegationToken', describeDelegationTokenRequest, describeDelegationTokenResponse),
  api(42, 'DeleteGroups', deleteGroupsRequest, deleteGroupsResponse),
  api(43, 'ElectLeaders', electLeadersRequest, electLeadersResponse),
  api(44, 'IncrementalAlterConfigs', incrementalAlterConfigsRequest, incrementalAlterConfigsResponse),
  api(45, 'AlterPartitionReassignments', alterPartitionReassignmentsRequest, alterPartitionReassignmentsResponse),
  api(46, 'ListPartitionReassignments', listPartitionReassignmentsRequest, listPartitionReassignmentsResponse),
  api(47, 'OffsetDelete', offsetDeleteRequest, offsetDeleteResponse),
  api(48, 'DescribeClientQuotas', describeClientQuotasRequest, describeClientQuotasResponse),
  api(49, 'AlterClientQuotas', alterClientQuotasRequest, alterClientQuotasResponse),
  api(50, 'DescribeUserScramCredentials', describeUserScramCredentialsRequest, describeUserScramCredentialsResponse),
  api(51, 'AlterUserScramCredentials', alterUserScramCredentialsRequest, alterUserScramCredentialsResponse),
  api(55, 'DescribeQuorum', describeQuorumRequest, describeQuorumResponse),
  api(57, 'UpdateFeatures', updateFeaturesRequest, updateFeaturesResponse),
  api(60, 'DescribeCluster', describeClusterRequest, describeClusterResponse),
  api(61, 'DescribeProducers', describeProducersRequest, describeProducersResponse),
  api(64, 'UnregisterBroker', unregisterBrokerRequest, unregisterBrokerResponse),
  api(65, 'DescribeTransactions', describeTransactionsRequest, describeTransactionsResponse),
  api(66, 'ListTransactions', listTransactionsRequest, listTransactionsResponse),
  api(68, 'ConsumerGroupHeartbeat', consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse),
  api(69, 'ConsumerGroupDescribe', consumerGroupDescribeRequest, consumerGroupDescribeResponse),
  api(71, 'GetTelemetrySubscriptions', getTelemetrySubscriptionsRequest, getTelemetrySubscriptionsResponse),
  api(72, 'PushTelemetry', pushTelemetryRequest, pushTelemetryResponse),
  api(74, 'ListConfigResources', listConfigResourcesRequest, listConfigResourcesResponse),
  api(75, 'DescribeTopicPartitions', describeTopicPartitionsRequest, describeTopicPartitionsResponse),
  api(76, 'ShareGroupHeartbeat', shareGroupHeartbeatRequest, shareGroupHeartbeatResponse),
  api(77, 'ShareGroupDescribe', shareGroupDescribeRequest, shareGroupDescribeResponse),
  api(78, 'ShareFetch', shareFetchRequest, shareFetchResponse),
  api(79, 'ShareAcknowledge', shareAcknowledgeRequest, shareAcknowledgeResponse),
  api(80, 'AddRaftVoter', addRaftVoterRequest, addRaftVoterResponse),
  api(81, 'RemoveRaftVoter', removeRaftVoterRequest, removeRaftVoterResponse),
  api(83, 'InitializeShareGroupState', initializeShareGroupStateRequest, initializeShareGroupStateResponse),
  api(84, 'ReadShareGroupState', readShareGroupStateRequest, readShareGroupStateResponse),
  api(85, 'WriteShareGroupState', writeShareGroupStateRequest, writeShareGroupStateResponse),
  api(86, 'DeleteShareGroupState', deleteShareGroupStateRequest, deleteShareGroupStateResponse),
  api(87, 'ReadShareGroupStateSummary', readShareGroupStateSummaryRequest, readShareGroupStateSummaryResponse),
  api(88, 'StreamsGroupHeartbeat', streamsGroupHeartbeatRequest, streamsGroupHeartbeatResponse),
  api(89, 'StreamsGroupDescribe', streamsGroupDescribeRequest, streamsGroupDescribeResponse),
  api(90, 'DescribeShareGroupOffsets', describeShareGroupOffsetsRequest, describeShareGroupOffsetsResponse),
  api(91, 'AlterShareGroupOffsets', alterShareGroupOffsetsRequest, alterShareGroupOffsetsResponse),
  api(92, 'DeleteShareGroupOffsets', deleteShareGroupOffsetsRequest, deleteShareGroupOffsetsResponse),
];

export const apisByKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]));
