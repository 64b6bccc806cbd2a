import type { Clock } from "../../src/lib/clock.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { type FeedItem, haveOf, seenOf, settle, takeState } from "./item.ts";
import type { FollowAnswer, FollowQuery, FollowedItem } from "./rpc.ts";

const callTimeoutMs = 5_000;

export interface FollowingHost {
  /** Name of this feed. */
  readonly feed: string;
  readonly storage: PartitionStorage;
  readonly clock: Clock;
  follow(partition: number, query: FollowQuery): Promise<FollowAnswer>;
  /** The partition has told another state than was known, or that what is known counts for more clients. */
  onNews(item: FeedItem): void;
}

/**
 * What this feed has told the partitions that it follows. Calls of one partition are made one after the
 * other: a list of all items that overtook a longer one would end what was just begun.
 */
export class Following {
  private readonly host: FollowingHost;
  private readonly turns = new Map<number, Promise<unknown>>();
  /** Partitions that may have this feed on their lists: told here, or before this object was last in memory. */
  private readonly told: Set<number>;

  constructor(host: FollowingHost) {
    this.host = host;
    const rows = host.storage.all<{ partition: number }>(`SELECT partition FROM told`);
    this.told = new Set(rows.map(({ partition }) => partition));
  }

  get partitions(): ReadonlySet<number> {
    return this.told;
  }

  /**
   * Follows more items, where they still need it when their turn comes. @throws where the partition
   * does not answer
   */
  begin(
    partition: number,
    needed: () => readonly FeedItem[],
    seen: (item: FeedItem) => number,
  ): Promise<void> {
    return this.inTurn(partition, async () => {
      const items = needed();
      if (items.length > 0) await this.call(partition, items, seen, false);
    });
  }

  /** Says once more which items are followed of a partition, and takes what was missed. @throws likewise */
  repair(partition: number, wanted: () => readonly FeedItem[]): Promise<void> {
    return this.inTurn(partition, async () => {
      const items = wanted();
      await this.call(partition, items, seenOf, true);
      if (items.length === 0) this.forget(partition);
    });
  }

  private inTurn(partition: number, call: () => Promise<void>): Promise<void> {
    const before = this.turns.get(partition) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(call);
    this.turns.set(partition, turn);
    return turn;
  }

  private async call(
    partition: number,
    items: readonly FeedItem[],
    seenBy: (item: FeedItem) => number,
    isAll: boolean,
  ): Promise<void> {
    this.remember(partition);
    const asked = items.map((item) => ({ item, seen: seenBy(item) }));
    const followed = asked.map(({ item, seen }) => followedOf(item, seen));
    const answer = await this.within({ feed: this.host.feed, items: followed, isAll }, partition);
    const states = new Map(answer.items.map((state) => [state.itemId, state]));
    for (const { item, seen } of asked) {
      const state = states.get(item.itemId);
      const settledFor = answer.isSettled ? seen : 0;
      const isOther = state !== undefined && takeState(item, state, settledFor);
      if (isOther || settle(item, settledFor)) this.host.onNews(item);
    }
  }

  private async within(query: FollowQuery, partition: number): Promise<FollowAnswer> {
    const isOver = new AbortController();
    const late = this.host.clock.sleep(callTimeoutMs, isOver.signal).then(() => undefined);
    const call = this.host.follow(partition, query);
    // It may fail when nobody waits for it any more.
    call.catch(() => undefined);
    try {
      const answer = await Promise.race([call, late]);
      if (answer === undefined) throw new Error(`partition ${partition} did not answer in time`);
      return answer;
    } finally {
      isOver.abort();
    }
  }

  private remember(partition: number): void {
    if (this.told.has(partition)) return;
    this.host.storage.run(`INSERT OR IGNORE INTO told (partition) VALUES (?)`, partition);
    this.told.add(partition);
  }

  private forget(partition: number): void {
    this.host.storage.run(`DELETE FROM told WHERE partition = ?`, partition);
    this.told.delete(partition);
  }
}

function followedOf(item: FeedItem, seen: number): FollowedItem {
  const { itemId } = item;
  const version = haveOf(item);
  return { itemId, ...(version === undefined ? {} : { version }), ...(seen === 0 ? {} : { seen }) };
}
