// DescribeLogDirs (API 35): what lies in the log directories of a broker, and how much room is left.
// Wire tables only. The sizes are measured by the log.
import { arrayOf, boolean, int16, int32, int64, message, nullableArrayOf, string, type Decoded } from '../schema.ts';

export const describeLogDirsRequest = message(
  'DescribeLogDirsRequest',
  { apiKey: 35, type: 'request', versions: '1-4', flexible: '2+' },
  {
    // null asks for all
    topics: nullableArrayOf('0+', {
      topic: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type DescribeLogDirsRequest = Decoded<typeof describeLogDirsRequest>;

export const describeLogDirsResponse = message(
  'DescribeLogDirsResponse',
  { apiKey: 35, type: 'response', versions: '1-4', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('3+', { ignorable: true }),
    results: arrayOf('0+', {
      errorCode: int16('0+'),
      logDir: string('0+'),
      topics: arrayOf('0+', {
        name: string('0+'),
        partitions: arrayOf('0+', {
          partitionIndex: int32('0+'),
          partitionSize: int64('0+'),
          offsetLag: int64('0+'),
          isFutureKey: boolean('0+'),
        }),
      }),
      totalBytes: int64('4+', { default: -1, ignorable: true }), // KIP-827
      usableBytes: int64('4+', { default: -1, ignorable: true }), // KIP-827
    }),
  },
);
export type DescribeLogDirsResponse = Decoded<typeof describeLogDirsResponse>;
