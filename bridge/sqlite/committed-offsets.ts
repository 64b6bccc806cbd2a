import type { DatabaseSync, StatementSync } from "node:sqlite";
import { NO_OFFSET } from "../groups.ts";
import type { CommittedOffset } from "../groups/coordinator.ts";
import { LogFailure, type TopicPartition } from "../log.ts";

/** How far each consumer group has come, in the log's file. */
export class CommittedOffsets {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare(
      `SELECT "offset", note FROM committed_offsets WHERE "group" = ? AND topic = ? AND partition = ?`,
    );
    this.#upsert = database.prepare(
      `INSERT INTO committed_offsets ("group", topic, partition, "offset", note) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET "offset" = excluded."offset", note = excluded.note`,
    );
  }

  read(group: string, { topic, partition }: TopicPartition): CommittedOffset {
    const row = this.#select.get(group, topic, partition);
    if (row === undefined) return { topic, partition, offset: NO_OFFSET, note: "" };
    return { topic, partition, offset: Number(row["offset"]), note: String(row["note"]) };
  }

  /** All or nothing, and on disk when it returns. @throws {LogFailure} */
  write(group: string, offsets: readonly CommittedOffset[]): void {
    try {
      // Nothing else can come between: a transaction begins and ends in one turn of the event loop.
      this.#database.exec("BEGIN IMMEDIATE");
      for (const { topic, partition, offset, note } of offsets) {
        this.#upsert.run(group, topic, partition, offset, note);
      }
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw new LogFailure("unavailable", "unknown", "the offsets could not be written", error);
    }
  }
}
