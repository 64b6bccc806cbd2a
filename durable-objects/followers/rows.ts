import type { PartitionStorage } from "../dependencies.ts";

/** Which feeds follow which items, as rows: written when a feed's first client comes and when its last is gone. */
export class FollowerRows {
  private readonly storage: PartitionStorage;
  private readonly byItem = new Map<string, Set<string>>();
  private readonly byFeed = new Map<string, Set<string>>();

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    const rows = storage.all<{ feed: string; item_id: string }>(`SELECT feed, item_id FROM followers`);
    for (const { feed, item_id: itemId } of rows) this.remember(feed, itemId);
  }

  get isEmpty(): boolean {
    return this.byItem.size === 0;
  }

  feedsOf(itemId: string): ReadonlySet<string> {
    return this.byItem.get(itemId) ?? none;
  }

  itemsOf(feed: string): ReadonlySet<string> {
    return this.byFeed.get(feed) ?? none;
  }

  add(feed: string, itemIds: readonly string[]): void {
    const known = this.itemsOf(feed);
    const added = itemIds.filter((itemId) => !known.has(itemId));
    if (added.length === 0) return;
    this.storage.run(
      `INSERT OR IGNORE INTO followers (feed, item_id) SELECT ?, value FROM json_each(?)`,
      feed,
      JSON.stringify(added),
    );
    for (const itemId of added) this.remember(feed, itemId);
  }

  remove(feed: string, itemIds: readonly string[]): void {
    const known = this.itemsOf(feed);
    const removed = itemIds.filter((itemId) => known.has(itemId));
    if (removed.length === 0) return;
    this.storage.run(
      `DELETE FROM followers WHERE feed = ? AND item_id IN (SELECT value FROM json_each(?))`,
      feed,
      JSON.stringify(removed),
    );
    for (const itemId of removed) this.forget(feed, itemId);
  }

  private remember(feed: string, itemId: string): void {
    addTo(this.byItem, itemId, feed);
    addTo(this.byFeed, feed, itemId);
  }

  private forget(feed: string, itemId: string): void {
    removeFrom(this.byItem, itemId, feed);
    removeFrom(this.byFeed, feed, itemId);
  }
}

const none: ReadonlySet<string> = new Set();

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

function removeFrom(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
