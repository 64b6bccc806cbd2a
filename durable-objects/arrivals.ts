import type { LogRecord } from "../src/kafka/port.ts";

/**
 * Records that arrived and are not applied yet, in any order, each once. Bounded: what does not
 * fit is dropped, since the log has it and a fetch brings it when its turn comes.
 */
export class Arrivals {
  private readonly records = new Map<number, LogRecord>();
  private readonly maximumRecords: number;
  private readonly maximumCharacters: number;
  private characters = 0;
  private highest = -1;

  constructor(maximumRecords: number, maximumCharacters: number) {
    this.maximumRecords = maximumRecords;
    this.maximumCharacters = maximumCharacters;
  }

  private get isFull(): boolean {
    return this.records.size >= this.maximumRecords || this.characters >= this.maximumCharacters;
  }

  get size(): number {
    return this.records.size;
  }

  /** Keeps a record that is not applied yet. Answers whether there was room. */
  offer(record: LogRecord, position: number): boolean {
    if (record.offset < position || this.records.has(record.offset)) return true;
    if (this.isFull && record.offset !== position) return false;
    this.records.set(record.offset, record);
    this.characters += record.value.length;
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
      this.forget(record);
      run.push(record);
    }
    return run;
  }

  /** Forgets what lies before `position`: a fetch brought it. */
  dropBefore(position: number): void {
    if (this.records.size === 0) return;
    for (const record of this.records.values()) if (record.offset < position) this.forget(record);
    if (this.records.size === 0) this.highest = -1;
  }

  private forget(record: LogRecord): void {
    this.records.delete(record.offset);
    this.characters -= record.value.length;
  }
}
