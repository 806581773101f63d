// What can be wrong, in the words of the protocol. A client's fault is a KafkaError, thrown deep down and turned into
// a code by the handler; bytes that are not Kafka are a ProtocolError, which closes the connection. A broken promise
// of our own (InvariantError) is neither, and passes through.
import { InvariantError } from '../base/invariant.ts';

export const NONE = 0;

// name: [code, retriable, meaning]; the codes are fixed by the protocol guide, section "Error codes".
export const kafkaErrors = {
  UNKNOWN_SERVER_ERROR: [-1, false, 'the broker failed in a way it did not foresee'],
  OFFSET_OUT_OF_RANGE: [1, false, 'the offset lies outside the log'],
  CORRUPT_MESSAGE: [2, true, 'the checksum or size of a record batch is wrong'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, true, 'this broker does not host the topic or partition'],
  INVALID_FETCH_SIZE: [4, false, 'the fetch size is negative'],
  LEADER_NOT_AVAILABLE: [5, true, 'the partition has no leader at the moment'],
  NOT_LEADER_OR_FOLLOWER: [6, true, 'this broker is not the leader, or not a replica, of the partition'],
  REQUEST_TIMED_OUT: [7, true, 'the request took longer than it allowed'],
  BROKER_NOT_AVAILABLE: [8, false, 'the broker is not there'],
  REPLICA_NOT_AVAILABLE: [9, true, 'the replica is not there'],
  MESSAGE_TOO_LARGE: [10, false, 'a record batch is larger than the topic allows'],
  STALE_CONTROLLER_EPOCH: [11, false, 'a newer controller has taken over'],
  OFFSET_METADATA_TOO_LARGE: [12, false, 'the metadata of a committed offset is too large'],
  NETWORK_EXCEPTION: [13, true, 'the connection broke before the answer came'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, true, 'the coordinator is still reading its log'],
  COORDINATOR_NOT_AVAILABLE: [15, true, 'there is no coordinator at the moment'],
  NOT_COORDINATOR: [16, true, 'this broker is not the coordinator'],
  INVALID_TOPIC_EXCEPTION: [17, false, 'the topic name is illegal, or the topic may not be used this way'],
  RECORD_LIST_TOO_LARGE: [18, false, 'the records of a request are larger than a segment'],
  NOT_ENOUGH_REPLICAS: [19, true, 'fewer replicas are in sync than the topic demands'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, true, 'the records are written, but to fewer replicas than the topic demands'],
  INVALID_REQUIRED_ACKS: [21, false, 'acks is none of -1, 0 and 1'],
  ILLEGAL_GENERATION: [22, false, 'the generation is not that of the group'],
  INCONSISTENT_GROUP_PROTOCOL: [23, false, 'the member shares no protocol with the group'],
  INVALID_GROUP_ID: [24, false, 'the group id is illegal'],
  UNKNOWN_MEMBER_ID: [25, false, 'the group does not know the member'],
  INVALID_SESSION_TIMEOUT: [26, false, 'the session timeout lies outside the allowed range'],
  REBALANCE_IN_PROGRESS: [27, false, 'the group is rebalancing, the member has to join again'],
  INVALID_COMMIT_OFFSET_SIZE: [28, false, 'the commit is too large to be stored'],
  TOPIC_AUTHORIZATION_FAILED: [29, false, 'the principal may not do this to the topic'],
  GROUP_AUTHORIZATION_FAILED: [30, false, 'the principal may not do this to the group'],
  CLUSTER_AUTHORIZATION_FAILED: [31, false, 'the principal may not do this to the cluster'],
  INVALID_TIMESTAMP: [32, false, 'the timestamp of a record lies outside the allowed range'],
  UNSUPPORTED_SASL_MECHANISM: [33, false, 'the SASL mechanism is not enabled'],
  ILLEGAL_SASL_STATE: [34, false, 'the request does not fit the state of the SASL exchange'],
  UNSUPPORTED_VERSION: [35, false, 'this version of the API is not served'],
  TOPIC_ALREADY_EXISTS: [36, false, 'the topic exists already'],
  INVALID_PARTITIONS: [37, false, 'the number of partitions is illegal'],
  INVALID_REPLICATION_FACTOR: [38, false, 'the replication factor is illegal or larger than the number of brokers'],
  INVALID_REPLICA_ASSIGNMENT: [39, false, 'the assignment of replicas is illegal'],
  INVALID_CONFIG: [40, false, 'a setting is unknown or its value illegal'],
  NOT_CONTROLLER: [41, true, 'this broker is not the controller'],
  INVALID_REQUEST: [42, false, 'the request contradicts itself or misses something'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, false, 'the message format of the log does not support this'],
  POLICY_VIOLATION: [44, false, 'a policy of the cluster forbids this'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, false, 'a sequence number does not follow the last one of its producer'],
  DUPLICATE_SEQUENCE_NUMBER: [46, false, 'the sequence number has been seen before'],
  INVALID_PRODUCER_EPOCH: [47, false, 'a newer incarnation of the producer has written here'],
  INVALID_TXN_STATE: [48, false, 'the transaction is not in a state that allows this'],
  INVALID_PRODUCER_ID_MAPPING: [49, false, 'the producer id does not belong to the transactional id'],
  INVALID_TRANSACTION_TIMEOUT: [50, false, 'the transaction timeout is longer than the broker allows'],
  CONCURRENT_TRANSACTIONS: [51, true, 'another change of the same transaction is under way'],
  TRANSACTION_COORDINATOR_FENCED: [52, false, 'a newer transaction coordinator has taken over'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, false, 'the principal may not use the transactional id'],
  SECURITY_DISABLED: [54, false, 'security is not set up on this broker'],
  OPERATION_NOT_ATTEMPTED: [55, false, 'an earlier error kept this from being tried'],
  KAFKA_STORAGE_ERROR: [56, true, 'the disk refused to read or write'],
  LOG_DIR_NOT_FOUND: [57, false, 'there is no such log directory'],
  SASL_AUTHENTICATION_FAILED: [58, false, 'the credentials were not accepted'],
  UNKNOWN_PRODUCER_ID: [59, false, 'the partition knows nothing of the producer id'],
  REASSIGNMENT_IN_PROGRESS: [60, false, 'the partition is being reassigned already'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, false, 'delegation tokens are not enabled'],
  DELEGATION_TOKEN_NOT_FOUND: [62, false, 'there is no such delegation token'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, false, 'the principal owns another delegation token than this one'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [64, false, 'a delegation token cannot be asked for on this connection'],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, false, 'the principal may not do this to the delegation token'],
  DELEGATION_TOKEN_EXPIRED: [66, false, 'the delegation token has expired'],
  INVALID_PRINCIPAL_TYPE: [67, false, 'the type of the principal is not supported'],
  NON_EMPTY_GROUP: [68, false, 'the group still has members'],
  GROUP_ID_NOT_FOUND: [69, false, 'there is no such group'],
  FETCH_SESSION_ID_NOT_FOUND: [70, true, 'there is no such fetch session'],
  INVALID_FETCH_SESSION_EPOCH: [71, true, 'the epoch does not follow the last one of the fetch session'],
  LISTENER_NOT_FOUND: [72, true, 'the leader has no listener of the name the client came through'],
  TOPIC_DELETION_DISABLED: [73, false, 'deleting topics is switched off'],
  FENCED_LEADER_EPOCH: [74, true, 'the leader epoch is older than the one of the broker'],
  UNKNOWN_LEADER_EPOCH: [75, true, 'the leader epoch is newer than the one of the broker'],
  UNSUPPORTED_COMPRESSION_TYPE: [76, false, 'this version of the API cannot carry the compression type'],
  STALE_BROKER_EPOCH: [77, false, 'the broker has registered again since'],
  OFFSET_NOT_AVAILABLE: [78, true, 'the leader does not know its high watermark yet'],
  MEMBER_ID_REQUIRED: [79, false, 'the member has to join again with the id it is given here'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, true, 'the preferred replica cannot lead at the moment'],
  GROUP_MAX_SIZE_REACHED: [81, false, 'the group is full'],
  FENCED_INSTANCE_ID: [82, false, 'another member has taken over the group instance id'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, true, 'no replica that may lead is alive'],
  ELECTION_NOT_NEEDED: [84, true, 'the partition has the wanted leader already'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, false, 'no reassignment of the partition is under way'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, false, 'the group is subscribed to the topic'],
  INVALID_RECORD: [87, false, 'a record is not acceptable'],
  UNSTABLE_OFFSET_COMMIT: [88, true, 'a transaction with offsets for the partition has not ended yet'],
  THROTTLING_QUOTA_EXCEEDED: [89, true, 'a quota is used up'],
  PRODUCER_FENCED: [90, false, 'a newer producer with the same transactional id is at work'],
  RESOURCE_NOT_FOUND: [91, false, 'there is no such resource'],
  DUPLICATE_RESOURCE: [92, false, 'the request names a resource twice'],
  UNACCEPTABLE_CREDENTIAL: [93, false, 'the credential is not acceptable'],
  INCONSISTENT_VOTER_SET: [94, false, 'the two sides disagree about the set of voters'],
  INVALID_UPDATE_VERSION: [95, false, 'the feature cannot move to this version'],
  FEATURE_UPDATE_FAILED: [96, false, 'the change of features failed'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, false, 'the principal of a forwarded request cannot be read'],
  SNAPSHOT_NOT_FOUND: [98, false, 'there is no such snapshot'],
  POSITION_OUT_OF_RANGE: [99, false, 'the position lies outside the snapshot'],
  UNKNOWN_TOPIC_ID: [100, true, 'this broker hosts no topic of this id'],
  DUPLICATE_BROKER_REGISTRATION: [101, false, 'another broker is registered under this id'],
  BROKER_ID_NOT_REGISTERED: [102, false, 'no broker is registered under this id'],
  INCONSISTENT_TOPIC_ID: [103, true, 'the topic id is not the one the log was made for'],
  INCONSISTENT_CLUSTER_ID: [104, false, 'the request is meant for another cluster'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, false, 'there is no such transactional id'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, true, 'the fetch session mixes topic names and topic ids'],
  INELIGIBLE_REPLICA: [107, false, 'the replica may not join the in-sync set'],
  NEW_LEADER_ELECTED: [108, false, 'a new leader was elected by this change'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, false, 'the offset lies in tiered storage'],
  FENCED_MEMBER_EPOCH: [110, false, 'the member epoch is fenced off, the member has to join again'],
  UNRELEASED_INSTANCE_ID: [111, false, 'another member still holds the group instance id'],
  UNSUPPORTED_ASSIGNOR: [112, false, 'the assignor is not supported'],
  STALE_MEMBER_EPOCH: [113, false, 'the member epoch is an old one'],
  MISMATCHED_ENDPOINT_TYPE: [114, false, 'the request came to the wrong kind of endpoint'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, false, 'there is no endpoint of this kind'],
  UNKNOWN_CONTROLLER_ID: [116, false, 'there is no controller of this id'],
  UNKNOWN_SUBSCRIPTION_ID: [117, false, 'there is no such telemetry subscription'],
  TELEMETRY_TOO_LARGE: [118, false, 'the metrics are larger than the broker takes'],
  INVALID_REGISTRATION: [119, false, 'the registration of the broker is illegal'],
  TRANSACTION_ABORTABLE: [120, false, 'the transaction has to be aborted'],
  INVALID_RECORD_STATE: [121, false, 'the records are not in a state that allows this'],
  SHARE_SESSION_NOT_FOUND: [122, true, 'there is no such share session'],
  INVALID_SHARE_SESSION_EPOCH: [123, true, 'the epoch does not follow the last one of the share session'],
  FENCED_STATE_EPOCH: [124, false, 'the state epoch is an old one'],
  INVALID_VOTER_KEY: [125, false, 'the voter key is not the one of the receiving replica'],
  DUPLICATE_VOTER: [126, false, 'the voter is in the set already'],
  VOTER_NOT_FOUND: [127, false, 'the voter is not in the set'],
  INVALID_REGULAR_EXPRESSION: [128, false, 'the regular expression is illegal'],
  REBOOTSTRAP_REQUIRED: [129, false, 'the client has to bootstrap again'],
  STREAMS_INVALID_TOPOLOGY: [130, false, 'the topology is illegal'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, false, 'the topology epoch is illegal'],
  STREAMS_TOPOLOGY_FENCED: [132, false, 'the topology epoch is an old one'],
  SHARE_SESSION_LIMIT_REACHED: [133, true, 'there are as many share sessions as allowed'],
} as const satisfies Record<string, readonly [code: number, retriable: boolean, meaning: string]>;

