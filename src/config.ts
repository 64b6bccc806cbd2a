import { z } from "zod";
import { logLevels, type LogLevel } from "./lib/log.ts";
import { idPattern } from "./auction/events.ts";
import { type EdgeConfig, edgeConfig, edgeFault, edgeVariables } from "./config/edge.ts";
import { type LiveConfig, liveConfig, liveVariables } from "./config/live.ts";
import { type ApiKey, keyIdPattern } from "./credentials/api-key.ts";
import { scopes } from "./credentials/scopes.ts";

export { type Scope, scopes } from "./credentials/scopes.ts";

export interface SubscriberPatience {
  /** Of one call, in milliseconds. */
  readonly timeoutMs: number;
  /** Attempts of a record at most; then it is a dead letter. */
  readonly attempts: number;
  /** Bounds of a record's first delay and of its longest, in milliseconds. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Calls of one subscriber at a time in one partition. */
  readonly concurrency: number;
}

export interface Config extends EdgeConfig, LiveConfig {
  readonly kafka: { readonly url: string; readonly username: string; readonly password: string };
  /** Partitions of every topic. */
  readonly partitionCount: number;
  /** In front of each topic's name. */
  readonly topicPrefix: string;
  readonly closeGraceMs: number;
  /** Deadline of one produce, retries included; shorter than the grace. */
  readonly produceTimeoutMs: number;
  readonly earlyBidWaitMs: number;
  readonly retentionMs: number;
  /** Whether subscribers may be on this machine: for development, never in a deployment. */
  readonly allowLoopbackEndpoints: boolean;
  /** The only public hosts where subscribers may be, in lower case, `*.` before all below a name; none: all. */
  readonly subscriberHosts: readonly string[];
  /** How patient Gavel is with a subscriber. */
  readonly subscribers: SubscriberPatience;
  /** Calls of all functions of a group at a time in one partition. */
  readonly functionConcurrency: number;
  /** Lines below it are not written; each request writes one of level `info`. */
  readonly logLevel: LogLevel;
  readonly limits: {
    readonly maxBatchEvents: number;
    /** Of a body once it is expanded. */
    readonly maxBodyBytes: number;
    /** Until the last byte of a body is here, in milliseconds. */
    readonly bodyTimeoutMs: number;
  };
  /** By key id. */
  readonly apiKeys: ReadonlyMap<string, ApiKey>;
}

/** The configuration cannot be used. The message names variables, never their values. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const integer = (smallest: number, largest: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(smallest).max(largest));

const hostEntry = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

/** An entry that is none is refused: left out, it could leave a list that is empty, which means all. */
const hostNames = z
  .string()
  .transform((list) =>
    list.trim() === "" ? [] : list.split(",").map((entry) => entry.trim().toLowerCase().replace(/\.$/, "")),
  )
  .refine(
    (entries) => entries.every((entry) => hostEntry.test(entry)),
    "is no list of host names, or of *. before one, with commas between them",
  );

const apiKey = z.strictObject({
  id: z.string().regex(keyIdPattern),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(scopes)),
  subject: z.string().regex(idPattern).optional(),
});

const apiKeys = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: "is not JSON" });
      return z.NEVER;
    }
  })
  .pipe(z.array(apiKey))
  .refine((keys) => new Set(keys.map((key) => key.id)).size === keys.length, "names a key twice");

