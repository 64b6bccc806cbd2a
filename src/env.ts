import type { AnalysisRpc } from "../durable-objects/analysis/rpc.ts";
import type { FeedRpc } from "../durable-objects/feed/rpc.ts";
import type { FunctionGroupRpc } from "../durable-objects/functions/rpc.ts";
import type { PartitionRpc } from "../durable-objects/rpc.ts";
import type { ReplayCatalogRpc } from "../durable-objects/replays/rpc.ts";
import type { MetersRpc } from "../durable-objects/meters/rpc.ts";
import type { SubscriptionsRpc } from "../durable-objects/subscriptions/rpc.ts";

/** Objects as their stubs see them. The classes themselves would make a cycle of imports. */
type PartitionObject = Rpc.DurableObjectBranded & PartitionRpc & FunctionGroupRpc;
type ReplayObject = Rpc.DurableObjectBranded & ReplayCatalogRpc;
type AnalysisObject = Rpc.DurableObjectBranded & AnalysisRpc;
type FeedObject = Rpc.DurableObjectBranded & FeedRpc;
type MetersObject = Rpc.DurableObjectBranded & MetersRpc;
type SubscriptionsObject = Rpc.DurableObjectBranded & SubscriptionsRpc;

/** Bindings and variables as the platform hands them over, unchecked. See `wrangler.toml`. */
export interface Env {
  readonly PARTITIONS: DurableObjectNamespace<PartitionObject>;
  readonly REPLAYS: DurableObjectNamespace<ReplayObject>;
  readonly SUBSCRIPTIONS: DurableObjectNamespace<SubscriptionsObject>;
  readonly ANALYSES: DurableObjectNamespace<AnalysisObject>;
  readonly FEEDS: DurableObjectNamespace<FeedObject>;
  readonly METERS: DurableObjectNamespace<MetersObject>;
  readonly DATABASE: D1Database;
  /** What is deployed beside the Worker; scripts/assets/assets.ts lists it. */
  readonly ASSETS: Fetcher;
  /** Absent where nothing is limited. */
  readonly RATE_LIMIT_CREDENTIAL?: RateLimit;
  readonly RATE_LIMIT_ADDRESS?: RateLimit;
  readonly RATE_LIMIT_UNKNOWN?: RateLimit;
  readonly KAFKA_URL?: string;
  readonly KAFKA_USERNAME?: string;
  readonly KAFKA_PASSWORD?: string;
  readonly API_KEYS?: string;
  readonly PARTITION_COUNT?: string;
  readonly TOPIC_PREFIX?: string;
  readonly CLOSE_GRACE_MS?: string;
  readonly PRODUCE_TIMEOUT_MS?: string;
  readonly EARLY_BID_WAIT_MS?: string;
  readonly RETENTION_MS?: string;
  readonly ALLOW_LOOPBACK_ENDPOINTS?: string;
  readonly SUBSCRIBER_HOSTS?: string;
  readonly SUBSCRIBER_TIMEOUT_MS?: string;
  readonly SUBSCRIBER_ATTEMPTS?: string;
  readonly SUBSCRIBER_FIRST_RETRY_MS?: string;
  readonly SUBSCRIBER_LONGEST_RETRY_MS?: string;
  readonly SUBSCRIBER_CONCURRENCY?: string;
  readonly FUNCTION_CONCURRENCY?: string;
  readonly LOG_LEVEL?: string;
  readonly MAX_BATCH_EVENTS?: string;
  readonly MAX_BODY_BYTES?: string;
  readonly BODY_TIMEOUT_MS?: string;
  readonly JWT_ISSUER?: string;
  readonly JWT_AUDIENCE?: string;
  readonly JWT_JWKS_URL?: string;
  readonly JWT_ALGORITHMS?: string;
  readonly JWT_CLOCK_SKEW_S?: string;
  readonly JWT_SCOPE_CLAIM?: string;
  readonly JWT_SCOPES?: string;
  readonly CORS_ORIGINS?: string;
  readonly RATE_LIMIT_CREDENTIAL_QUOTA?: string;
  readonly RATE_LIMIT_ADDRESS_QUOTA?: string;
  readonly RATE_LIMIT_UNKNOWN_QUOTA?: string;
  readonly FEED_OBJECTS?: string;
  readonly FEED_SOCKETS?: string;
  readonly LIVE_ACKNOWLEDGE_MS?: string;
  readonly LIVE_SESSION_MS?: string;
  readonly LIVE_REPAIR_MS?: string;
}
