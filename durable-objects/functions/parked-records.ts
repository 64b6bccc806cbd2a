import type { FunctionSettings } from "../../src/functions/function.ts";
import type { Pending } from "./pending.ts";

/** Records of one function that have rows of their own, within their budget. */
export class ParkedRecords {
  private readonly budget: FunctionSettings["budget"];
  private readonly records = new Map<number, Pending>();
  private characters = 0;
  private isOver = false;

  constructor(budget: FunctionSettings["budget"]) {
    this.budget = budget;
  }

  get size(): number {
    return this.records.size;
  }

  /** The budget is spent. */
  get isOverBudget(): boolean {
    return this.isOver;
  }

  get(offset: number): Pending | undefined {
    return this.records.get(offset);
  }

  has(offset: number): boolean {
    return this.records.has(offset);
  }

  get offsets(): Iterable<number> {
    return this.records.keys();
  }

  get all(): Iterable<Pending> {
    return this.records.values();
  }

  add(pending: Pending): void {
    this.records.set(pending.offset, pending);
    this.characters += pending.characters;
    this.weigh();
  }

  remove(pending: Pending): void {
    this.records.delete(pending.offset);
    this.characters -= pending.characters;
    this.weigh();
  }

  /** Until a tenth is free again: a record that ends would otherwise have the log read for one more. */
  private weigh(): void {
    const share = Math.max(this.records.size / this.budget.records, this.characters / this.budget.characters);
    this.isOver = share >= 1 || (this.isOver && share > 0.9);
  }
}