const variables = z
  .object({
    KAFKA_URL: z.url({ protocol: /^https?$/ }),
    KAFKA_USERNAME: z.string().min(1),
    KAFKA_PASSWORD: z.string().min(1),
    API_KEYS: apiKeys.default([]),
    PARTITION_COUNT: integer(1, 10_000),
    TOPIC_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9._-]{0,100}$/)
      .default(""),
    CLOSE_GRACE_MS: integer(1, 600_000).default(2000),
    PRODUCE_TIMEOUT_MS: integer(1, 600_000).default(1500),
    EARLY_BID_WAIT_MS: integer(0, 30 * 86_400_000).default(3_600_000),
    RETENTION_MS: integer(0, 3650 * 86_400_000).default(604_800_000),
    ALLOW_LOOPBACK_ENDPOINTS: z
      .enum(["true", "false"])
      .default("false")
      .transform((text) => text === "true"),
    SUBSCRIBER_HOSTS: hostNames.default([]),
    SUBSCRIBER_TIMEOUT_MS: integer(100, 60_000).default(10_000),
    SUBSCRIBER_ATTEMPTS: integer(1, 100).default(16),
    SUBSCRIBER_FIRST_RETRY_MS: integer(1, 3_600_000).default(1_000),
    SUBSCRIBER_LONGEST_RETRY_MS: integer(1, 86_400_000).default(14_400_000),
    SUBSCRIBER_CONCURRENCY: integer(1, 256).default(32),
    FUNCTION_CONCURRENCY: integer(1, 1_000).default(256),
    LOG_LEVEL: z.enum(logLevels).default("info"),
    MAX_BATCH_EVENTS: integer(1, 100_000).default(1000),
    MAX_BODY_BYTES: integer(1, 100 * 1024 * 1024).default(1_048_576),
    BODY_TIMEOUT_MS: integer(100, 600_000).default(10_000),
    ...edgeVariables,
    ...liveVariables,
  })
  // A bid that is accepted before the end has to be in the log before the closing.
  .refine((value) => value.PRODUCE_TIMEOUT_MS < value.CLOSE_GRACE_MS, {
    path: ["PRODUCE_TIMEOUT_MS"],
    message: "must be shorter than CLOSE_GRACE_MS",
  })
  .superRefine((value, context) => {
    const fault = edgeFault(value);
    if (fault !== null) context.addIssue({ code: "custom", path: [fault[0]], message: fault[1] });
  });

// The platform hands the same object to every request of an isolate, so that the variables are
// parsed once; a failure is kept as well, and told again on every use.
const parsed = new WeakMap<object, Config | ConfigError>();

/**
 * The variables and secrets of `env`, checked.
 * @throws {ConfigError} naming every variable that is missing or wrong.
 */
export function configFromEnv(env: object): Config {
  let config = parsed.get(env);
  if (config === undefined) {
    config = parseConfig(env);
    parsed.set(env, config);
  }
  if (config instanceof ConfigError) throw config;
  return config;
}

function parseConfig(env: object): Config | ConfigError {
  const result = variables.safeParse(env);
  if (!result.success) {
    const reasons = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    return new ConfigError(`The configuration cannot be used: ${reasons.join("; ")}`);
  }
  const value = result.data;
  return {
    kafka: { url: value.KAFKA_URL, username: value.KAFKA_USERNAME, password: value.KAFKA_PASSWORD },
    partitionCount: value.PARTITION_COUNT,
    topicPrefix: value.TOPIC_PREFIX,
    closeGraceMs: value.CLOSE_GRACE_MS,
    produceTimeoutMs: value.PRODUCE_TIMEOUT_MS,
    earlyBidWaitMs: value.EARLY_BID_WAIT_MS,
    retentionMs: value.RETENTION_MS,
    allowLoopbackEndpoints: value.ALLOW_LOOPBACK_ENDPOINTS,
    subscriberHosts: value.SUBSCRIBER_HOSTS,
    subscribers: {
      timeoutMs: value.SUBSCRIBER_TIMEOUT_MS,
      attempts: value.SUBSCRIBER_ATTEMPTS,
      firstDelayMs: value.SUBSCRIBER_FIRST_RETRY_MS,
      longestDelayMs: value.SUBSCRIBER_LONGEST_RETRY_MS,
      concurrency: value.SUBSCRIBER_CONCURRENCY,
    },
    functionConcurrency: value.FUNCTION_CONCURRENCY,
    logLevel: value.LOG_LEVEL,
    limits: {
      maxBatchEvents: value.MAX_BATCH_EVENTS,
      maxBodyBytes: value.MAX_BODY_BYTES,
      bodyTimeoutMs: value.BODY_TIMEOUT_MS,
    },
    apiKeys: new Map(value.API_KEYS.map((key) => [key.id, toApiKey(key)])),
    ...edgeConfig(value),
    ...liveConfig(value),
  };
}

function toApiKey(key: z.infer<typeof apiKey>): ApiKey {
  return {
    id: key.id,
    sha256: key.sha256,
    scopes: new Set(key.scopes),
    ...(key.subject === undefined ? {} : { subject: key.subject }),
  };
}
