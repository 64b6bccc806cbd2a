import { type Ledger, storedCall } from "./ledger.ts";
import type { Pending } from "./pending.ts";

/** One call under way. */
export interface Call {
  readonly records: readonly Pending[];
  readonly startedAt: number;
  readonly deadline: number;
  /** It tries whether the endpoint is back. */
  readonly isProbe: boolean;
}

/** The calls of one function that are under way on one partition. */
export class CallsUnderWay {
  private readonly calls = new Set<Call>();

  get size(): number {
    return this.calls.size;
  }

  add(call: Call): void {
    this.calls.add(call);
  }

  /** Answers whether it was under way. */
  end(call: Call): boolean {
    return this.calls.delete(call);
  }

  /** When the one that carries the offset began; undefined where none does. */
  startedAt(offset: number): number | undefined {
    for (const { records, startedAt } of this.calls)
      if (records.some((pending) => pending.offset === offset)) return startedAt;
    return undefined;
  }

  toLedger(): Ledger["calls"] {
    return [...this.calls].map(storedCall);
  }
}
