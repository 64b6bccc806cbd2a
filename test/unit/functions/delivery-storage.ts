import type { Changes } from "../../../durable-objects/functions/changes.ts";
import type { StoredDelivery } from "../../../durable-objects/functions/held-records.ts";
import type { Ledger } from "../../../durable-objects/functions/ledger.ts";
import type { Pending } from "../../../durable-objects/functions/pending.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";

/** Where a group is: stored in the transaction that stores its functions. */
export interface Head {
  readonly position: number;
  readonly sequence: number;
}

/** What storage has of a function, written as the transactions would. */
export class DeliveryStorage {
  ledger: Ledger | undefined;
  head: Head = { position: 0, sequence: 0 };
  readonly rows = new Map<number, { pending: Pending; record: LogRecord }>();
  /** Offsets of dead letters, in the order in which they were written. */
  readonly ended: number[] = [];
  /** How often outputs of a record were sent. */
  readonly made = new Map<number, number>();

  /** One transaction. @throws where it cannot be one */
  write(head: Head, taken: { readonly ledger: Ledger; readonly changes: Changes } | null): void {
    this.head = head;
    if (taken === null) return;
    this.ledger = structuredClone(taken.ledger);
    const { endings, made, parked, removed, updated } = taken.changes;
    for (const offset of removed) if (!this.rows.delete(offset)) throw new Error(`no row ${offset} to go`);
    for (const pending of parked) this.insert(pending);
    for (const pending of updated) this.update(pending);
    for (const { pending } of endings) {
      if (pending.record === undefined && !pending.isParked)
        throw new Error(`${pending.offset} is not there`);
      this.ended.push(pending.offset);
    }
    for (const { pending } of made) this.made.set(pending.offset, (this.made.get(pending.offset) ?? 0) + 1);
  }

  private insert(pending: Pending): void {
    const { offset, record } = pending;
    if (record === undefined) throw new Error(`${offset} is parked and is not there`);
    if (this.rows.has(offset)) throw new Error(`${offset} is parked twice`);
    this.rows.set(offset, { pending: { ...pending, record: undefined }, record });
    if (!pending.isInFlight) pending.record = undefined;
  }

  private update(pending: Pending): void {
    const row = this.rows.get(pending.offset);
    if (row === undefined) throw new Error(`no row ${pending.offset} to change`);
    row.pending = { ...pending, record: undefined };
  }

  load(): StoredDelivery {
    const parked = [...this.rows.values()]
      .map(({ pending }) => ({ ...pending, isInFlight: false, isParked: true, isFinished: false }))
      .sort((left, right) => left.offset - right.offset);
    return { ledger: structuredClone(this.ledger), trail: "", parked };
  }
}
