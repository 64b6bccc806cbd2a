import type { WaitingEvent } from "../../src/auction/state.ts";
import { firstNotBefore } from "../../src/lib/sorted.ts";
import type { PartitionStorage } from "../dependencies.ts";

/** What is kept in memory of a waiting event: enough to find it, not the event. */
interface Place {
  readonly offset: number;
  readonly expiresAt: number;
  readonly itemId: string;
}

/**
 * Events whose items are not open yet; bounded by the reducer's `maximumWaiting`. A row each:
 * they are rare, and each leaves at a time of its own.
 */
export class StoredWaiting {
  private readonly storage: PartitionStorage;
  private readonly byItem = new Map<string, Place[]>();
  /** In order of expiry, then item id, then offset. */
  private readonly byExpiry: Place[] = [];

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    type Row = { offset: number; expires_at: number; item_id: string };
    for (const row of storage.all<Row>(`SELECT offset, expires_at, item_id FROM waiting ORDER BY offset`)) {
      this.remember({ offset: row.offset, expiresAt: row.expires_at, itemId: row.item_id });
    }
  }

  get count(): number {
    return this.byExpiry.length;
  }

  add({ event, expiresAt }: WaitingEvent): void {
    const place = { offset: event.offset, expiresAt, itemId: event.data.itemId };
    this.storage.run(
      `INSERT INTO waiting (offset, expires_at, item_id, event) VALUES (?, ?, ?, ?)`,
      place.offset,
      place.expiresAt,
      place.itemId,
      JSON.stringify(event),
    );
    this.remember(place);
  }

  private remember(place: Place): void {
    const ofItem = this.byItem.get(place.itemId);
    if (ofItem === undefined) this.byItem.set(place.itemId, [place]);
    else ofItem.push(place);
    this.byExpiry.splice(firstNotBefore(this.byExpiry, place, isBefore), 0, place);
  }

  /** Takes the waiting events of an item, in offset order, one by one: all of them may be many. */
  *take(itemId: string): Generator<WaitingEvent> {
    const places = this.byItem.get(itemId) ?? [];
    this.byItem.delete(itemId);
    for (const place of places) {
      const event = this.read(place);
      this.forget(place);
      yield event;
    }
  }

  /** The event that has waited too long first, if any has at this stream time; it stays until it is removed. */
  nextExpired(streamTime: number): WaitingEvent | undefined {
    const first = this.byExpiry[0];
    return first !== undefined && first.expiresAt <= streamTime ? this.read(first) : undefined;
  }

  has(offset: number): boolean {
    return this.storage.all(`SELECT 1 FROM waiting WHERE offset = ?`, offset).length > 0;
  }

  get nextExpiry(): { readonly due: number; readonly itemId: string } | null {
    const first = this.byExpiry[0];
    return first === undefined ? null : { due: first.expiresAt, itemId: first.itemId };
  }

  remove({ event }: WaitingEvent): void {
    const { itemId } = event.data;
    const places = this.byItem.get(itemId) ?? [];
    const removed = places.find(({ offset }) => offset === event.offset);
    if (removed === undefined) return;
    const rest = places.filter((place) => place !== removed);
    if (rest.length === 0) this.byItem.delete(itemId);
    else this.byItem.set(itemId, rest);
    this.forget(removed);
  }

  private forget(place: Place): void {
    this.storage.run(`DELETE FROM waiting WHERE offset = ?`, place.offset);
    this.byExpiry.splice(firstNotBefore(this.byExpiry, place, isBefore), 1);
  }

  private read({ offset, expiresAt }: Place): WaitingEvent {
    const [row] = this.storage.all<{ event: string }>(`SELECT event FROM waiting WHERE offset = ?`, offset);
    if (row === undefined) throw new Error(`the waiting event at ${offset} is not stored`);
    return { event: JSON.parse(row.event) as WaitingEvent["event"], expiresAt };
  }

  /** Offset and item of each waiting event, in offset order. */
  list(): readonly { readonly offset: number; readonly itemId: string }[] {
    return [...this.byExpiry].sort((left, right) => left.offset - right.offset);
  }
}

function isBefore(left: Place, right: Place): boolean {
  if (left.expiresAt !== right.expiresAt) return left.expiresAt < right.expiresAt;
  return left.itemId === right.itemId ? left.offset < right.offset : left.itemId < right.itemId;
}
