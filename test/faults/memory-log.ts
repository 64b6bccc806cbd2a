/**
 * Stands for the log in the simulation: per topic an array of records, appended in one order. The
 * real brokers are tested elsewhere; what matters here is what a client may see of them.
 */
import type { FetchAnswer, LogRecord, ProduceRecord } from "../../src/kafka/port.ts";

export const partition = 3;

interface Topic {
  /** Kafka's id, which a topic made again does not share. */
  readonly id: string;
  /** What the log still has, also of a transaction that is open. */
  records: LogRecord[];
  /** What it ever had but for aborted records, in order. */
  history: LogRecord[];
  /** First offset that was not deleted. */
  start: number;
  /** Offset of the next record; above the last one's by more than one behind a gap. */
  end: number;
  /** Offset of the first record of an open transaction: readers see nothing from there on. */
  open: number | null;
}

export class MemoryLog {
  /** Whether answers say which topic they are about, where the log starts and where to read on. */
  tells = true;
  readonly #topics = new Map<string, Topic>();
  readonly #retired = new Map<string, Topic>();
  /** Records that newer ones of their keys stand for. */
  readonly compacted = new Set<LogRecord>();
  #ids = 0;

  /** Appends records to their topics, in order; answers each one's offset. */
  append(records: readonly Omit<ProduceRecord, "partition">[]): LogRecord[] {
    return records.map(({ topic: name, key, value, timestamp, headers }) => {
      const topic = this.#topic(name);
      const offset = topic.end;
      const record = { topic: name, partition, offset, timestamp, key, value, headers };
      topic.records.push(record);
      topic.history.push(record);
      topic.end = offset + 1;
      return record;
    });
  }

  /** Leaves offsets without records, as transactions' markers do. */
  skip(topic: string, offsets: number): void {
    this.#topic(topic).end += offsets;
  }

  /** Another producer's transaction: readers see nothing behind its start before it is finished. */
  begin(name: string, values: readonly string[]): { finish(commits: boolean): void } | null {
    const topic = this.#topic(name);
    if (topic.open !== null) return null;
    topic.open = topic.end;
    const own = this.append(
      values.map((value) => ({ topic: name, key: "", value, timestamp: 0, headers: [] })),
    );
    return {
      finish: (commits) => {
        topic.open = null;
        topic.end += 1;
        if (commits) return;
        topic.records = topic.records.filter((record) => !own.includes(record));
        topic.history = topic.history.filter((record) => !own.includes(record));
      },
    };
  }

  /** Removes a record that a newer one of its key stands for, if there is one below the open end. */
  compact(name: string, pick: (count: number) => number): boolean {
    const topic = this.#topic(name);
    const old = topic.records.filter(({ key, offset }) => {
      const isNewer = (other: LogRecord): boolean => other.key === key && other.offset > offset;
      return key !== "" && topic.records.some(isNewer) && offset < this.end(name);
    });
    const removed = old[pick(old.length)];
    if (removed === undefined) return false;
    topic.records = topic.records.filter((record) => record !== removed);
    this.compacted.add(removed);
    return true;
  }

  /** Deletes what lies before `start`, as retention and DeleteRecords do. */
  deleteBefore(name: string, start: number): void {
    const topic = this.#topic(name);
    topic.start = Math.max(topic.start, start);
    topic.records = topic.records.filter(({ offset }) => offset >= topic.start);
  }

  /** Deletes the topic and makes it again. */
  remake(name: string): void {
    this.#retired.set(name, this.#topic(name));
    this.#topics.delete(name);
  }

  topics(): string[] {
    return [...this.#topics.keys()];
  }

  id(name: string): string {
    return this.#topic(name).id;
  }

  start(name: string): number {
    return this.#topic(name).start;
  }

  /** What the topic has now. */
  records(name: string): readonly LogRecord[] {
    return this.#topic(name).records;
  }

  /** What it ever had, but for what was aborted. */
  history(name: string): readonly LogRecord[] {
    return this.#topic(name).history;
  }

  /** The topic that had this name before it was made again. */
  retired(name: string): Pick<Topic, "id" | "history" | "end"> | undefined {
    return this.#retired.get(name);
  }

  /** The end of what may be read. */
  end(name: string): number {
    const { end, open } = this.#topic(name);
    return open ?? end;
  }

  /** At most `limit` records from the first one at or above `offset`, and what the log tells of them. */
  read(name: string, offset: number, limit: number): FetchAnswer {
    const { id, records, start } = this.#topic(name);
    const end = this.end(name);
    const first = lowerBound(records, offset);
    const behind = records.slice(first, first + limit + 1).filter((record) => record.offset < end);
    const answered = behind.slice(0, limit);
    if (!this.tells) return { records: answered };
    const isCut = behind.length > answered.length;
    const next = isCut ? (answered.at(-1)?.offset ?? offset) + 1 : Math.max(offset, end);
    return { records: answered, next, start, topicId: id };
  }

  /** A log that holds these topics alone, with the same offsets. */
  copy(topics: readonly string[]): MemoryLog {
    const copy = new MemoryLog();
    copy.tells = this.tells;
    for (const name of topics) {
      const topic = this.#topic(name);
      copy.#topics.set(name, { ...topic, records: [...topic.records], history: [...topic.history] });
    }
    return copy;
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    this.#ids += 1;
    const topic = { id: `topic-${this.#ids}`, records: [], history: [], start: 0, end: 0, open: null };
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
