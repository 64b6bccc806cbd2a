import type { DatabaseSync } from "node:sqlite";
import { ChunkEncoder } from "./chunk-encoder.ts";
import { type AppendRecord, type AppendResult, LogFailure, unknownPartition } from "../log.ts";
import { type PartitionState, type Partitions, refreshEnd } from "./partitions.ts";

/** A chunk ends at this many bytes, so that a read loads little more than it answers. */
const CHUNK_BYTES = 256 * 1024;

/** A commit takes calls up to this many records; the rest follows in the next, after other work. */
const COMMIT_RECORDS = 10_000;

interface Call {
  readonly records: readonly AppendRecord[];
  readonly resolve: (results: readonly AppendResult[]) => void;
  readonly reject: (failure: LogFailure) => void;
}

/** What one commit appends to one partition; the partition learns of it after the commit. */
interface Run {
  readonly partition: PartitionState;
  readonly chunk: ChunkEncoder;
  chunkBase: number;
  end: number;
  highestTimestamp: number;
}

/**
 * Group commit: the calls that arrive in one turn of the event loop share a transaction.
 *
 * Offsets are given while the transaction is built and become visible after its commit, so that a
 * failed commit leaves no hole and no reader sees what a crash could take back. Calls are laid
 * down one after the other, so the records of each are contiguous within a partition.
 */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #partitions: Partitions;
  readonly #queue: Call[] = [];

  constructor(database: DatabaseSync, partitions: Partitions) {
    this.#database = database;
    this.#partitions = partitions;
  }

  append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    return new Promise((resolve, reject) => {
      // After the poll phase: every request already read from its socket joins this commit.
      if (this.#queue.length === 0) setImmediate(() => this.#commitNext());
      this.#queue.push({ records, resolve, reject });
    });
  }

  /** Commits all that is queued. */
  flush(): void {
    while (this.#queue.length > 0) this.#commit(this.#takeCalls());
  }

  #commitNext(): void {
    if (this.#queue.length === 0) return;
    this.#commit(this.#takeCalls());
    if (this.#queue.length > 0) setImmediate(() => this.#commitNext());
  }

  #takeCalls(): Call[] {
    let records = 0;
    const count = this.#queue.findIndex((call) => (records += call.records.length) >= COMMIT_RECORDS);
    return this.#queue.splice(0, count === -1 ? this.#queue.length : count + 1);
  }

  #commit(calls: readonly Call[]): void {
    const runs = new Map<PartitionState, Run>();
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      const results = calls.map((call) => this.#layDown(call.records, runs));
      for (const run of runs.values()) writeChunk(run);
      this.#database.exec("COMMIT");
      publish(runs.values());
      for (const [index, call] of calls.entries()) call.resolve(results[index] ?? []);
    } catch (error) {
      const failure = new LogFailure("unavailable", "unknown", "the log could not be written", error);
      for (const call of calls) call.reject(failure);
      this.#recover(runs.keys());
    }
  }

  #layDown(records: readonly AppendRecord[], runs: Map<PartitionState, Run>): AppendResult[] {
    return records.map((record) => {
      const partition = this.#partitions.get(record.topic)?.[record.partition];
      if (partition === undefined) return { failure: unknownPartition(record) };
      const run = runs.get(partition) ?? beginRun(partition, runs);
      const { timestamp } = record;
      const offset = run.end++;
      if (timestamp > run.highestTimestamp) run.highestTimestamp = timestamp;
      run.chunk.add(offset, record);
      if (run.chunk.bytes >= CHUNK_BYTES) writeChunk(run);
      return { offset, timestamp, topicId: partition.topicId };
    });
  }

  /** Whether a failed commit took effect is for the file to say, before another offset is given. */
  #recover(partitions: Iterable<PartitionState>): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    for (const partition of partitions) refreshEnd(partition);
  }
}

function beginRun(partition: PartitionState, runs: Map<PartitionState, Run>): Run {
  const { end, highestTimestamp, prefix } = partition;
  const chunk = new ChunkEncoder(prefix);
  const run = { partition, chunk, chunkBase: end, end, highestTimestamp };
  runs.set(partition, run);
  return run;
}

function writeChunk(run: Run): void {
  const { partition, chunk, chunkBase: base, end, highestTimestamp } = run;
  if (end === base) return;
  partition.chunks.insert({ base, records: end - base, highestTimestamp }, chunk.take());
  run.chunkBase = end;
}

/** Makes committed records visible and wakes who waits for them. */
function publish(runs: Iterable<Run>): void {
  for (const { partition, end, highestTimestamp } of runs) {
    partition.end = end;
    partition.highestTimestamp = highestTimestamp;
    for (const waiter of partition.waiters) if (waiter.offset < end) waiter.wake();
  }
}
