import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { ChunkTable } from "./chunks.ts";
import { isTopicName } from "../topic-name.ts";

/** A reader that waits for a partition to grow past an offset. */
export interface Waiter {
  readonly offset: number;
  readonly wake: () => void;
}

/** What the process keeps of one partition; the file is read for it only at the start. */
export interface PartitionState {
  readonly topicId: string;
  /** What comes before the offset in an encoded record. */
  readonly prefix: string;
  readonly chunks: ChunkTable;
  /** The next offset: all below it is committed. */
  end: number;
  /** The highest timestamp of all records; -1 while there is none. */
  highestTimestamp: number;
  readonly waiters: Set<Waiter>;
}

/** By topic, and in it by number. */
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
  database.exec("BEGIN IMMEDIATE");
  declareTopics(database, declared);
  const partitions: Partitions = new Map();
  const rows = database.prepare(
    `SELECT partitions.id, topic, number, topics.id AS topic_id
     FROM partitions JOIN topics ON topics.name = topic ORDER BY topic, number`,
  );
  for (const row of rows.all()) {
    const topic = String(row["topic"]);
    const state = loadPartition(database, { ...row, topic });
    const list = partitions.get(topic);
    if (list === undefined) partitions.set(topic, [state]);
    else list.push(state);
  }
  database.exec("COMMIT");
  return partitions;
}

function declareTopics(database: DatabaseSync, declared: Readonly<Record<string, number>>): void {
  const count = database.prepare("SELECT count(*) AS count FROM partitions WHERE topic = ?");
  const insertTopic = database.prepare("INSERT INTO topics (name, id) VALUES (?, ?)");
  const insert = database.prepare("INSERT INTO partitions (topic, number) VALUES (?, ?)");
  for (const [topic, wanted] of Object.entries(declared)) {
    if (!isTopicName(topic)) throw new Error(`"${topic}" is not a topic's name.`);
    const existing = Number(count.get(topic)?.["count"]);
    if (existing === 0) {
      insertTopic.run(topic, randomUUID());
      for (let number = 0; number < wanted; number++) insert.run(topic, number);
    } else if (existing !== wanted) {
      throw new Error(`Topic ${topic} has ${existing} partitions in the log, not ${wanted}.`);
    }
  }
}

function loadPartition(
  database: DatabaseSync,
  row: Readonly<Record<string, unknown>> & { readonly topic: string },
): PartitionState {
  const { topic } = row;
  const number = Number(row["number"]);
  const state = {
    topicId: String(row["topic_id"]),
    prefix: `{"topic":"${topic}","partition":${number},"offset":`,
    chunks: new ChunkTable(database, Number(row["id"])),
    end: 0,
    highestTimestamp: -1,
    waiters: new Set<Waiter>(),
  };
  refreshEnd(state);
  return state;
}

/** Takes a partition's end from the file: at the start, and after a commit that may have failed. */
export function refreshEnd(partition: PartitionState): void {
  const last = partition.chunks.last();
  partition.end = last === undefined ? 0 : last.base + last.records;
  partition.highestTimestamp = last?.highestTimestamp ?? -1;
}
