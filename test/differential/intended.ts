// Differences from Apache Kafka that are meant, each with its reason. What the docs say at more length stands in
// docs/decisions/topics-and-settings.md.
import type { Difference } from './duel.ts';

interface Intended {
  readonly api: string;
  readonly what?: RegExp;
  readonly path?: RegExp;
  readonly reason: string;
}

const intended: readonly Intended[] = [
  { api: 'Metadata', what: /^neither name nor id$/, reason: 'it is the client’s fault, and can be said' },
  { api: 'CreatePartitions', path: /errorMessage$/, reason: 'words beside the code, where Kafka has none' },
  { api: 'DescribeConfigs', path: /errorMessage$/, reason: 'no error has no words; Kafka sends an empty text' },
  {
    api: 'DescribeConfigs',
    path: /configs(\[\d+\]\.(configSource|synonyms))?$/,
    what: /^(a topic|a topic with a setting|all brokers)$/,
    reason: 'min.insync.replicas is set for all brokers where eligible leader replicas are a feature',
  },
  { api: 'Produce', path: /errorMessage$/, reason: 'words beside the code, where Kafka has none' },
  { api: 'Produce', what: /^no records$/, reason: 'Kafka never answers' },
  { api: 'Produce', what: /^half a second batch$/, reason: 'Kafka drops it without a word, and its client believes it stored' },
  {
    api: 'Produce',
    what: /^(codec|gzip with garbage)/,
    reason: 'UNSUPPORTED_COMPRESSION_TYPE or INVALID_RECORD: it is the client’s fault, and can be said',
  },
  { api: 'Produce', what: /^a producer without an epoch$/, reason: 'no client sends one; what it could mean nobody knows' },
  {
    api: 'Produce',
    what: /^stamped by the client into the stamped$/,
    path: /recordErrors$/,
    reason: 'the batch is at fault, not each record',
  },
  {
    api: 'Produce',
    what: / again$/,
    path: /logAppendTimeMs$/,
    reason: 'with CreateTime the client knows the time of each record; Kafka tells the largest of the batch',
  },
  {
    api: 'Produce',
    path: /logStartOffset$/,
    what: /^(no bytes|one byte|two batches|half a batch|magic [01])$/,
    reason: 'every INVALID_RECORD tells it',
  },
  { api: 'JoinGroup', path: /protocolName$/, reason: 'an empty name beside an error says as much as none' },
  { api: 'ListOffsets', what: /^a partition twice$/, reason: 'as many answers as questions' },
  { api: 'Fetch', what: /^a partition twice$/, reason: 'as many answers as questions' },
  {
    api: 'Fetch',
    path: /abortedTransactions$/,
    what: /not there$|it again$/,
    reason: 'nothing is known of transactions in what is not there',
  },
  { api: 'Fetch', path: /records$/, what: /^at most/, reason: 'whole batches: with what is cut off no client can do anything' },
];

export function reasonFor({ api, what, path }: Difference): string | undefined {
  return intended.find((one) => one.api === api && (one.what?.test(what) ?? true) && (one.path?.test(path) ?? true))?.reason;
}
