// ApiVersions (API 18): which APIs are served, in which versions, at which feature levels. Answers from the one table
// that dispatch uses too, so nothing is advertised that nobody answers.
import { KafkaError, NONE } from '../protocol/errors.ts';
import type { apiVersionsResponse, ApiVersionsRequest } from '../protocol/messages/api-versions.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { Api, RequestContext } from './handler.ts';

type ApiVersionsResponseData = Encodable<typeof apiVersionsResponse>;

/** KIP-511: what a client may call itself. */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export const apiVersionsHandler =
  (apis: () => Iterable<Api>) =>
  (request: ApiVersionsRequest, context: RequestContext): ApiVersionsResponseData => {
    if (context.apiVersion >= 3) {
      const { clientSoftwareName, clientSoftwareVersion } = request;
      if (!softwareName.test(clientSoftwareName) || !softwareName.test(clientSoftwareVersion)) {
        throw new KafkaError('INVALID_REQUEST', 'the client software name or version has characters that are not allowed');
      }
      context.connection.clientSoftwareName = clientSoftwareName;
      context.connection.clientSoftwareVersion = clientSoftwareVersion;
    }
    return { errorCode: NONE, apiKeys: shapeVersions(apis()), throttleTimeMs: 0 };
  };

export function shapeVersions(apis: Iterable<Api>): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return [...apis]
    .map(({ key, minVersion, maxVersion, advertisedMinVersion }) => ({
      apiKey: key,
      minVersion: advertisedMinVersion ?? minVersion,
      maxVersion,
    }))
    .sort((left, right) => left.apiKey - right.apiKey);
}
