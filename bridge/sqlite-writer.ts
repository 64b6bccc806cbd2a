import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AppendRecord, type AppendResult, LogFailure, RECORD_END, unknownPartition } from "./log.ts";
import { OFFSET_SPAN } from "./sqlite-schema.ts";
import { type PartitionState, type Partitions, refreshEnd } from "./sqlite-partitions.ts";

/** A chunk ends at this length, so that a read loads little more than it answers. */
const CHUNK_LENGTH = 256 * 1024;

interface Pending {
  readonly records: readonly AppendRecord[];
  readonly resolve: (results: readonly AppendResult[]) => void;
  readonly reject: (failure: LogFailure) => void;
}

/** The run that one commit appends to one partition. Published to the partition after the commit. */
interface Run {
  readonly partition: PartitionState;
  end: number;
  highestTimestamp: number;
  chunkBase: number;
  text: string;
}

/**
 * Group commit: the calls that arrive in one turn of the event loop share a transaction.
 *
 * Offsets are given when the transaction is built and become visible after its commit, so that a
 * failed commit leaves no hole, no reader sees what a crash could take back, and the records of a
 * call are contiguous in each partition: calls are laid down one after the other.
 */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #partitions: Partitions;
  readonly #insert: StatementSync;
  #queue: Pending[] = [];

  constructor(database: DatabaseSync, partitions: Partitions) {
    this.#database = database;
    this.#partitions = partitions;
    this.#insert = database.prepare(
      "INSERT INTO chunks (id, records, highest_timestamp, data) VALUES (?, ?, ?, ?)",
    );
  }

  append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    return new Promise((resolve, reject) => {
      // After the poll phase: every request already read from its socket joins this commit.
      if (this.#queue.length === 0) setImmediate(() => this.flush());
      this.#queue.push({ records, resolve, reject });
    });
  }

  /** Commits what is queued. Synchronous: node:sqlite commits on this thread. */
  flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    if (queue.length === 0) return;
    const runs = new Map<PartitionState, Run>();
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      const answers = queue.map((call) => this.#layDown(call.records, runs));
      for (const run of runs.values()) this.#writeChunk(run);
      this.#database.exec("COMMIT");
      publish(runs.values());
      for (const [index, call] of queue.entries()) call.resolve(answers[index] ?? []);
    } catch (error) {
      this.#recover(runs.keys());
      const failure = new LogFailure("unavailable", "the log could not be written", error);
      for (const call of queue) call.reject(failure);
    }
  }

  #layDown(records: readonly AppendRecord[], runs: Map<PartitionState, Run>): AppendResult[] {
    return records.map((record) => {
      const partition = this.#partitions.get(record.topic)?.[record.partition];
      if (partition === undefined) return { failure: unknownPartition(record) };
      const run = runs.get(partition) ?? beginRun(partition, runs);
      const offset = run.end++;
      if (record.timestamp > run.highestTimestamp) run.highestTimestamp = record.timestamp;
      run.text += partition.prefix + offset + encodeRest(record);
      if (run.text.length >= CHUNK_LENGTH) this.#writeChunk(run);
      return { offset, timestamp: record.timestamp };
    });
  }

  #writeChunk(run: Run): void {
    if (run.text === "") return;
    const id = run.partition.id * OFFSET_SPAN + run.chunkBase;
    this.#insert.run(id, run.end - run.chunkBase, run.highestTimestamp, Buffer.from(run.text));
    run.chunkBase = run.end;
    run.text = "";
  }

  /** Whether a failed commit took effect is for the file to say, before another offset is given. */
  #recover(partitions: Iterable<PartitionState>): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    for (const partition of partitions) refreshEnd(this.#database, partition);
  }
}

function beginRun(partition: PartitionState, runs: Map<PartitionState, Run>): Run {
  const { end, highestTimestamp } = partition;
  const run = { partition, end, highestTimestamp, chunkBase: end, text: "" };
  runs.set(partition, run);
  return run;
}

/** Makes committed records visible and wakes who waits for them. */
function publish(runs: Iterable<Run>): void {
  for (const { partition, end, highestTimestamp } of runs) {
    partition.end = end;
    partition.highestTimestamp = highestTimestamp;
    for (const waiter of partition.waiters) if (waiter.offset < end) waiter.wake();
  }
}

/** What comes behind the offset. JSON.stringify escapes newlines and lone surrogates. */
function encodeRest({ timestamp, key, value, headers }: AppendRecord): string {
  const list = headers.length === 0 ? "[]" : JSON.stringify(headers);
  return `,"timestamp":${timestamp},"key":${JSON.stringify(key ?? "")},"value":${JSON.stringify(value)},"headers":${list}${RECORD_END}`;
}
