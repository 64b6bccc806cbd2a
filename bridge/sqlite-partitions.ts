import type { DatabaseSync } from "node:sqlite";
import { isTopicName } from "./topic-name.ts";
import { MAX_PARTITIONS, OFFSET_SPAN } from "./sqlite-schema.ts";

/** A reader that waits for a partition to grow past an offset. */
export interface Waiter {
  readonly offset: number;
  readonly wake: () => void;
}

/** What the process keeps of one partition; the file is read for it only at the start. */
export interface PartitionState {
  readonly id: number;
  readonly topic: string;
  readonly number: number;
  /** What comes before the offset in an encoded record. */
  readonly prefix: string;
  /** The next offset: all below it is committed. */
  end: number;
  highestTimestamp: number;
  readonly waiters: Set<Waiter>;
}

export type Partitions = Map<string, PartitionState[]>;

/**
 * Declares the topics and loads the state of all that the file holds, also of earlier topics.
 * @throws {Error} with a plain sentence when the file has another partition count for a topic:
 *   keys would move to other partitions and lose their order.
 */
export function loadPartitions(
  database: DatabaseSync,
  declared: Readonly<Record<string, number>>,
): Partitions {
  const partitions = readPartitions(database);
  const missing = Object.entries(declared).filter(([topic, count]) => {
    if (!isTopicName(topic)) throw new Error(`"${topic}" is not a topic's name.`);
    const existing = partitions.get(topic)?.length;
    if (existing === undefined || existing === count) return existing === undefined;
    throw new Error(`Topic ${topic} has ${existing} partitions in the log, not ${count}.`);
  });
  if (missing.length === 0) return partitions;
  const insert = database.prepare("INSERT INTO partitions (topic, number) VALUES (?, ?)");
  database.exec("BEGIN IMMEDIATE");
  for (const [topic, count] of missing) {
    for (let number = 0; number < count; number++) insert.run(topic, number);
  }
  database.exec("COMMIT");
  return readPartitions(database);
}

function readPartitions(database: DatabaseSync): Partitions {
  const partitions: Partitions = new Map();
  const rows = database.prepare("SELECT id, topic, number FROM partitions ORDER BY topic, number");
  for (const row of rows.all()) {
    const [id, topic, number] = [Number(row["id"]), String(row["topic"]), Number(row["number"])];
    if (id > MAX_PARTITIONS) throw new Error(`More than ${MAX_PARTITIONS} partitions in one log.`);
    const prefix = `{"topic":${JSON.stringify(topic)},"partition":${number},"offset":`;
    const state: PartitionState = {
      id,
      topic,
      number,
      prefix,
      end: 0,
      highestTimestamp: -1,
      waiters: new Set(),
    };
    refreshEnd(database, state);
    const list = partitions.get(topic);
    if (list === undefined) partitions.set(topic, [state]);
    else list.push(state);
  }
  return partitions;
}

/** Takes a partition's end from the file: at the start, and after a commit that may have failed. */
export function refreshEnd(database: DatabaseSync, partition: PartitionState): void {
  const first = partition.id * OFFSET_SPAN;
  const last = database
    .prepare(
      "SELECT id, records, highest_timestamp FROM chunks WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
    )
    .get(first, first + OFFSET_SPAN);
  partition.end = last === undefined ? 0 : Number(last["id"]) - first + Number(last["records"]);
  partition.highestTimestamp = last === undefined ? -1 : Number(last["highest_timestamp"]);
}
