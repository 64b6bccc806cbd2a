import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import type { AppendRecord, AppendResult } from "../../bridge/log.ts";

/**
 * A double of a slow broker: the embedded log, whose appends wait until they are let go. It stands
 * in for a cluster that takes its time, which cannot be had on demand.
 */
export class SlowLog extends SqliteLog {
  /** Appends that wait. */
  waiting = 0;
  readonly #gate = Promise.withResolvers<void>();

  /** Lets all appends go on, now and from now on. */
  letGo(): void {
    this.#gate.resolve();
  }

  override async append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    this.waiting++;
    await this.#gate.promise;
    this.waiting--;
    return super.append(records);
  }
}
