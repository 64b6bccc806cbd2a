import { type Clock, within } from "../../src/lib/clock.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { type FeedItem, haveOf, isBeyond, seenOf, sequenceOf, settle, takeState } from "./item.ts";
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

interface Call {
  readonly items: readonly FeedItem[];
  /** The versions that somebody has of an item. */
  readonly seenBy: (item: FeedItem) => readonly string[];
  readonly isAll: boolean;
  /** When nobody waits for the answer any more. */
  readonly until: number;
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
   * Follows more items, where they still need it when their turn comes. What a client has seen beyond that
   * is asked for behind the turn: a partition that is being rebuilt takes its time to say that there is no
   * more, and anybody can claim to have seen it. @throws where the partition does not answer in time
   * @param seen the version that the client has
   */
  async begin(
    partition: number,
    needed: () => readonly FeedItem[],
    seen: (item: FeedItem) => string,
  ): Promise<void> {
    const until = this.host.clock.now() + callTimeoutMs;
    await this.inTurn(partition, async () => {
      const items = needed();
      if (items.length > 0) await this.call(partition, { items, seenBy: () => [], isAll: false, until });
    });
    const items = needed().filter((item) => isBeyond(item, seen(item)));
    const seenBy = (item: FeedItem): string[] => [seen(item)];
    if (items.length > 0) await this.call(partition, { items, seenBy, isAll: false, until });
  }

  /** Says once more which items are followed of a partition, and takes what was missed. @throws likewise */
  repair(partition: number, wanted: () => readonly FeedItem[]): Promise<void> {
    return this.inTurn(partition, async () => {
      const items = wanted();
      const until = this.host.clock.now() + callTimeoutMs;
      await this.call(partition, { items, seenBy: seenOf, isAll: true, until });
      if (items.length === 0) this.forget(partition);
    });
  }

  private inTurn(partition: number, call: () => Promise<void>): Promise<void> {
    const before = this.turns.get(partition) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(call);
    this.turns.set(partition, turn);
    return turn;
  }

  private async call(partition: number, { items, seenBy, isAll, until }: Call): Promise<void> {
    this.remember(partition);
    const asked = items.map((item) => ({ item, seen: seenBy(item) }));
    const followed = asked.map(({ item, seen }) => followedOf(item, seen));
    const answer = await this.follow({ feed: this.host.feed, items: followed, isAll }, partition, until);
    const states = new Map(answer.items.map((state) => [state.itemId, state]));
    for (const { item, seen } of asked) {
      const state = states.get(item.itemId);
      const settled = answer.isSettled ? seen : [];
      const isOther = state !== undefined && takeState(item, state, settled);
      if (isOther || settle(item, settled)) this.host.onNews(item);
    }
  }

  private async follow(query: FollowQuery, partition: number, until: number): Promise<FollowAnswer> {
    const { clock } = this.host;
    const remaining = until - clock.now();
    if (remaining <= 0) throw new Error(`partition ${partition} did not come to it in time`);
    const answer = await within(clock, remaining, this.host.follow(partition, query));
    if (answer === undefined) throw new Error(`partition ${partition} did not answer in time`);
    return answer;
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

function followedOf(item: FeedItem, versions: readonly string[]): FollowedItem {
  const { itemId } = item;
  const version = haveOf(item);
  const seen = Math.max(0, ...versions.map(sequenceOf));
  return { itemId, ...(version === undefined ? {} : { version }), ...(seen === 0 ? {} : { seen }) };
}
