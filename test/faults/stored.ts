/** What a test reads of the object's storage that the object itself does not tell. */
import type { PartitionState } from "../../src/auction/state.ts";
import type { SentBefore } from "../../durable-objects/sent-before.ts";
import type { Disk } from "./disk.ts";
import type { OutputTopic } from "./plain-model.ts";

/** Up to which offset each topic has taken effect; 0 while nothing of it has. */
export function positionsOf(disk: Disk): { readonly journal: number; readonly items: number } {
  const state = read(disk, `SELECT state AS value FROM partition_state`) as PartitionState | undefined;
  return { journal: state?.position ?? 0, items: (state?.openedItemsOffset ?? -1) + 1 };
}

/** What this storage's life must not send again. */
export function sentBeforeOf(disk: Disk): Readonly<Record<OutputTopic, SentBefore>> {
  const value = read(disk, `SELECT value FROM bookkeeping WHERE name = 'sent_before'`);
  if (value === undefined) throw new Error("the object never looked into its output topics");
  return value as Readonly<Record<OutputTopic, SentBefore>>;
}

function read(disk: Disk, statement: string): unknown {
  try {
    const row = disk.statement(statement).get();
    return row === undefined ? undefined : JSON.parse(String(row["value"]));
  } catch (error) {
    // Before the first migration there is no table.
    if (error instanceof Error && error.message.includes("no such table")) return undefined;
    throw error;
  }
}
