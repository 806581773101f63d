// GetTelemetrySubscriptions (API 71): which metrics the broker wants from a client (KIP-714).
// Wire tables only. What is wanted is decided in handlers/get-telemetry-subscriptions.ts.
import { arrayOf, boolean, int16, int32, int8, message, string, uuid, type Decoded } from '../schema.ts';

export const getTelemetrySubscriptionsRequest = message(
  'GetTelemetrySubscriptionsRequest',
  { apiKey: 71, type: 'request', versions: '0', flexible: '0+' },
  {
    clientInstanceId: uuid('0+'),
  },
);
export type GetTelemetrySubscriptionsRequest = Decoded<typeof getTelemetrySubscriptionsRequest>;

export const getTelemetrySubscriptionsResponse = message(
  'GetTelemetrySubscriptionsResponse',
  { apiKey: 71, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    acceptedCompressionTypes: arrayOf('0+', int8),
    pushIntervalMs: int32('0+'),
    telemetryMaxBytes: int32('0+'),
    deltaTemporality: boolean('0+'),
    requestedMetrics: arrayOf('0+', string),
  },
);
export type GetTelemetrySubscriptionsResponse = Decoded<typeof getTelemetrySubscriptionsResponse>;
