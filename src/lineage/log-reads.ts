import type { KafkaLog, LogRecord, TopicPartition, TopicPartitionOffset } from "../kafka/port.ts";

type ReadLog = Pick<KafkaLog, "fetch" | "offsets">;

interface Chunk extends TopicPartition {
  readonly from: number;
  /** Behind its last record. */
  readonly end: number;
  readonly records: readonly LogRecord[];
}

/** What one question reads of the log: a fetch answers up to 1 MiB, whatever was wanted of it. */
export class LogReads {
  private readonly log: ReadLog;
  private readonly deadline: number;
  private readonly chunks: Chunk[] = [];
  private left: number;

  /** @param most fetches, beyond which nothing more is read */
  constructor(log: ReadLog, deadline: number, most: number) {
    this.log = log;
    this.deadline = deadline;
    this.left = most;
  }

  /** Something was not read, since there would have been too much. */
  get isSpent(): boolean {
    return this.left < 0;
  }

  /** The record at an offset; undefined where the log has none there. @throws {LogError} */
  async at(place: TopicPartitionOffset): Promise<LogRecord | undefined> {
    const records = await this.from(place);
    return records[0]?.offset === place.offset ? records[0] : undefined;
  }

  /** A bounded run of records from an offset on. @throws {LogError} */
  async from({ topic, partition, offset }: TopicPartitionOffset): Promise<readonly LogRecord[]> {
    const isIn = (chunk: Chunk) =>
      chunk.topic === topic && chunk.partition === partition && chunk.from <= offset && offset < chunk.end;
    const known = this.chunks.find(isIn) ?? (await this.read({ topic, partition, offset }));
    return known.records.filter((record) => record.offset >= offset);
  }

  private async read({ topic, partition, offset: from }: TopicPartitionOffset): Promise<Chunk> {
    this.left -= 1;
    if (this.left < 0) return { topic, partition, from, end: from, records: [] };
    const { records } = await this.log.fetch({ topic, partition, offset: from }, this.deadline);
    const end = (records.at(-1)?.offset ?? from - 1) + 1;
    const chunk = { topic, partition, from, end, records };
    this.chunks.push(chunk);
    return chunk;
  }

  /** The first offset whose record's time is at or after a time; the end where there is none. @throws {LogError} */
  async since(time: number, place: TopicPartition): Promise<number | undefined> {
    const [found] = await this.log.offsets(time, [place], this.deadline);
    return found?.offset;
  }

  /** Where topics' partitions end. @throws {LogError} */
  async ends(places: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return this.log.offsets("latest", places, this.deadline);
  }
}
