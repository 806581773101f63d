// Heartbeat (API 12): a member of a classic group says that it is alive, and hears whether the group rebalances.
// Wire tables only. Sessions are kept by the group coordinator.
import { int16, int32, message, nullableString, string, type Decoded } from '../schema.ts';

export const heartbeatRequest = message(
  'HeartbeatRequest',
  { apiKey: 12, type: 'request', versions: '0-4', flexible: '4+' },
  {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: nullableString('3+', { default: null }), // KIP-345
  },
);
export type HeartbeatRequest = Decoded<typeof heartbeatRequest>;

export const heartbeatResponse = message(
  'HeartbeatResponse',
  { apiKey: 12, type: 'response', versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  },
);
export type HeartbeatResponse = Decoded<typeof heartbeatResponse>;
