import { createAssets } from "./assets.ts";
import { type Config, ConfigError, configFromEnv } from "./config.ts";
import { KeyCache } from "./credentials/key-cache.ts";
import { findKey } from "./credentials/key-store.ts";
import { createTokenVerifier } from "./credentials/tokens.ts";
import { createDatabase, type Database } from "./database.ts";
import { type Analyses, createAnalyses } from "./functions/market-analysis/client.ts";
import type { FunctionGroupRpc } from "../durable-objects/functions/rpc.ts";
import type { Env } from "./env.ts";
import type { CredentialSources } from "./ingest/authenticate.ts";
import { createRateLimits, type RateLimits } from "./http/rate-limits.ts";
import { createPinnedTopics, type PinnedTopics } from "./kafka/pinned-topics.ts";
import type { KafkaLog } from "./kafka/port.ts";
import { type CountryData, createCountryData, loadLifetimeMs } from "./ingest/country-data.ts";
import { createUpstashLog } from "./kafka/upstash.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import { consoleLogger, createConsoleLogger, type Logger } from "./lib/log.ts";
import { createFeeds, type Feeds } from "./live/client.ts";
import type { Spans } from "./lib/spans.ts";
import { createMeters, type Meters } from "./metrics/meters.ts";
import {
  createFunctionPartitions,
  createPartitions,
  type FunctionPartitions,
  type GroupObjects,
  type Partitions,
} from "./partitions.ts";
import { createReplaysClient, type ReplaysClient } from "./replays/client.ts";
import { createSubscriptionsClient, type SubscriptionsClient } from "./subscriptions/client.ts";
import { readersOf } from "./topology.ts";
import { type TopicRole, writtenTopics } from "./topics.ts";
import { spans } from "./tracing.ts";

/** What the Worker's operations touch outside themselves. */
export interface Services {
  readonly config: Config;
  readonly log: KafkaLog;
  readonly pinnedTopics: PinnedTopics;
  readonly partitions: Partitions;
  readonly functionPartitions: FunctionPartitions;
  /** Groups of functions that are handed what is appended to a topic. */
  readonly readersOf: (topic: TopicRole) => readonly GroupObjects<FunctionGroupRpc>[];
  readonly replays: ReplaysClient;
  readonly subscriptions: SubscriptionsClient;
  readonly analyses: Analyses;
  readonly feeds: Feeds;
  readonly database: Database;
  readonly credentials: CredentialSources & { readonly storedKeys: KeyCache };
  readonly rateLimits: RateLimits;
  /** Which country a forwarded address is in. */
  readonly countries: CountryData;
  readonly meters: Meters;
  readonly spans: Spans;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a line a change, whatever is left out of the other lines. */
  readonly auditLogger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

const made = new WeakMap<object, Services>();

/**
 * The isolate's services. Between requests they hold the configuration and caches, and nothing of
 * a request: Workers forbid one request to wait for another's I/O.
 * @throws {ConfigError}
 */
export function servicesFor(env: Env): Services {
  let services = made.get(env);
  if (services === undefined) {
    services = createServices(env);
    made.set(env, services);
  }
  return services;
}

function createServices(env: Env): Services {
  const config = configFromEnv(env);
  const log = createUpstashLog(config.kafka);
  const clock = systemClock;
  const logger = createConsoleLogger(config.logLevel);
  const database = createDatabase(env.DATABASE, clock);
  const random = Math.random;
  const functionPartitions = createFunctionPartitions(env.PARTITIONS, config.partitionCount);
  const assets = createAssets(env.ASSETS);
  const written = Object.values(writtenTopics(config.topicPrefix));
  return {
    config,
    log,
    clock,
    logger,
    auditLogger: consoleLogger,
    random,
    pinnedTopics: createPinnedTopics(log, clock, written, config.partitionCount),
    partitions: createPartitions(env.PARTITIONS, config.partitionCount),
    functionPartitions,
    readersOf: (topic) => readersOf(topic).map((group) => functionPartitions[group]),
    replays: createReplaysClient(env.REPLAYS),
    subscriptions: createSubscriptionsClient(env.SUBSCRIPTIONS),
    analyses: createAnalyses(env.ANALYSES),
    feeds: createFeeds({ objects: env.FEEDS, count: config.feedObjects, random, clock, logger }),
    database,
    credentials: {
      apiKeys: config.apiKeys,
      storedKeys: new KeyCache((id) => findKey(database, id), clock),
      tokens: config.tokens && createTokenVerifier(config.tokens, (url, init) => fetch(url, init), clock),
    },
    meters: createMeters(env.METERS, clock),
    spans,
    rateLimits: createRateLimits({
      bindings: {
        credential: env.RATE_LIMIT_CREDENTIAL,
        address: env.RATE_LIMIT_ADDRESS,
        unknown: env.RATE_LIMIT_UNKNOWN,
      },
      quotas: config.rateLimits,
      secret: config.kafka.password,
      logger,
    }),
    countries: createCountryData({
      fetchData: () => assets.read("country.mmdb", loadLifetimeMs),
      clock,
      logger,
    }),
  };
}

/** The services; null where the configuration cannot be used. */
export function usableServices(env: Env): Services | null {
  try {
    return servicesFor(env);
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** The logger of the services, or one that writes everything where the configuration cannot be used. */
export function loggerFor(env: Env): Logger {
  return usableServices(env)?.logger ?? consoleLogger;
}
