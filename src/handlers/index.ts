// The APIs this broker serves: key, tables, versions, and who answers. ApiVersions, dispatch and the support page all
// read this one table; an API without a real handler is not in it.
import { apiVersionsRequest, apiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { fetchRequest, fetchResponse } from '../protocol/messages/fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../protocol/messages/init-producer-id.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../protocol/messages/metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../protocol/messages/offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from '../protocol/messages/produce.ts';
import type { Decoded, Encodable, Message } from '../protocol/schema.ts';
import { apiVersionsHandler } from './api-versions.ts';
import { handleCreateTopics } from './create-topics.ts';
import { fetchFailure, handleFetch } from './fetch.ts';
import { handleFindCoordinator } from './find-coordinator.ts';
import type { Api, Handler } from './handler.ts';
import { handleInitProducerId, initProducerIdFailure } from './init-producer-id.ts';
import { handleListOffsets } from './list-offsets.ts';
import { handleMetadata } from './metadata.ts';
import { handleOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { handleProduce } from './produce.ts';

/** A row of the table; the handler must fit the tables it is put beside. */
function api<Request extends Message, Response extends Message>(
  request: Request,
  response: Response,
  handle: Handler<Decoded<Request>, Encodable<Response>>,
  options: {
    overlapping?: boolean;
    advertisedMinVersion?: number;
    failure?: (errorCode: number, request: Decoded<Request>) => Encodable<Response>;
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
  api(metadataRequest, metadataResponse, handleMetadata),
  api(findCoordinatorRequest, findCoordinatorResponse, handleFindCoordinator),
  api(
    apiVersionsRequest,
    apiVersionsResponse,
    apiVersionsHandler(() => apis.values()),
  ),
  api(createTopicsRequest, createTopicsResponse, handleCreateTopics),
  api(initProducerIdRequest, initProducerIdResponse, handleInitProducerId, { failure: initProducerIdFailure }),
  api(offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, handleOffsetForLeaderEpoch),
];

export const apis: ReadonlyMap<number, Api> = new Map(served.map((row) => [row.key, row]));
