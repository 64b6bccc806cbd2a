import type { LogRecord } from "../src/kafka/port.ts";

/**
 * Records that arrived and are not applied yet, in any order, each once. Bounded: what does not
 * fit is dropped, since the log has it and a fetch brings it when its turn comes.
 */
export class Arrivals {
  private readonly records = new Map<number, LogRecord>();
  private readonly capacity: number;
  private highest = -1;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.records.size;
  }

  /** Keeps a record that is not applied yet. Answers whether there was room. */
  offer(record: LogRecord, position: number): boolean {
    if (record.offset < position) return true;
    if (this.records.size >= this.capacity && record.offset !== position) return false;
    this.records.set(record.offset, record);
    this.highest = Math.max(this.highest, record.offset);
    return true;
  }

  has(offset: number): boolean {
    return this.records.has(offset);
  }

  /** Whether something behind `position` waits for what is missing in between. */
  hasBehind(position: number): boolean {
    return this.highest > position;
  }

  /** Takes the contiguous run that starts at `position`, and nothing else. */
  takeRun(position: number, limit: number): LogRecord[] {
    const run: LogRecord[] = [];
    while (run.length < limit) {
      const record = this.records.get(position + run.length);
      if (record === undefined) break;
      this.records.delete(record.offset);
      run.push(record);
    }
    return run;
  }

  /** Forgets what lies before `position`: a fetch brought it. */
  dropBefore(position: number): void {
    if (this.records.size === 0) return;
    for (const offset of this.records.keys()) if (offset < position) this.records.delete(offset);
    if (this.records.size === 0) this.highest = -1;
  }
}
