import type { ProduceRecord } from "../src/kafka/port.ts";
import type { FanOut } from "./storage/outbox.ts";

/** One produce at most, by count and by characters of the values. */
const maximumRecords = 1_000;
const maximumCharacters = 700_000;
/** Entries that the fan-outs of one produce look at. */
const maximumWalked = 2_000;

/** What one produce brings of one part of the queue. */
export interface Step {
  /** How many of the records are of this part. */
  readonly records: number;
  /** Of a fan-out that this produce does not finish: where it then is. */
  readonly begun?: FanOut;
}

/** What one produce takes from the queue. */
export class Slice {
  static readonly maximumRecords = maximumRecords;
  readonly records: ProduceRecord[] = [];
  readonly steps: Step[] = [];
  walked = 0;
  private characters = 0;

  get isFull(): boolean {
    const isLarge = this.records.length >= maximumRecords || this.characters >= maximumCharacters;
    return isLarge || this.walked >= maximumWalked;
  }

  add(record: ProduceRecord): void {
    this.records.push(record);
    this.characters += record.value.length;
  }

  addOutput(record: ProduceRecord): void {
    this.add(record);
    this.steps.push({ records: 1 });
  }
}
