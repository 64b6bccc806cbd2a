import type { DatabaseSync } from "node:sqlite";
import {
  type AppendRecord,
  type AppendResult,
  type EventLog,
  type IdentifiedOffset,
  type OffsetsAt,
  type ReadRequest,
  type ReadResult,
  type TopicPartition,
  type TopicPartitionOffset,
  unknownPartition,
} from "../log.ts";
import type { ConsumerGroups } from "../groups.ts";
import { InstanceGroups } from "../groups/instances.ts";
import { CommittedOffsets } from "./committed-offsets.ts";
import { SqliteCoordinator } from "./group-coordinator.ts";
import { loadPartitions, type PartitionState, type Partitions } from "./partitions.ts";
import { firstAtOrAfter, readRecords } from "./reader.ts";
import { openDatabase } from "./schema.ts";
import { SqliteWriter } from "./writer.ts";
import { waitForRecords } from "./wait.ts";

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
  readonly groups: ConsumerGroups;
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
    const offsets = new CommittedOffsets(this.#database);
    this.groups = new InstanceGroups(this, new SqliteCoordinator(offsets, () => this.#counts()));
  }

  append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    return this.#writer.append(records);
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    const positions = request.positions.map((position) => ({
      partition: this.#partition(position),
      position,
    }));
    const hasRecords = () => positions.some(({ partition, position }) => position.offset < partition.end);
    if (!hasRecords() && request.timeoutMs > 0) {
      await waitForRecords(positions, request.timeoutMs, request.signal);
    }
    return readNow(positions, request.maxBytes);
  }

  async offsets(at: OffsetsAt, partitions: readonly TopicPartition[]): Promise<readonly IdentifiedOffset[]> {
    return partitions.map(({ topic, partition }) => {
      const state = this.#partition({ topic, partition });
      return { topic, partition, offset: offsetAt(at, state), topicId: state.topicId };
    });
  }

  async topics(): Promise<ReadonlyMap<string, number>> {
    return this.#counts();
  }

  problems(): readonly string[] {
    return this.#database.isOpen ? [] : ["The log is closed."];
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    await this.groups.close();
    this.#writer.flush();
    this.#database.close();
  }

  #counts(): Map<string, number> {
    return new Map([...this.#partitions].map(([topic, list]) => [topic, list.length]));
  }

  #partition(wanted: TopicPartition): PartitionState {
    const partition = this.#partitions.get(wanted.topic)?.[wanted.partition];
    if (partition === undefined) throw unknownPartition(wanted);
    return partition;
  }
}

interface Position {
  readonly partition: PartitionState;
  readonly position: TopicPartitionOffset;
}

/**
 * Each position has an even share of what is left, and every call begins with another one, so
 * that neither a busy partition nor a large record starves the others for long.
 */
function readNow(positions: readonly Position[], maxBytes: number): ReadResult {
  const start = Math.floor(Math.random() * positions.length);
  const order = [...positions.keys()].map((index) => (start + index) % positions.length);
  const next = positions.map(({ position }) => position.offset);
  const records: Buffer[] = [];
  let count = 0;
  let left = maxBytes;
  for (const [turn, index] of order.entries()) {
    const { partition, position } = positions[index] as Position;
    if (position.offset >= partition.end) continue;
    const share = Math.floor(left / (order.length - turn));
    const read = readRecords(partition, position.offset, share, records.length === 0);
    next[index] = read.next;
    // Offsets are dense here.
    count += read.next - position.offset;
    for (const part of read.parts) {
      records.push(part);
      left -= part.length;
    }
  }
  const partitions = positions.map(({ partition: { topicId, end }, position }, index) => ({
    topic: position.topic,
    partition: position.partition,
    topicId,
    next: next[index] ?? position.offset,
    start: 0,
    end,
  }));
  return { records, count, partitions };
}

function offsetAt(at: OffsetsAt, partition: PartitionState): number {
  if (at === "earliest") return 0;
  return at === "latest" ? partition.end : firstAtOrAfter(partition, at);
}
