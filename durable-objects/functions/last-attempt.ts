import type { HeldRecords } from "./held-records.ts";
import type { CallLimits } from "./lanes.ts";
import type { Pending } from "./pending.ts";

/**
 * What becomes of a record whose attempts were all spent by calls that ended the object: it is called
 * once more with no other call beside it, which could be to blame, whichever function it is of; if
 * that ends the object as well, the record ends.
 */
export class LastAttempt {
  private readonly records: HeldRecords;
  private suspect: Pending | undefined;

  constructor(records: HeldRecords) {
    this.records = records;
  }

  /** Such a record waits until no call is under way. */
  get isWaiting(): boolean {
    return this.suspect !== undefined && !this.suspect.isInFlight;
  }

  /** Such a record is called now. */
  get isUnderWay(): boolean {
    return this.suspect?.isInFlight === true;
  }

  /** What the next call carries. @param beside calls under way in the object */
  take(limits: CallLimits, now: number, beside: number): readonly Pending[] {
    const { records } = this;
    if (this.suspect !== undefined) {
      if (beside > 0) return [];
      if (records.takeAlone(this.suspect)) return [this.suspect];
      this.suspect = undefined;
    }
    for (;;) {
      const taken = records.take(limits, now);
      const [first] = taken;
      if (first === undefined || first.attempts < limits.attempts) return taken;
      if (first.attempts > limits.attempts) {
        records.end(first, first.error === "" ? "its calls ended the object" : first.error);
      } else {
        this.suspect = first;
        if (beside === 0) return taken;
      }
      records.lanes.giveBack(taken, now);
      if (this.suspect !== undefined) return [];
    }
  }

  /** A call is over. */
  settle([first]: readonly Pending[]): void {
    if (first === this.suspect) this.suspect = undefined;
  }
}
