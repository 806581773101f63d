// ApiVersions (API 18): the APIs and versions this broker serves; the first thing most clients ask.
// Wire tables only. A client that asks in a version we lack is answered in version 0 (KIP-511); the header of the answer is never flexible.
import { arrayOf, boolean, int16, int32, int64, message, string, type Decoded } from '../schema.ts';

export const apiVersionsRequest = message(
  'ApiVersionsRequest',
  { apiKey: 18, type: 'request', versions: '0-4', flexible: '3+' },
  {
    clientSoftwareName: string('3+', { ignorable: true }), // KIP-511
    clientSoftwareVersion: string('3+', { ignorable: true }), // KIP-511
  },
);
export type ApiVersionsRequest = Decoded<typeof apiVersionsRequest>;

export const apiVersionsResponse = message(
  'ApiVersionsResponse',
  { apiKey: 18, type: 'response', versions: '0-4', flexible: '3+' },
  {
    errorCode: int16('0+'),
    apiKeys: arrayOf('0+', {
      apiKey: int16('0+', { mapKey: true }),
      minVersion: int16('0+'),
      maxVersion: int16('0+'),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    // KIP-584
    supportedFeatures: arrayOf(
      '3+',
      {
        name: string('3+', { mapKey: true }),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      },
      { tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64('3+', { tag: 1, default: -1, ignorable: true }), // KIP-584
    // KIP-584
    finalizedFeatures: arrayOf(
      '3+',
      {
        name: string('3+', { mapKey: true }),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      },
      { tag: 2, ignorable: true },
    ),
    zkMigrationReady: boolean('3+', { tag: 3, default: false, ignorable: true }), // KIP-866
  },
);
export type ApiVersionsResponse = Decoded<typeof apiVersionsResponse>;
