// What every client is asked to do with the broker: one list of sentences, whatever the language of the client.
// A suite answers each check it is given by its id; a check without an answer is a failure, so none can fall out unseen.

interface Check {
  /** Completes "the client …". */
  readonly says: string;
  /** 1: produce, fetch, create a topic, metadata, offsets. 2: idempotence, refusals, topics, settings, groups. 3: what is not served yet. */
  readonly level: 1 | 2 | 3;
  /** How long the check may take before it has failed; by default `defaultTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** Each takes under 3 s on a quiet machine; what takes longer than this is not slow, it hangs. */
export const defaultTimeoutMs = 30_000;

export const checks = {
  'create-one': { level: 1, says: 'creates a topic with one partition' },
  'create-three': { level: 1, says: 'creates a topic with three partitions, each with a leader' },
  'create-twice': { level: 1, says: 'is told that a topic of that name exists already' },
  'round-trip': { level: 1, says: 'reads back from three partitions, by assignment, what it produced' },
  bulk: { level: 1, says: 'reads back many records in order, offsets without a gap, keys and values byte for byte', timeoutMs: 120_000 },
  'every-byte': { level: 1, says: 'keeps every byte value in keys and values' },
  gzip: { level: 1, says: 'reads back records compressed with gzip' },
  snappy: { level: 1, says: 'reads back records compressed with snappy' },
  lz4: { level: 1, says: 'reads back records compressed with lz4' },
  zstd: { level: 1, says: 'reads back records compressed with zstd' },
  headers: { level: 1, says: 'reads back headers, empty ones and repeated names too, in order' },
  'null-key': { level: 1, says: 'tells a record without a key from one with an empty key' },
  'null-value': { level: 1, says: 'tells a record without a value from one with an empty value' },
  mebibyte: { level: 1, says: 'reads back values of 1 MiB from a topic that allows them' },
  'acks-zero': { level: 1, says: 'produces with acks=0, and everything arrives' },
  'acks-one': { level: 1, says: 'produces with acks=1' },
  'acks-all': { level: 1, says: 'produces with acks=all' },
  timestamps: { level: 1, says: 'reads back the timestamps it gave' },
  'earliest-latest': { level: 1, says: 'is told the earliest and the latest offset' },
  'offset-by-timestamp': { level: 1, says: 'finds the first record at or after a timestamp, and none after the last' },
  'from-offset': { level: 1, says: 'reads from an offset in the middle of a batch' },
  'long-poll': { level: 1, says: 'waits at the end of a log and gets a record as it arrives' },
  'out-of-range': { level: 1, says: 'is told that an offset lies beyond the log' },
  idempotent: { level: 2, says: 'produces idempotently, each record once and in order' },
  'too-large': { level: 2, says: 'is told that a record is larger than its topic allows' },
  'auto-create': { level: 2, says: 'creates a topic by producing to it' },
  'list-topics': { level: 2, says: 'lists the topics' },
  'describe-topic': { level: 2, says: 'describes the partitions of a topic with leader, replicas and replicas in sync' },
  'describe-cluster': { level: 2, says: 'is told the cluster, its controller and the address of its broker' },
  'delete-topic': { level: 2, says: 'deletes a topic, which is then unknown' },
  'recreate-topic': { level: 2, says: 'finds a topic empty that was deleted and created again' },
  'create-partitions': { level: 2, says: 'adds partitions to a topic and uses them' },
  'describe-configs': { level: 2, says: 'is told the configs of a topic, those given and the defaults' },
  'alter-configs': { level: 2, says: 'changes a config of a topic' },
  'delete-records': { level: 3, says: 'deletes the records before an offset, which becomes the earliest' },
  'group-resumes': { level: 2, says: 'reads every record once in a group, and the next member goes on where the last one stopped' },
  'group-shares': { level: 2, says: 'shares the partitions of a topic between two members of a group' },
  'group-leaves': {
    level: 2,
    says: 'takes over the partitions of a member that leaves a group, and reads no record twice',
    timeoutMs: 60_000,
  },
  'group-dies': { level: 2, says: 'takes over the partitions of a member that dies, when its session is over', timeoutMs: 60_000 },
  'group-static': { level: 2, says: 'finds its partitions again as a static member, and disturbs no other' },
  'group-cooperative': { level: 2, says: 'keeps what it goes on with while another member joins a cooperative group' },
  'group-consumer-leaves': {
    level: 2,
    says: 'takes over the partitions of a member that leaves a group of the consumer protocol',
    timeoutMs: 60_000,
  },
  'group-consumer-dies': { level: 2, says: 'takes over the partitions of a member of the consumer protocol that dies', timeoutMs: 60_000 },
  'group-consumer-static': { level: 2, says: 'finds its partitions again as a static member by the consumer protocol' },
  'log-append-time': { level: 2, says: "is given the broker's time in a topic with LogAppendTime" },
  recompressed: { level: 2, says: 'reads back the same records from a topic with a compression.type of its own' },
  'too-new': { level: 2, says: 'is told that a timestamp is too far ahead' },
  'compacted-key': { level: 2, says: 'is told that a compacted topic takes no record without a key' },
} as const satisfies Record<string, Check>;

export type CheckId = keyof typeof checks;

export const isCheckId = (text: string): text is CheckId => Object.hasOwn(checks, text);
export const saysOf = (id: string): string => (isCheckId(id) ? checks[id].says : id);
export const levelOf = (id: string): number | undefined => (isCheckId(id) ? checks[id].level : undefined);
export const timeoutOf = (id: string): number => {
  const check: Check | undefined = isCheckId(id) ? checks[id] : undefined;
  return check?.timeoutMs ?? defaultTimeoutMs;
};
export const checksUpTo = (level: number): CheckId[] =>
  Object.keys(checks).filter((id): id is CheckId => isCheckId(id) && checks[id].level <= level);
