import type { FunctionOutput } from "../../src/functions/function.ts";
import type { Pending } from "./pending.ts";

/** A record that ends without having been done. */
export interface Ending {
  readonly pending: Pending;
  readonly reason: string;
}

/** What a function made of a record. */
export interface Made {
  readonly pending: Pending;
  readonly outputs: readonly FunctionOutput[];
}

/** What one transaction has to store of a delivery, beside its ledger. */
export interface Changes {
  /** Rows that come, with the records. */
  readonly parked: ReadonlySet<Pending>;
  /** Rows whose attempts changed. */
  readonly updated: ReadonlySet<Pending>;
  /** Offsets whose rows go. */
  readonly removed: readonly number[];
  readonly endings: readonly Ending[];
  readonly made: readonly Made[];
}

/** Gathers them; what comes and goes between two transactions costs no row. */
export class ChangeLog implements Changes {
  readonly parked = new Set<Pending>();
  readonly updated = new Set<Pending>();
  readonly removed: number[] = [];
  readonly endings: Ending[] = [];
  readonly made: Made[] = [];

  park(pending: Pending): void {
    this.parked.add(pending);
  }

  update(pending: Pending): void {
    if (!this.parked.has(pending)) this.updated.add(pending);
  }

  unpark(pending: Pending): void {
    this.updated.delete(pending);
    if (!this.parked.delete(pending)) this.removed.push(pending.offset);
  }

  get isEmpty(): boolean {
    const { parked, updated, removed, endings, made } = this;
    return parked.size + updated.size + removed.length + endings.length + made.length === 0;
  }
}
