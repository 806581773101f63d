// ApiVersions (API 18): which APIs are served, in which versions, and which features the cluster has. Answers from the one
// table that dispatch uses too, so nothing is advertised that nobody answers. A version of the request itself that is not
// served is answered before it gets here (server/served-apis.ts).
import { finalizedFeatures, supportedFeatures, type FeatureRange } from '../broker/features.ts';
import { KafkaError, NONE } from '../protocol/errors.ts';
import type { apiVersionsResponse, ApiVersionsRequest } from '../protocol/messages/api-versions.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { Api, RequestContext } from './handler.ts';

type ApiVersionsResponseData = Encodable<typeof apiVersionsResponse>;

/** KIP-511: what a client may call itself. */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
const FIRST_VERSION_WITH_SOFTWARE = 3;
const FIRST_VERSION_WITH_LEVEL_ZERO = 4;

export const apiVersionsHandler =
  (apis: () => Iterable<Api>) =>
  (request: ApiVersionsRequest, context: RequestContext): ApiVersionsResponseData => {
    const { connection, apiVersion, broker } = context;
    if (apiVersion >= FIRST_VERSION_WITH_SOFTWARE) {
      const { clientSoftwareName, clientSoftwareVersion } = request;
      if (!softwareName.test(clientSoftwareName) || !softwareName.test(clientSoftwareVersion))
        throw new KafkaError('INVALID_REQUEST', 'the client software name or version has characters that are not allowed');
      connection.clientSoftwareName = clientSoftwareName;
      connection.clientSoftwareVersion = clientSoftwareVersion;
    }
    return {
      errorCode: NONE,
      apiKeys: shapeVersions(apis()),
      throttleTimeMs: 0,
      supportedFeatures: featuresToldTo(apiVersion, supportedFeatures),
      finalizedFeaturesEpoch: broker.metadata.appliedOffset,
      finalizedFeatures: finalizedFeatures(broker.image).map(({ name, level }) => ({
        name,
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
    };
  };

/** Older clients take a feature that begins at level 0 for a broken answer (KAFKA-17011). */
export const featuresToldTo = (apiVersion: number, features: readonly FeatureRange[]): readonly FeatureRange[] =>
  features.filter(({ minVersion }) => minVersion > 0 || apiVersion >= FIRST_VERSION_WITH_LEVEL_ZERO);

export const apiVersionsFailure = (errorCode: number): ApiVersionsResponseData => ({ errorCode, apiKeys: [], throttleTimeMs: 0 });

function shapeVersions(apis: Iterable<Api>): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return [...apis]
    .map(({ key, minVersion, maxVersion, advertisedMinVersion }) => ({
      apiKey: key,
      minVersion: advertisedMinVersion ?? minVersion,
      maxVersion,
    }))
    .sort((left, right) => left.apiKey - right.apiKey);
}
