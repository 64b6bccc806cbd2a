import type { LiveItem } from "../../src/live/item.ts";
import { type Clock, within } from "../../src/lib/clock.ts";
import { describeError, type Logger } from "../../src/lib/log.ts";
import type { DeliverAnswer } from "../feed/rpc.ts";

/** Changes of one feed's items that are closer together than this are told as one. */
const coalesceMs = 100;
/** A push without an answer for so long has failed: the next one must not wait for it. */
const pushTimeoutMs = 5_000;
/** Delays after failed pushes; after the last one the feed's own look at the partition repairs it. */
const retryMs = [100, 400, 1_600, 6_400];

export interface OutletHost {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The latest state of an item. */
  stateOf(itemId: string): LiveItem;
  push(items: readonly LiveItem[]): Promise<DeliverAnswer>;
  /** The feed says that nobody follows these there. */
  onUnwanted(itemIds: readonly string[]): void;
}

/**
 * What one feed is still to be told. One push is under way, and its states are read when it leaves: what
 * changes meanwhile is told by the next one, an item once, however often it changed. Nobody waits for it.
 */
export class Outlet {
  private readonly feed: string;
  private readonly host: OutletHost;
  private readonly changed = new Set<string>();
  private readonly stopping = new AbortController();
  private isRunning = false;
  private lastPushAt = Number.NEGATIVE_INFINITY;

  constructor(feed: string, host: OutletHost) {
    this.feed = feed;
    this.host = host;
  }

  tell(itemId: string): void {
    this.changed.add(itemId);
  }

  /** Starts telling what has changed, at once where the last push is long enough ago. */
  flush(): void {
    if (this.isRunning || this.changed.size === 0 || this.stopping.signal.aborted) return;
    this.isRunning = true;
    void this.run().finally(() => {
      this.isRunning = false;
      this.flush();
    });
  }

  stop(): void {
    this.stopping.abort();
    this.changed.clear();
  }

  private async run(): Promise<void> {
    const { clock, logger } = this.host;
    let failures = 0;
    while (this.changed.size > 0) {
      const pauseMs = this.lastPushAt + (retryMs[failures - 1] ?? coalesceMs) - clock.now();
      if (pauseMs > 0) await clock.sleep(pauseMs, this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      const itemIds = [...this.changed];
      this.changed.clear();
      this.lastPushAt = clock.now();
      try {
        await this.push(itemIds);
        failures = 0;
      } catch (error) {
        failures += 1;
        logger("warn", "feed-push-failed", { feed: this.feed, failures, error: describeError(error) });
        if (failures > retryMs.length) return this.changed.clear();
        for (const itemId of itemIds) this.changed.add(itemId);
      }
    }
  }

  private async push(itemIds: readonly string[]): Promise<void> {
    const states = itemIds.map((itemId) => this.host.stateOf(itemId));
    const answer = await within(this.host.clock, pushTimeoutMs, this.host.push(states));
    if (answer === undefined) throw new Error("the feed did not answer in time");
    const { unwanted } = answer;
    if (unwanted.length > 0 && !this.stopping.signal.aborted) this.host.onUnwanted(unwanted);
  }
}
