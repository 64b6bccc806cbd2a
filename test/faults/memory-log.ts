/**
 * Stands for the log in the simulation: per topic an array of records, appended in one order. The
 * real brokers are tested elsewhere; what matters here is what a client may see of them.
 */
import type { LogRecord, ProduceRecord } from "../../src/kafka/port.ts";

export const partition = 3;

interface Topic {
  readonly records: LogRecord[];
  /** Offset of the next record; above the last one's by more than one behind a gap. */
  end: number;
}

export class MemoryLog {
  readonly #topics = new Map<string, Topic>();

  /** Appends records to their topics, in order; answers each one's offset. */
  append(records: readonly Omit<ProduceRecord, "partition">[]): LogRecord[] {
    return records.map(({ topic: name, key, value, timestamp, headers }) => {
      const topic = this.#topic(name);
      const offset = topic.end;
      const record = { topic: name, partition, offset, timestamp, key, value, headers };
      topic.records.push(record);
      topic.end = offset + 1;
      return record;
    });
  }

  /** Leaves offsets without records, as transactions' markers and compaction do. */
  skip(topic: string, offsets: number): void {
    this.#topic(topic).end += offsets;
  }

  topics(): string[] {
    return [...this.#topics.keys()];
  }

  records(topic: string): readonly LogRecord[] {
    return this.#topic(topic).records;
  }

  end(topic: string): number {
    return this.#topic(topic).end;
  }

  /** At most `limit` records from the first one at or above `offset`. */
  read(topic: string, offset: number, limit: number): readonly LogRecord[] {
    const { records } = this.#topic(topic);
    const first = lowerBound(records, offset);
    return records.slice(first, first + limit);
  }

  /** A log that holds these topics alone, with the same offsets. */
  copy(topics: readonly string[]): MemoryLog {
    const copy = new MemoryLog();
    for (const name of topics) {
      const { records, end } = this.#topic(name);
      copy.#topics.set(name, { records: [...records], end });
    }
    return copy;
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = { records: [], end: 0 };
    this.#topics.set(name, topic);
    return topic;
  }
}

function lowerBound(records: readonly LogRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle]?.offset ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
