import type { PartitionRpc } from "../durable-objects/rpc.ts";

/** A Partition object as its stubs see it. The class itself would make a cycle of imports. */
type PartitionObject = Rpc.DurableObjectBranded & PartitionRpc;

/** Bindings and variables as the platform hands them over, unchecked. See `wrangler.toml`. */
export interface Env {
  readonly PARTITIONS: DurableObjectNamespace<PartitionObject>;
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
  readonly LOG_LEVEL?: string;
  readonly MAX_BATCH_EVENTS?: string;
  readonly MAX_BODY_BYTES?: string;
}