export type ErrorName = keyof typeof kafkaErrors;

/** Names that clients choose stand in messages, and an answer has room for 32,767 bytes (three to a character): it could not be sent. */
const MOST_MESSAGE_CHARACTERS = 4_000;

const shortened = (message: string): string =>
  message.length <= MOST_MESSAGE_CHARACTERS ? message : `${message.slice(0, MOST_MESSAGE_CHARACTERS)}…`;

/**
 * The client asked for what it cannot have. The message is for its eyes: no secrets, no paths.
 * It has no stack: where it was thrown says nothing that its name does not, and collecting one takes ten times as long as
 * all the rest (4 µs; a request for 100,000 partitions that are not there stopped everybody else for half a second).
 */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly errorName: ErrorName;
  readonly code: number;

  constructor(errorName: ErrorName, message: string = kafkaErrors[errorName][2], options?: { cause: unknown }) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(shortened(message), options);
    Error.stackTraceLimit = stackTraceLimit;
    this.errorName = errorName;
    this.code = kafkaErrors[errorName][0];
  }
}

/** The bytes are not Kafka: nothing behind them can be trusted, and the connection is closed. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** @throws KafkaError `errorName` when `condition` is false: the client's fault */
export function check(condition: boolean, errorName: ErrorName, message?: string): asserts condition {
  if (!condition) throw new KafkaError(errorName, message);
}

/** What `errorCodeOf` needs of a log. */
export interface ErrorLog {
  error(message: string, thrown: unknown): void;
}

/**
 * The one road from a thrown value to a wire code. What nobody foresaw is logged and becomes UNKNOWN_SERVER_ERROR.
 * @throws InvariantError the thrown one: our own promise is broken, and the broker fails
 */
export function errorCodeOf(thrown: unknown, log: ErrorLog): number {
  if (thrown instanceof InvariantError) throw thrown;
  if (thrown instanceof KafkaError) return thrown.code;
  log.error('a handler failed unexpectedly', thrown);
  return kafkaErrors.UNKNOWN_SERVER_ERROR[0];
}

const namesByCode = new Map<number, ErrorName>(Object.entries(kafkaErrors).map(([name, [code]]) => [code, name as ErrorName]));

/** The name of a code, `NONE` for 0, undefined for a code we do not know (a newer broker's, in a client). */
export function errorNameOf(code: number): ErrorName | 'NONE' | undefined {
  return code === NONE ? 'NONE' : namesByCode.get(code);
}
