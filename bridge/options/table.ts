import { defaultLimits, type Limits } from "../limits.ts";

/** One setting. Its flag is `--` and its name, its variable `BRIDGE_` and the name in capitals. */
export interface Option {
  /** What stands for the value in the help; without it the option is a switch. */
  readonly value?: string;
  readonly fallback?: string;
  readonly about: string;
}

const listening = {
  host: { value: "<address>", fallback: "127.0.0.1", about: "where to listen" },
  port: { value: "<number>", fallback: "8790", about: "0 takes a free one" },
  "users-file": { value: "<file>", about: "credentials and their rights, as JSON (see below)" },
  "metrics-open": { about: "/metrics needs no credentials" },
  "log-level": { value: "<level>", fallback: "info", about: "info, warn or error: what is logged" },
  "stop-timeout-ms": {
    value: "<n>",
    fallback: "15000",
    about: "how long a stop waits for what is in flight",
  },
  "exit-with-parent": {
    about:
      "end when standard input (or the channel to a parent that forked this process) closes, so that no orphan is left behind",
  },
  help: { about: "this text" },
} as const satisfies Record<string, Option>;

const theLog = {
  file: { value: "<path>", about: "an embedded log in this SQLite file" },
  kafka: { value: "<host:port,…>", about: "a Kafka cluster, by some of its brokers" },
  topics: { value: "<a,b,c>", about: "topics to serve, in place of Gavel's own" },
  "topic-prefix": { value: "<text>", fallback: "", about: "goes in front of the names of Gavel's topics" },
  partitions: { value: "<n>", fallback: "8", about: "partitions of each topic" },
} as const satisfies Record<string, Option>;

const kafka = {
  tls: { about: "speak TLS with the brokers" },
  "tls-ca": { value: "<file>", about: "the authorities to trust, PEM, in place of the well-known ones" },
  "tls-cert": { value: "<file>", about: "this client's certificate, PEM" },
  "tls-key": { value: "<file>", about: "the certificate's key, PEM" },
  "tls-server-name": { value: "<name>", about: "the name to expect in every broker's certificate" },
  sasl: { value: "<mechanism>", about: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER" },
  "sasl-token-file": {
    value: "<file>",
    about: "OAUTHBEARER's token, read anew for each authentication",
  },
  "client-id": {
    value: "<name>",
    fallback: "gavel-bridge",
    about: "as the brokers' logs and quotas name it",
  },
  compression: { value: "<codec>", fallback: "none", about: "none, gzip, snappy, lz4 or zstd" },
  "linger-ms": { value: "<n>", fallback: "0", about: "how long a record waits for company" },
  "produce-timeout-ms": {
    value: "<n>",
    fallback: "1200",
    about: "after this a produce that no broker acknowledged is answered 504",
  },
  "longest-auction-days": {
    value: "<n>",
    fallback: "90",
    about: "topics that keep records for less are refused",
  },
  "create-topics": { about: "make topics that are missing, in place of refusing to start" },
  replication: { value: "<n>", fallback: "3", about: "replicas of a topic that is made" },
  "min-insync-replicas": {
    value: "<n>",
    fallback: "2",
    about: "min.insync.replicas of a topic that is made",
  },
} as const satisfies Record<string, Option>;

const limits = {
  "max-body-bytes": limit("maxBodyBytes", "a request's body"),
  "max-record-bytes": limit("maxRecordBytes", "a record's key, value and headers"),
  "max-batch": limit("maxBatch", "records of a produce, positions of a fetch"),
  "max-answer-bytes": limit("maxAnswerBytes", "a fetch's answer"),
  "max-wait-ms": limit("maxWaitMs", "the longest that a fetch waits"),
  "max-pending-bytes": limit("maxPendingBytes", "bodies and answers in work at once"),
  "max-take-ms": limit("maxTakeMs", "how long a client may take to take its answer"),
  "max-connections": limit("maxConnections", "open connections; further ones are closed"),
} as const satisfies Record<string, Option>;

function limit(name: keyof Limits, about: string) {
  return { value: "<n>", fallback: String(defaultLimits[name]), about } as const;
}

export type LimitOption = keyof typeof limits;
export type KafkaOption = keyof typeof kafka;

/** By the headings of the help. */
export const sections = { "": listening, "The log": theLog, Kafka: kafka, Limits: limits } as const;

export const options = { ...listening, ...theLog, ...kafka, ...limits } as const;
export type OptionName = keyof typeof options;

/** What makes no sense for an embedded log. */
export const kafkaOptions = Object.keys(kafka) as KafkaOption[];

export function variableOf(name: OptionName): string {
  return `BRIDGE_${name.toUpperCase().replaceAll("-", "_")}`;
}
