import type { DatabaseSync } from "node:sqlite";
import {
  type AppendRecord,
  type AppendResult,
  type EncodedRecords,
  type EventLog,
  type OffsetsAt,
  type ReadRequest,
  type TopicPartition,
  type TopicPartitionOffset,
  unknownPartition,
} from "./log.ts";
import { loadPartitions, type PartitionState, type Partitions } from "./sqlite-partitions.ts";
import { firstAtOrAfter, readRecords } from "./sqlite-reader.ts";
import { openDatabase } from "./sqlite-schema.ts";
import { SqliteWriter } from "./sqlite-writer.ts";
import { waitForRecords } from "./sqlite-wait.ts";

export interface SqliteLogOptions {
  /** The database file; made where it does not exist. */
  readonly file: string;
  /** Topic → partition count. Topics that the file has besides stay readable and writable. */
  readonly topics: Readonly<Record<string, number>>;
  /** Where the file stops growing: appends then fail, as on a full disk, and reads go on. */
  readonly maxBytes?: number;
}

/** An embedded log in one SQLite file, for development, tests and small installations. */
export class SqliteLog implements EventLog {
  readonly #database: DatabaseSync;
  readonly #partitions: Partitions;
  readonly #writer: SqliteWriter;

  /** @throws {Error} with a plain sentence when the file is in use or does not fit the topics. */
  constructor(options: SqliteLogOptions) {
    this.#database = openDatabase(options.file, options.maxBytes ?? Infinity);
    try {
      this.#partitions = loadPartitions(this.#database, options.topics);
    } catch (error) {
      this.#database.close();
      throw error;
    }
    this.#writer = new SqliteWriter(this.#database, this.#partitions);
  }

  append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    return this.#writer.append(records);
  }

  async read(request: ReadRequest): Promise<EncodedRecords> {
    const positions = request.positions.map((position) => ({
      partition: this.#partition(position),
      offset: position.offset,
    }));
    const hasRecords = () => positions.some(({ partition, offset }) => offset < partition.end);
    if (!hasRecords() && request.timeoutMs > 0) {
      await waitForRecords(positions, request.timeoutMs, request.signal);
    }
    return hasRecords() ? this.#readNow(positions, request.maxBytes) : [];
  }

  /**
   * Each position has an even share of what is left, and every call begins with another one, so
   * that neither a busy partition nor a large record starves the others for long.
   */
  #readNow(
    positions: readonly { readonly partition: PartitionState; readonly offset: number }[],
    maxBytes: number,
  ): EncodedRecords {
    const start = Math.floor(Math.random() * positions.length);
    const order = [...positions.slice(start), ...positions.slice(0, start)];
    const answer: Buffer[] = [];
    let left = maxBytes;
    for (const [index, { partition, offset }] of order.entries()) {
      if (offset >= partition.end) continue;
      const share = Math.floor(left / (order.length - index));
      for (const part of readRecords(partition, offset, share, answer.length === 0)) {
        answer.push(part);
        left -= part.length;
      }
    }
    return answer;
  }

  async offsets(
    at: OffsetsAt,
    partitions: readonly TopicPartition[],
  ): Promise<readonly TopicPartitionOffset[]> {
    return partitions.map(({ topic, partition }) => {
      const state = this.#partition({ topic, partition });
      return { topic, partition, offset: offsetAt(at, state) };
    });
  }

  async topics(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#partitions].map(([topic, list]) => [topic, list.length]));
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.#writer.flush();
    this.#database.close();
  }

  #partition(wanted: TopicPartition): PartitionState {
    const partition = this.#partitions.get(wanted.topic)?.[wanted.partition];
    if (partition === undefined) throw unknownPartition(wanted);
    return partition;
  }
}

function offsetAt(at: OffsetsAt, partition: PartitionState): number {
  if (at === "earliest") return 0;
  return at === "latest" ? partition.end : firstAtOrAfter(partition, at);
}
