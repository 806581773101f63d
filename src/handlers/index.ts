// The APIs this broker serves: key, tables, versions, and who answers. ApiVersions, dispatch and the support page all
// read this one table; an API without a real handler is not in it.
import { alterConfigsRequest, alterConfigsResponse } from '../protocol/messages/alter-configs.ts';
import { apiVersionsRequest, apiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../protocol/messages/consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../protocol/messages/consumer-group-heartbeat.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../protocol/messages/create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { describeClusterRequest, describeClusterResponse } from '../protocol/messages/describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../protocol/messages/describe-configs.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../protocol/messages/describe-groups.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from '../protocol/messages/describe-topic-partitions.ts';
import { fetchRequest, fetchResponse } from '../protocol/messages/fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { heartbeatRequest, heartbeatResponse } from '../protocol/messages/heartbeat.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../protocol/messages/incremental-alter-configs.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../protocol/messages/init-producer-id.ts';
import { joinGroupRequest, joinGroupResponse } from '../protocol/messages/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../protocol/messages/leave-group.ts';
import { listGroupsRequest, listGroupsResponse } from '../protocol/messages/list-groups.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from '../protocol/messages/list-config-resources.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from '../protocol/messages/list-partition-reassignments.ts';
import { metadataRequest, metadataResponse } from '../protocol/messages/metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../protocol/messages/offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../protocol/messages/offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from '../protocol/messages/produce.ts';
import { syncGroupRequest, syncGroupResponse } from '../protocol/messages/sync-group.ts';
import type { Decoded, Encodable, Message } from '../protocol/schema.ts';
import { alterConfigsFailure, handleAlterConfigs } from './alter-configs.ts';
import { apiVersionsFailure, apiVersionsHandler } from './api-versions.ts';
import { consumerGroupDescribeFailure, handleConsumerGroupDescribe } from './consumer-group-describe.ts';
import { consumerGroupHeartbeatFailure, handleConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts';
import { createPartitionsFailure, handleCreatePartitions } from './create-partitions.ts';
import { createTopicsFailure, handleCreateTopics } from './create-topics.ts';
import { deleteGroupsFailure, handleDeleteGroups } from './delete-groups.ts';
import { deleteTopicsFailure, handleDeleteTopics } from './delete-topics.ts';
import { describeClusterFailure, handleDescribeCluster } from './describe-cluster.ts';
import { describeConfigsFailure, handleDescribeConfigs } from './describe-configs.ts';
import { describeGroupsFailure, handleDescribeGroups } from './describe-groups.ts';
import { describeTopicPartitionsFailure, handleDescribeTopicPartitions } from './describe-topic-partitions.ts';
import { fetchFailure, handleFetch } from './fetch.ts';
import { handleFindCoordinator } from './find-coordinator.ts';
import type { Api, Handler } from './handler.ts';
import { handleHeartbeat, heartbeatFailure } from './heartbeat.ts';
import { handleIncrementalAlterConfigs, incrementalAlterConfigsFailure } from './incremental-alter-configs.ts';
import { handleInitProducerId, initProducerIdFailure } from './init-producer-id.ts';
import { handleJoinGroup, joinGroupFailure } from './join-group.ts';
import { handleLeaveGroup, leaveGroupFailure } from './leave-group.ts';
import { handleListGroups, listGroupsFailure } from './list-groups.ts';
import { handleListConfigResources, listConfigResourcesFailure } from './list-config-resources.ts';
import { handleListOffsets } from './list-offsets.ts';
import { handleListPartitionReassignments, listPartitionReassignmentsFailure } from './list-partition-reassignments.ts';
import { handleMetadata, metadataFailure } from './metadata.ts';
import { handleOffsetCommit, offsetCommitFailure } from './offset-commit.ts';
import { handleOffsetDelete, offsetDeleteFailure } from './offset-delete.ts';
import { handleOffsetFetch, offsetFetchFailure } from './offset-fetch.ts';
import { handleOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { handleProduce } from './produce.ts';
import { handleSyncGroup, syncGroupFailure } from './sync-group.ts';

/** A row of the table; the handler must fit the tables it is put beside. */
function api<Request extends Message, Response extends Message>(
  request: Request,
  response: Response,
  handle: Handler<Decoded<Request>, Encodable<Response>>,
  options: {
    overlapping?: boolean;
    advertisedMinVersion?: number;
    failure?: (errorCode: number, request: Decoded<Request>, message: string | null) => Encodable<Response>;
  } = {},
): Api {
  return {
    key: request.apiKey ?? -1,
    name: request.name.replace(/Request$/, ''),
    request,
    response,
    minVersion: request.versions.min,
    maxVersion: request.versions.max,
    handle,
    ...options,
  };
}

const served: readonly Api[] = [
  // librdkafka looks for a low bound of 0 and stops compressing without it (KAFKA-18659); versions 0-2 are refused all the same.
  api(produceRequest, produceResponse, handleProduce, { overlapping: true, advertisedMinVersion: 0 }),
  api(fetchRequest, fetchResponse, handleFetch, { failure: fetchFailure }),
  api(listOffsetsRequest, listOffsetsResponse, handleListOffsets),
  api(metadataRequest, metadataResponse, handleMetadata, { failure: metadataFailure }),
  api(offsetCommitRequest, offsetCommitResponse, handleOffsetCommit, { failure: offsetCommitFailure }),
  api(offsetFetchRequest, offsetFetchResponse, handleOffsetFetch, { failure: offsetFetchFailure }),
  api(findCoordinatorRequest, findCoordinatorResponse, handleFindCoordinator),
  api(joinGroupRequest, joinGroupResponse, handleJoinGroup, { failure: joinGroupFailure }),
  api(heartbeatRequest, heartbeatResponse, handleHeartbeat, { failure: heartbeatFailure }),
  api(leaveGroupRequest, leaveGroupResponse, handleLeaveGroup, { failure: leaveGroupFailure }),
  api(syncGroupRequest, syncGroupResponse, handleSyncGroup, { failure: syncGroupFailure }),
  api(describeGroupsRequest, describeGroupsResponse, handleDescribeGroups, { failure: describeGroupsFailure }),
  api(listGroupsRequest, listGroupsResponse, handleListGroups, { failure: listGroupsFailure }),
  api(
    apiVersionsRequest,
    apiVersionsResponse,
    apiVersionsHandler(() => apis.values()),
    { failure: apiVersionsFailure },
  ),
  api(createTopicsRequest, createTopicsResponse, handleCreateTopics, { failure: createTopicsFailure }),
  api(deleteTopicsRequest, deleteTopicsResponse, handleDeleteTopics, { failure: deleteTopicsFailure }),
  api(describeConfigsRequest, describeConfigsResponse, handleDescribeConfigs, { failure: describeConfigsFailure }),
  api(alterConfigsRequest, alterConfigsResponse, handleAlterConfigs, { failure: alterConfigsFailure }),
  api(createPartitionsRequest, createPartitionsResponse, handleCreatePartitions, { failure: createPartitionsFailure }),
  api(deleteGroupsRequest, deleteGroupsResponse, handleDeleteGroups, { failure: deleteGroupsFailure }),
  api(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, handleIncrementalAlterConfigs, {
    failure: incrementalAlterConfigsFailure,
  }),
  api(offsetDeleteRequest, offsetDeleteResponse, handleOffsetDelete, { failure: offsetDeleteFailure }),
  api(listPartitionReassignmentsRequest, listPartitionReassignmentsResponse, handleListPartitionReassignments, {
    failure: listPartitionReassignmentsFailure,
  }),
  api(listConfigResourcesRequest, listConfigResourcesResponse, handleListConfigResources, { failure: listConfigResourcesFailure }),
  api(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, handleConsumerGroupHeartbeat, {
    failure: consumerGroupHeartbeatFailure,
  }),
  api(consumerGroupDescribeRequest, consumerGroupDescribeResponse, handleConsumerGroupDescribe, { failure: consumerGroupDescribeFailure }),
  api(describeClusterRequest, describeClusterResponse, handleDescribeCluster, { failure: describeClusterFailure }),
  api(describeTopicPartitionsRequest, describeTopicPartitionsResponse, handleDescribeTopicPartitions, {
    failure: describeTopicPartitionsFailure,
  }),
  api(initProducerIdRequest, initProducerIdResponse, handleInitProducerId, { failure: initProducerIdFailure }),
  api(offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, handleOffsetForLeaderEpoch),
];

export const apis: ReadonlyMap<number, Api> = new Map(served.map((row) => [row.key, row]));
