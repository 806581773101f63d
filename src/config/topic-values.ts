// The words that topic settings and their broker-wide twins share.

export const compressionTypes = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const;
export const cleanupPolicies = ['compact', 'delete'] as const;
export const timestampTypes = ['CreateTime', 'LogAppendTime'] as const;

/** Our one default of a topic that is not Kafka's: every acknowledged batch is on the disk (design: "Ack = durable"). */
export const FLUSH_MESSAGES = 1;
