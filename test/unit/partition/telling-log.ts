import type {
  FetchAnswer,
  LogRecord,
  ProduceRecord,
  ProduceResult,
  TopicPartitionOffset,
} from "../../../src/kafka/port.ts";
import { MemoryLog } from "./core-world.ts";

interface Topic {
  id: string;
  start: number;
  end: number;
  /** Where readers' view ends before an open transaction. */
  heldAt: number | null;
}

/**
 * A log in memory that tells what Gavel's bridge tells: topic ids, where it starts and where to read
 * on. It stands for the log alone; the bridge over a real broker is tested in test/kafka.
 */
export class TellingLog extends MemoryLog {
  /** Like a server that is not Gavel's bridge. */
  tellsNothing = false;
  private readonly kept = new Map<string, Topic>();
  private made = 0;

  private of(name: string): Topic {
    const known = this.kept.get(name);
    if (known !== undefined) return known;
    this.made += 1;
    const topic = { id: `id-${this.made}`, start: 0, end: 0, heldAt: null };
    this.kept.set(name, topic);
    return topic;
  }

  idOf(name: string): string {
    return this.of(name).id;
  }

  /** Another topic takes the name, empty or already grown. */
  remake(name: string, grownTo = 0): void {
    this.topic(name).length = 0;
    this.made += 1;
    this.kept.set(name, { id: `id-${this.made}`, start: 0, end: grownTo, heldAt: null });
  }

  /** The old topic's id is back, as when a wrong address is mended. */
  restore(name: string, id: string, records: readonly LogRecord[]): void {
    this.topic(name).splice(0, Number.POSITIVE_INFINITY, ...records);
    this.kept.set(name, { id, start: 0, end: (records.at(-1)?.offset ?? -1) + 1, heldAt: null });
  }

  /** Offsets that no reader finds a record at. */
  skip(name: string, offsets: number): void {
    this.of(name).end += offsets;
  }

  hold(name: string): void {
    this.of(name).heldAt = this.of(name).end;
  }

  release(name: string): void {
    this.of(name).heldAt = null;
    this.skip(name, 1);
  }

  deleteBefore(name: string, start: number): void {
    const topic = this.topic(name);
    this.of(name).start = start;
    topic.splice(0, topic.filter(({ offset }) => offset < start).length);
  }

  /** End of what may be read. */
  endOf(name: string): number {
    const { end, heldAt } = this.of(name);
    return heldAt ?? end;
  }

  override append(record: ProduceRecord): LogRecord {
    const topic = this.of(record.topic);
    const logged = { ...record, offset: topic.end };
    this.topic(record.topic).push(logged);
    topic.end += 1;
    return logged;
  }

  override async produce(records: readonly ProduceRecord[]): Promise<readonly ProduceResult[]> {
    const results = await super.produce(records);
    return results.map((result, index) => ({ ...result, ...this.idIn(records[index]?.topic ?? "") }));
  }

  override async fetch({ topic, partition, offset }: TopicPartitionOffset): Promise<FetchAnswer> {
    await super.fetch({ topic, partition, offset });
    const end = this.endOf(topic);
    const records = this.topic(topic).filter((record) => record.offset >= offset && record.offset < end);
    if (this.tellsNothing) return { records };
    return { records, next: Math.max(offset, end), start: this.of(topic).start, ...this.idIn(topic) };
  }

  override async offsets(
    at: "earliest" | "latest",
    partitions: readonly { topic: string; partition: number }[],
  ) {
    await super.offsets(at, partitions);
    return partitions.map((one) => {
      const offset = at === "earliest" ? this.of(one.topic).start : this.endOf(one.topic);
      return { ...one, offset, ...this.idIn(one.topic) };
    });
  }

  private idIn(name: string): { readonly topicId?: string } {
    return this.tellsNothing ? {} : { topicId: this.idOf(name) };
  }
}
