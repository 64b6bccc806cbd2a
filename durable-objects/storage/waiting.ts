import type { WaitingEvent } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";

/**
 * Events whose items are not open yet, in memory and in storage; bounded by the reducer's
 * `maximumWaiting`. A row each: they are rare, and each leaves at a time of its own.
 */
export class StoredWaiting {
  private readonly storage: PartitionStorage;
  private readonly byItem = new Map<string, WaitingEvent[]>();
  /** In order of expiry, then item id, then offset. */
  private readonly byExpiry: WaitingEvent[] = [];

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    const rows = storage.all<{ expires_at: number; event: string }>(
      `SELECT expires_at, event FROM waiting ORDER BY offset`,
    );
    for (const row of rows) {
      this.remember({ event: JSON.parse(row.event) as WaitingEvent["event"], expiresAt: row.expires_at });
    }
  }

  get count(): number {
    return this.byExpiry.length;
  }

  add(waiting: WaitingEvent): void {
    this.storage.run(
      `INSERT INTO waiting (offset, expires_at, event) VALUES (?, ?, ?)`,
      waiting.event.offset,
      waiting.expiresAt,
      JSON.stringify(waiting.event),
    );
    this.remember(waiting);
  }

  private remember(waiting: WaitingEvent): void {
    const { itemId } = waiting.event.data;
    const ofItem = this.byItem.get(itemId);
    if (ofItem === undefined) this.byItem.set(itemId, [waiting]);
    else ofItem.push(waiting);
    this.byExpiry.splice(this.placeOf(waiting), 0, waiting);
  }

  /** Takes every waiting event of an item, in offset order. */
  take(itemId: string): readonly WaitingEvent[] {
    const taken = this.byItem.get(itemId) ?? [];
    for (const waiting of [...taken]) this.remove(waiting);
    return taken;
  }

  /** The event that has waited too long first, if any has at this stream time. */
  nextExpired(streamTime: number): WaitingEvent | undefined {
    const first = this.byExpiry[0];
    return first !== undefined && first.expiresAt <= streamTime ? first : undefined;
  }

  get nextExpiry(): { readonly due: number; readonly itemId: string } | null {
    const first = this.byExpiry[0];
    return first === undefined ? null : { due: first.expiresAt, itemId: first.event.data.itemId };
  }

  remove(waiting: WaitingEvent): void {
    this.storage.run(`DELETE FROM waiting WHERE offset = ?`, waiting.event.offset);
    this.byExpiry.splice(this.placeOf(waiting), 1);
    const { itemId } = waiting.event.data;
    const rest = (this.byItem.get(itemId) ?? []).filter((other) => other !== waiting);
    if (rest.length === 0) this.byItem.delete(itemId);
    else this.byItem.set(itemId, rest);
  }

  list(): readonly WaitingEvent[] {
    return this.byExpiry;
  }

  /** Index of the first waiting event that is not before this one. */
  private placeOf(waiting: WaitingEvent): number {
    let low = 0;
    let high = this.byExpiry.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.byExpiry[middle] as WaitingEvent, waiting)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(left: WaitingEvent, right: WaitingEvent): boolean {
  if (left.expiresAt !== right.expiresAt) return left.expiresAt < right.expiresAt;
  const [leftItem, rightItem] = [left.event.data.itemId, right.event.data.itemId];
  return leftItem === rightItem ? left.event.offset < right.event.offset : leftItem < rightItem;
}
