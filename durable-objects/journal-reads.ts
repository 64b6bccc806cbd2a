import { readBidderBids } from "./bidder-reads.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { digestOf } from "./digest.ts";
import type { FollowAnswer, FollowQuery } from "./feed/rpc.ts";
import { Followers } from "./followers/followers.ts";
import type { JournalState } from "./journal-state.ts";
import * as reads from "./reads.ts";
import type { TrailAnswer } from "./trail/answer.ts";
import type {
  BidderBidsPage,
  BidderBidsQuery,
  BidsPage,
  BidsQuery,
  CategoryStats,
  CellStats,
  ItemAnswer,
  ItemQuery,
  ListPage,
  ListQuery,
  PartitionStatus,
  WindowQuery,
  WindowStats,
} from "./rpc.ts";
import { type Effects, tookEffect } from "./took-effect.ts";

/** The part of a partition that only tells the journal's state: answers it, as it stands, and to those who follow. */
export abstract class JournalReads {
  protected readonly dependencies: PartitionDependencies;
  protected readonly journal: JournalState;
  protected readonly followers: Followers;
  private readonly pages = new reads.PageCache();

  constructor(dependencies: PartitionDependencies, journal: JournalState) {
    this.dependencies = dependencies;
    this.journal = journal;
    this.followers = new Followers(dependencies, {
      stateOf: (itemId) => reads.readLiveItem(this.journal.store, dependencies.partition, itemId),
      catchUp: () => this.wake(),
      status: () => this.status(),
    });
  }

  abstract status(): Promise<PartitionStatus>;
  abstract wake(): Promise<PartitionStatus>;

  follow(query: FollowQuery): Promise<FollowAnswer> {
    return this.followers.follow(query);
  }

  /** What a wait for a record's effect looks at. */
  protected abstract get effects(): Effects;

  async readItem({ itemId, after, waitMs }: ItemQuery): Promise<ItemAnswer> {
    if (after !== undefined && !(await tookEffect(after, waitMs, this.effects))) return { kind: "late" };
    const item = reads.readItem(this.journal.store, this.dependencies.partition, itemId);
    return item === null ? { kind: "unknown" } : { kind: "item", item };
  }

  readBids(query: BidsQuery): Promise<BidsPage | null> {
    return Promise.resolve(
      reads.readBids(this.journal.store, this.dependencies.partition, query, this.pages),
    );
  }

  readBidderBids(query: BidderBidsQuery): Promise<BidderBidsPage> {
    return Promise.resolve(readBidderBids(this.journal.store, this.dependencies.partition, query));
  }

  listItems(query: ListQuery): Promise<ListPage> {
    const { storage, partition } = this.dependencies;
    return Promise.resolve(reads.listItems(storage, this.journal.store, partition, query));
  }

  categoryStats(): Promise<CategoryStats> {
    return Promise.resolve(reads.categoryStats(this.journal.store));
  }

  windowStats(query: WindowQuery): Promise<readonly WindowStats[]> {
    return Promise.resolve(reads.windowStats(this.journal.store, query));
  }

  cellStats(): Promise<readonly CellStats[]> {
    return Promise.resolve(reads.cellStats(this.journal.store));
  }

  trailOf(id: string): Promise<TrailAnswer> {
    return Promise.resolve(this.journal.trailOf(id));
  }

  async digest(): Promise<{ readonly position: number; readonly digest: string }> {
    for (;;) {
      const { position, store } = this.journal;
      const digest = await digestOf(this.dependencies.storage, store);
      // Hashing waits, and what was applied meanwhile may be in a part of the dump: once more.
      if (this.journal.position === position && this.journal.store === store) return { position, digest };
    }
  }
}
