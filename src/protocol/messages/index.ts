// Every API a client may call, with the tables of its two messages. What is served, and by which handler, is decided in
// handlers/index.ts; this list only knows what the bytes look like.
import type { Message } from '../schema.ts';
import { produceRequest, produceResponse } from './produce.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { createPartitionsRequest, createPartitionsResponse } from './create-partitions.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from './describe-topic-partitions.ts';

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
  api(10, 'FindCoordinator', findCoordinatorRequest, findCoordinatorResponse),
  api(18, 'ApiVersions', apiVersionsRequest, apiVersionsResponse),
  api(19, 'CreateTopics', createTopicsRequest, createTopicsResponse),
  api(20, 'DeleteTopics', deleteTopicsRequest, deleteTopicsResponse),
  api(22, 'InitProducerId', initProducerIdRequest, initProducerIdResponse),
  api(23, 'OffsetForLeaderEpoch', offsetForLeaderEpochRequest, offsetForLeaderEpochResponse),
  api(32, 'DescribeConfigs', describeConfigsRequest, describeConfigsResponse),
  api(37, 'CreatePartitions', createPartitionsRequest, createPartitionsResponse),
  api(60, 'DescribeCluster', describeClusterRequest, describeClusterResponse),
  api(75, 'DescribeTopicPartitions', describeTopicPartitionsRequest, describeTopicPartitionsResponse),
];

export const apisByKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]));
