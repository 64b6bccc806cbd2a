import type { Effect, LogFailureCode } from "../log.ts";

export interface ErrorMeaning {
  readonly code: LogFailureCode;
  /** Of a produce that is answered with it: whether the batch may be in the log all the same. */
  readonly effect: Effect;
}

const meaning =
  (code: LogFailureCode, effect: Effect) =>
  (...names: readonly string[]): [string, ErrorMeaning][] =>
    names.map((name) => [name, { code, effect }]);

/** The broker refused before it appended, and may take the same request later. */
const laterNone = meaning("unavailable", "none");
/** The broker failed at a moment that says nothing about the append. */
const laterUnknown = meaning("unavailable", "unknown");
const lateUnknown = meaning("timeout", "unknown");
const missing = meaning("unknown-partition", "none");
const tooLarge = meaning("too-large", "none");
/** The request itself is at fault, or the cluster does not offer what it asks for. */
const refused = meaning("refused", "none");
const forbidden = meaning("forbidden", "none");

/**
 * What each error of the protocol means to a client of the bridge: every error that Kafka lists
 * (https://kafka.apache.org/protocol#protocol_error_codes), by name.
 *
 * `unknown` are those that a leader may answer after it has appended: a produce waits for the other
 * replicas, and what ends the wait (the time is up, too few replicas, another leader, a partition
 * that moved, a failed disk) leaves open whether the record stays.
 */
