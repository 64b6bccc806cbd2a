import { within } from "../../src/lib/clock.ts";
import { type LiveItem, versionOf } from "../../src/live/item.ts";
import type { PartitionDependencies } from "../dependencies.ts";
import type { PartitionStatus } from "../rpc.ts";
import type { DeliverAnswer, FollowAnswer, FollowQuery, FollowedItem } from "../feed/rpc.ts";
import { Outlet } from "./outlet.ts";
import { FollowerRows } from "./rows.ts";

/** How long a feed that knows more than this partition waits for it to read its log. */
const settleMs = 2_000;

export interface FollowersHost {
  stateOf(itemId: string): LiveItem;
  /** Reads the log to its end. */
  catchUp(): Promise<unknown>;
  status(): Promise<PartitionStatus>;
}

/**
 * The feeds that follow items of this partition. They are told after a commit, and nothing of the
 * ingest waits for it; a push that is lost is repaired by the feed's next `follow`.
 */
export class Followers {
  private readonly dependencies: PartitionDependencies;
  private readonly host: FollowersHost;
  private readonly outlets = new Map<string, Outlet>();
  private loaded: FollowerRows | undefined;
  private isStopped = false;
  /** Calls of `follow` so far. */
  private follows = 0;

  constructor(dependencies: PartitionDependencies, host: FollowersHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  /** Read when first asked for: by then the tables are there. */
  private get rows(): FollowerRows {
    return (this.loaded ??= new FollowerRows(this.dependencies.storage));
  }

  /** After a commit. Costs a look at a size where nobody follows anything. */
  changed(itemIds: Iterable<string>): void {
    const { rows } = this;
    if (rows.isEmpty) return;
    const concerned = new Set<Outlet>();
    for (const itemId of itemIds) {
      for (const feed of rows.feedsOf(itemId)) {
        const outlet = this.outletOf(feed);
        outlet.tell(itemId);
        concerned.add(outlet);
      }
    }
    for (const outlet of concerned) outlet.flush();
  }

  /**
   * Takes note of what a feed follows, and answers what it does not have. From the note on every change
   * is pushed, and the states are read behind it, so that no change falls between.
   */
  async follow({ feed, items, isAll }: FollowQuery): Promise<FollowAnswer> {
    this.follows += 1;
    this.note(feed, items, isAll);
    // Asked first: what is read behind it is not older.
    let { journal, stalled } = await this.host.status();
    let states = this.read(items);
    if (items.some(({ seen = 0 }, index) => seen > (states[index]?.sequence ?? 0))) {
      await this.settle();
      ({ journal, stalled } = await this.host.status());
      states = this.read(items);
    }
    const isSettled = journal.endOffset !== null && stalled === undefined;
    const news = states.filter((state, index) => items[index]?.version !== versionOf(state));
    return { items: news, isSettled };
  }

  private note(feed: string, items: readonly FollowedItem[], isAll: boolean): void {
    const { rows } = this;
    this.dependencies.storage.transaction(() => {
      if (isAll) {
        const kept = new Set(items.map(({ itemId }) => itemId));
        rows.remove(
          feed,
          [...rows.itemsOf(feed)].filter((itemId) => !kept.has(itemId)),
        );
      }
      rows.add(
        feed,
        items.map(({ itemId }) => itemId),
      );
    });
    if (rows.itemsOf(feed).size === 0) this.dismiss(feed);
  }

  private read(items: readonly FollowedItem[]): LiveItem[] {
    return items.map(({ itemId }) => this.host.stateOf(itemId));
  }

  /** A feed has seen more than there is here: this partition is being rebuilt, or the log was made anew. */
  private async settle(): Promise<void> {
    await within(this.dependencies.clock, settleMs, this.host.catchUp());
  }

  private outletOf(feed: string): Outlet {
    const known = this.outlets.get(feed);
    if (known !== undefined) return known;
    const { clock, logger, deliver } = this.dependencies;
    const outlet = new Outlet(feed, {
      clock,
      logger,
      stateOf: (itemId) => this.host.stateOf(itemId),
      push: async (items) => {
        const { follows } = this;
        const answer = (await deliver?.(feed, items)) ?? noneUnwanted;
        // A `follow` that came meanwhile knows better; what nobody wants all the same, the feed's next one ends.
        return follows === this.follows ? answer : noneUnwanted;
      },
      onUnwanted: (itemIds) => {
        this.rows.remove(feed, itemIds);
        if (this.rows.itemsOf(feed).size === 0) this.dismiss(feed);
      },
    });
    if (this.isStopped) outlet.stop();
    this.outlets.set(feed, outlet);
    return outlet;
  }

  private dismiss(feed: string): void {
    this.outlets.get(feed)?.stop();
    this.outlets.delete(feed);
  }

  /** Tells nobody anything any more. */
  stop(): void {
    this.isStopped = true;
    for (const outlet of this.outlets.values()) outlet.stop();
  }
}

const noneUnwanted: DeliverAnswer = { unwanted: [] };
