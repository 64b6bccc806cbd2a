import type { FunctionRecord } from "../../src/functions/function.ts";

/** When a function was called with which records; columns. */
export interface Started {
  readonly ids: readonly string[];
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
}

/** Notes when records reach a function, and for which event of a client's each of them is. */
export class StartTimes {
  #ids: string[] = [];
  #times: number[] = [];

  note(records: readonly FunctionRecord[]): void {
    const now = Date.now();
    for (const record of records) {
      this.#ids.push(causeOf(record));
      this.#times.push(now);
    }
  }

  /** What was noted since the last time. */
  take(): Started {
    const taken = { ids: this.#ids, times: this.#times };
    this.#ids = [];
    this.#times = [];
    return taken;
  }
}

/** The event that led to it, as `{partition}/{offset}` in the journal: the record itself, or what an output's id begins with. */
function causeOf({ headers, topic, partition, offset }: FunctionRecord): string {
  const id = headers.find(({ key }) => key === "ce_id")?.value ?? "";
  const [cause] = topic.endsWith("auction.bids") ? [] : (/\d+\/\d+/.exec(id) ?? []);
  return cause ?? `${partition}/${offset}`;
}
