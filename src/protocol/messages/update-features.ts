// UpdateFeatures (API 57): finalized feature levels go up or down (KIP-584).
// Wire tables only. Which levels there are is decided in handlers/update-features.ts.
import { arrayOf, boolean, int16, int32, int8, message, nullableString, string, type Decoded } from '../schema.ts';

export const updateFeaturesRequest = message(
  'UpdateFeaturesRequest',
  { apiKey: 57, type: 'request', versions: '0-2', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60_000 }),
    featureUpdates: arrayOf('0+', {
      feature: string('0+', { mapKey: true }),
      maxVersionLevel: int16('0+'),
      allowDowngrade: boolean('0'),
      upgradeType: int8('1+', { default: 1 }), // KIP-778
    }),
    validateOnly: boolean('1+', { default: false }), // KIP-778
  },
);
export type UpdateFeaturesRequest = Decoded<typeof updateFeaturesRequest>;

export const updateFeaturesResponse = message(
  'UpdateFeaturesResponse',
  { apiKey: 57, type: 'response', versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    results: arrayOf(
      '0-1',
      {
        feature: string('0+', { mapKey: true }),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+'),
      },
      { ignorable: true },
    ),
  },
);
export type UpdateFeaturesResponse = Decoded<typeof updateFeaturesResponse>;
