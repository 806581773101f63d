// AlterReplicaLogDirs (API 34): moves replicas between the log directories of a broker.
// Wire tables only. Whether a replica can move is decided in handlers/alter-replica-log-dirs.ts.
import { arrayOf, int16, int32, message, string, type Decoded } from '../schema.ts';

export const alterReplicaLogDirsRequest = message(
  'AlterReplicaLogDirsRequest',
  { apiKey: 34, type: 'request', versions: '1-2', flexible: '2+' },
  {
    dirs: arrayOf('0+', {
      path: string('0+', { mapKey: true }),
      topics: arrayOf('0+', {
        name: string('0+', { mapKey: true }),
        partitions: arrayOf('0+', int32),
      }),
    }),
  },
);
export type AlterReplicaLogDirsRequest = Decoded<typeof alterReplicaLogDirsRequest>;

export const alterReplicaLogDirsResponse = message(
  'AlterReplicaLogDirsResponse',
  { apiKey: 34, type: 'response', versions: '1-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: arrayOf('0+', {
      topicName: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
);
export type AlterReplicaLogDirsResponse = Decoded<typeof alterReplicaLogDirsResponse>;
