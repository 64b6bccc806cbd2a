import { firstNotBefore } from "../../src/lib/sorted.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { writeRows } from "./rows.ts";

/** The soonest timers held in memory; when they are used up, as many are read again. */
const defaultWindow = 256;

export interface Timer {
  /** Milliseconds since the epoch. */
  readonly due: number;
  readonly itemId: string;
}

/**
 * The next start or closing of each item, in order of due time, then item id. The soonest are in
 * memory, so that the reducer looks at the first of them with every record; changes are written
 * once a transaction.
 */
export class StoredTimers {
  private readonly storage: PartitionStorage;
  private readonly window: number;
  /** The soonest timers, pending ones included. */
  private soonest: Timer[] = [];
  /** Whether `soonest` is all there is. */
  private isWhole = true;
  private readonly added = new Map<string, Timer>();
  private readonly removed = new Map<string, Timer>();

  constructor(storage: PartitionStorage, window = defaultWindow) {
    this.storage = storage;
    this.window = window;
    this.readWindow();
  }

  private readWindow(): void {
    type Row = { due: number; item_id: string };
    const rows = this.storage.all<Row>(
      `SELECT due, item_id FROM timers ORDER BY due, item_id LIMIT ?`,
      this.window,
    );
    this.soonest = rows.map((row) => ({ due: row.due, itemId: row.item_id }));
    this.isWhole = rows.length < this.window;
  }

  get first(): Timer | null {
    return this.soonest[0] ?? null;
  }

  add(timer: Timer): void {
    const key = keyOf(timer);
    if (!this.removed.delete(key)) this.added.set(key, timer);
    const place = firstNotBefore(this.soonest, timer, isBefore);
    if (place === this.soonest.length && !this.isWhole) return;
    this.soonest.splice(place, 0, timer);
    if (this.soonest.length <= 2 * this.window) return;
    this.soonest.length = this.window;
    this.isWhole = false;
  }

  remove(timer: Timer): void {
    const key = keyOf(timer);
    if (!this.added.delete(key)) this.removed.set(key, timer);
    const place = firstNotBefore(this.soonest, timer, isBefore);
    if (this.soonest[place]?.itemId === timer.itemId && this.soonest[place].due === timer.due) {
      this.soonest.splice(place, 1);
    }
    if (this.soonest.length > 0 || this.isWhole) return;
    this.flush();
    this.readWindow();
  }

  /** Writes what changed; inside the transaction that moves the position. */
  flush(): void {
    const valuesOf = (timers: Iterable<Timer>) => [...timers].flatMap(({ due, itemId }) => [due, itemId]);
    writeRows(this.storage, 2, valuesOf(this.removed.values()), (rows) => {
      return `DELETE FROM timers WHERE (due, item_id) IN (VALUES ${rows})`;
    });
    writeRows(this.storage, 2, valuesOf(this.added.values()), (rows) => {
      return `INSERT INTO timers (due, item_id) VALUES ${rows}`;
    });
    this.removed.clear();
    this.added.clear();
  }
}

function isBefore(left: Timer, right: Timer): boolean {
  return left.due === right.due ? left.itemId < right.itemId : left.due < right.due;
}

function keyOf({ due, itemId }: Timer): string {
  return `${due} ${itemId}`;
}
