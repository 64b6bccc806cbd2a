import { DurableObject } from "cloudflare:workers";
import type { PartitionDependencies } from "../../durable-objects/dependencies.ts";
import type { FollowQuery } from "../../durable-objects/feed/rpc.ts";
import { PartitionCore } from "../../durable-objects/partition-core.ts";
import type {
  BidderBidsQuery,
  BidsQuery,
  ItemQuery,
  ListQuery,
  PartitionRpc,
  PushBatch,
  WindowQuery,
} from "../../durable-objects/rpc.ts";
import { configFromEnv } from "../../src/config.ts";
import { createUpstashLog } from "../../src/kafka/upstash.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type Counters, noCounts } from "../harness/counters.ts";
import { countedLog, countedStorage } from "./counted.ts";
import { SyntheticLog } from "./synthetic-log.ts";

/** What the benchmarks ask of an object besides its own work. */
export interface MeasuredRpc extends PartitionRpc {
  /** What the object has cost since it was made. */
  counters(): Promise<Counters>;
  /** Loses all state, as a new object at the same place would have none. */
  wipe(): Promise<void>;
  /** Adds records to the log of a `scale` object: openings of new items, then bids. */
  extend(more: { readonly items?: number; readonly bids?: number }): Promise<void>;
}

/**
 * A Partition object whose storage and log count what they are asked for. The core that does the
 * work is the product's own; an object named `scale/…` reads a log made on the spot instead of the
 * bridge's, so that nothing but the object is measured.
 */
export class Partition extends DurableObject<object> implements MeasuredRpc {
  readonly #counters = noCounts();
  readonly #synthetic: SyntheticLog | undefined;
  readonly #dependencies: PartitionDependencies;
  #core: PartitionCore;

  constructor(context: DurableObjectState, env: object) {
    super(context, env);
    const [group, suffix] = (context.id.name ?? "").split("/");
    const config = configFromEnv(env);
    const partition = group === "scale" ? 0 : Number(suffix);
    this.#synthetic = group === "scale" ? new SyntheticLog() : undefined;
    this.#dependencies = {
      group: "auction",
      partition,
      storage: countedStorage(context.storage, this.#counters),
      log: countedLog(this.#synthetic ?? createUpstashLog(config.kafka), this.#counters),
      clock: systemClock,
      logger: (level, event, fields) => console[level](JSON.stringify({ event, ...fields })),
      handOn: () => undefined,
      settings: config,
    };
    this.#core = new PartitionCore(this.#dependencies);
    void context.blockConcurrencyWhile(() => this.#start());
  }

  async #start(): Promise<void> {
    await this.#core.start();
    this.#synthetic?.resume(await this.#core.status());
  }

  counters(): Promise<Counters> {
    return Promise.resolve({ ...this.#counters });
  }

  async wipe(): Promise<void> {
    await this.ctx.storage.deleteAll();
    await this.ctx.storage.deleteAlarm();
    this.#core = new PartitionCore(this.#dependencies);
    await this.#start();
  }

  extend({ items = 0, bids = 0 }: { readonly items?: number; readonly bids?: number }): Promise<void> {
    this.#synthetic?.openItems(items);
    this.#synthetic?.placeBids(bids);
    return Promise.resolve();
  }

  push(batch: PushBatch) {
    this.#counters.requests += 1;
    return this.#core.push(batch);
  }

  readItem(query: ItemQuery) {
    return this.#core.readItem(query);
  }

  readBidderBids(query: BidderBidsQuery) {
    return this.#core.readBidderBids(query);
  }

  readBids(query: BidsQuery) {
    return this.#core.readBids(query);
  }

  listItems(query: ListQuery) {
    return this.#core.listItems(query);
  }

  categoryStats() {
    return this.#core.categoryStats();
  }

  windowStats(query: WindowQuery) {
    return this.#core.windowStats(query);
  }

  cellStats() {
    return this.#core.cellStats();
  }

  trailOf(id: string) {
    return this.#core.trailOf(id);
  }

  follow(query: FollowQuery) {
    return this.#core.follow(query);
  }

  status() {
    return this.#core.status();
  }

  wake() {
    return this.#core.wake();
  }

  digest() {
    return this.#core.digest();
  }

  override alarm(): Promise<void> {
    this.#counters.requests += 1;
    return this.#core.alarm();
  }
}
