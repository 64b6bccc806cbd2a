import type { Decision } from "../../src/analyses/analysis.ts";
import type { Entry, ItemPhase, ItemState } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { StoredAggregates } from "../storage/aggregates.ts";
import { StoredAuction } from "../storage/auction-store.ts";

export type Observe = (decision: Decision) => void;

/** Tells of each move instead of counting it: what a live partition counts is the analysis's here. */
class ObservedMoves extends StoredAggregates {
  private readonly observe: Observe;

  constructor(storage: PartitionStorage, observe: Observe) {
    super(storage);
    this.observe = observe;
  }

  override moved(item: ItemState, from: ItemPhase | null, price: number | null): void {
    this.observe({ kind: "moved", item, from, price });
  }

  override accepted(): void {}
  override countCell(): void {}
  override recount(): void {}
}

/**
 * The reducer's store in a replay: the same tables and the same rules, in a storage of its own. What
 * the reducer decides is told to the analysis, and what it would send goes nowhere.
 */
export class ObservedAuction extends StoredAuction {
  private readonly observe: Observe;

  constructor(storage: PartitionStorage, observe: Observe) {
    super(storage, undefined, new ObservedMoves(storage, observe));
    this.observe = observe;
  }

  override append(entry: Entry): void {
    super.append(entry);
    const item = this.items.get(entry.itemId);
    if (item !== undefined) this.observe({ kind: "judged", item, entry });
  }

  override emit(): void {}
  override emitLosers(): void {}
}