export const errorTable: ReadonlyMap<string, ErrorMeaning> = new Map([
  ...lateUnknown("REQUEST_TIMED_OUT"),
  ...laterUnknown(
    "UNKNOWN_SERVER_ERROR",
    "NETWORK_EXCEPTION",
    "NOT_LEADER_OR_FOLLOWER",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "KAFKA_STORAGE_ERROR",
    "DUPLICATE_SEQUENCE_NUMBER",
    "UNKNOWN_TOPIC_ID",
    "INCONSISTENT_TOPIC_ID",
  ),
  // An election, a broker that starts, a coordinator that moves, a rebalance: soon over.
  ...laterNone(
    "LEADER_NOT_AVAILABLE",
    "BROKER_NOT_AVAILABLE",
    "REPLICA_NOT_AVAILABLE",
    "NOT_ENOUGH_REPLICAS",
    "STALE_CONTROLLER_EPOCH",
    "NOT_CONTROLLER",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "REBALANCE_IN_PROGRESS",
    "ILLEGAL_GENERATION",
    "UNKNOWN_MEMBER_ID",
    "MEMBER_ID_REQUIRED",
    "FENCED_INSTANCE_ID",
    "UNRELEASED_INSTANCE_ID",
    "FENCED_MEMBER_EPOCH",
    "STALE_MEMBER_EPOCH",
    "UNSTABLE_OFFSET_COMMIT",
    "CONCURRENT_TRANSACTIONS",
    "TRANSACTION_COORDINATOR_FENCED",
    "OPERATION_NOT_ATTEMPTED",
    "LOG_DIR_NOT_FOUND",
    "REASSIGNMENT_IN_PROGRESS",
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "STALE_BROKER_EPOCH",
    "OFFSET_NOT_AVAILABLE",
    "PREFERRED_LEADER_NOT_AVAILABLE",
    "ELIGIBLE_LEADERS_NOT_AVAILABLE",
    "ELECTION_NOT_NEEDED",
    "NO_REASSIGNMENT_IN_PROGRESS",
    "THROTTLING_QUOTA_EXCEEDED",
    "OFFSET_MOVED_TO_TIERED_STORAGE",
    "NEW_LEADER_ELECTED",
    "INELIGIBLE_REPLICA",
    "FETCH_SESSION_ID_NOT_FOUND",
    "INVALID_FETCH_SESSION_EPOCH",
    "FETCH_SESSION_TOPIC_ID_ERROR",
    "SHARE_SESSION_NOT_FOUND",
    "INVALID_SHARE_SESSION_EPOCH",
    "SNAPSHOT_NOT_FOUND",
    "CORRUPT_MESSAGE",
    "GROUP_MAX_SIZE_REACHED",
    "UNKNOWN_CONTROLLER_ID",
    "BROKER_ID_NOT_REGISTERED",
    "DUPLICATE_BROKER_REGISTRATION",
    "LISTENER_NOT_FOUND",
    // The producer's own state: its next request has a new identity.
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
    "UNKNOWN_PRODUCER_ID",
    "INVALID_PRODUCER_EPOCH",
    "INVALID_PRODUCER_ID_MAPPING",
    "PRODUCER_FENCED",
  ),
  ...missing("UNKNOWN_TOPIC_OR_PARTITION"),
  ...tooLarge(
    "MESSAGE_TOO_LARGE",
    "RECORD_LIST_TOO_LARGE",
    "OFFSET_METADATA_TOO_LARGE",
    "TELEMETRY_TOO_LARGE",
  ),
  ...forbidden(
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "SASL_AUTHENTICATION_FAILED",
    "UNSUPPORTED_SASL_MECHANISM",
    "ILLEGAL_SASL_STATE",
    "SECURITY_DISABLED",
    "DELEGATION_TOKEN_AUTH_DISABLED",
    "DELEGATION_TOKEN_NOT_FOUND",
    "DELEGATION_TOKEN_OWNER_MISMATCH",
    "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
    "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
    "DELEGATION_TOKEN_EXPIRED",
    "INVALID_PRINCIPAL_TYPE",
    "PRINCIPAL_DESERIALIZATION_FAILURE",
  ),
  ...refused(
    "OFFSET_OUT_OF_RANGE",
    "INVALID_FETCH_SIZE",
    "INVALID_TOPIC_EXCEPTION",
    "INVALID_REQUIRED_ACKS",
    "INCONSISTENT_GROUP_PROTOCOL",
    "INVALID_GROUP_ID",
    "INVALID_SESSION_TIMEOUT",
    "INVALID_COMMIT_OFFSET_SIZE",
    "INVALID_TIMESTAMP",
    "UNSUPPORTED_VERSION",
    "TOPIC_ALREADY_EXISTS",
    "INVALID_PARTITIONS",
    "INVALID_REPLICATION_FACTOR",
    "INVALID_REPLICA_ASSIGNMENT",
    "INVALID_CONFIG",
    "INVALID_REQUEST",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "POLICY_VIOLATION",
    "INVALID_TXN_STATE",
    "INVALID_TRANSACTION_TIMEOUT",
    "NON_EMPTY_GROUP",
    "GROUP_ID_NOT_FOUND",
    "TOPIC_DELETION_DISABLED",
    "UNSUPPORTED_COMPRESSION_TYPE",
    "GROUP_SUBSCRIBED_TO_TOPIC",
    "INVALID_RECORD",
    "RESOURCE_NOT_FOUND",
    "DUPLICATE_RESOURCE",
    "UNACCEPTABLE_CREDENTIAL",
    "INCONSISTENT_VOTER_SET",
    "INVALID_UPDATE_VERSION",
    "FEATURE_UPDATE_FAILED",
    "POSITION_OUT_OF_RANGE",
    "INCONSISTENT_CLUSTER_ID",
    "TRANSACTIONAL_ID_NOT_FOUND",
    "UNSUPPORTED_ASSIGNOR",
    "MISMATCHED_ENDPOINT_TYPE",
    "UNSUPPORTED_ENDPOINT_TYPE",
    "UNKNOWN_SUBSCRIPTION_ID",
    "INVALID_REGISTRATION",
    "TRANSACTION_ABORTABLE",
    "INVALID_RECORD_STATE",
    "FENCED_STATE_EPOCH",
    "INVALID_VOTER_KEY",
    "DUPLICATE_VOTER",
    "VOTER_NOT_FOUND",
  ),
]);
