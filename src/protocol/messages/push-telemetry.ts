// PushTelemetry (API 72): a client hands over its metrics (KIP-714).
// Wire tables only. The metrics are OTLP, compressed, and opaque here.
import { boolean, bytes, int16, int32, int8, message, uuid, type Decoded } from '../schema.ts';

export const pushTelemetryRequest = message(
  'PushTelemetryRequest',
  { apiKey: 72, type: 'request', versions: '0', flexible: '0+' },
  {
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    terminating: boolean('0+'),
    compressionType: int8('0+'),
    metrics: bytes('0+'),
  },
);
export type PushTelemetryRequest = Decoded<typeof pushTelemetryRequest>;

export const pushTelemetryResponse = message(
  'PushTelemetryResponse',
  { apiKey: 72, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
);
export type PushTelemetryResponse = Decoded<typeof pushTelemetryResponse>;
