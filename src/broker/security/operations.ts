// The operations that may be allowed or denied, by their codes (AclOperation of Kafka), and which of them a resource has.

export const aclOperations = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
} as const;

export type AclOperation = keyof typeof aclOperations;

/** What an answer says when the client did not ask for operations (KIP-430). */
export const OPERATIONS_NOT_ASKED = -(2 ** 31);

/** The operations that a resource of the type has (AclEntry.supportedOperations of Kafka). */
export const supportedOperations = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: ['CREATE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE', 'ALTER', 'DESCRIBE'],
} as const satisfies Record<string, readonly AclOperation[]>;

export type OperatedResource = keyof typeof supportedOperations;

/** As they stand in answers: one bit each. */
export const operationBits = (operations: readonly AclOperation[]): number =>
  operations.reduce((bits, name) => bits | (1 << aclOperations[name]), 0);
