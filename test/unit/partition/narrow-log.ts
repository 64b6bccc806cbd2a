import { LogError, type ProduceRecord, type ProduceResult } from "../../../src/kafka/port.ts";
import { MemoryLog, settled } from "./core-world.ts";

/** A log that refuses records by their size, whole requests or each. */
export class NarrowLog extends MemoryLog {
  maximumRecord = Number.POSITIVE_INFINITY;
  maximumRequest = Number.POSITIVE_INFINITY;

  override async produce(records: readonly ProduceRecord[]): Promise<ProduceResult[]> {
    this.produces += 1;
    // As a log across a network: everything else has its turn before the answer.
    await settled();
    const size = records.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    if (size > this.maximumRequest) throw new LogError("too-large", "none", "the request is too large");
    const results: ProduceResult[] = [];
    for (const record of records) {
      if (record.key.length + record.value.length > this.maximumRecord) {
        results.push({ ok: false, error: new LogError("too-large", "none", "the record is too large") });
      } else if (results.every(({ ok }) => ok)) {
        const { offset, timestamp } = this.append(record);
        results.push({ ok: true, offset, timestamp });
      } else {
        results.push({ ok: false, error: new LogError("unavailable", "none", "the one before it failed") });
      }
    }
    return results;
  }
}
