import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { digestOf } from "../../durable-objects/digest.ts";
import { StoredAuction } from "../../durable-objects/storage/auction-store.ts";
import { storageOver } from "./sqlite-storage.ts";

/**
 * The digest of every object's storage under a directory, as `digest()` of the object itself
 * answers it, by the name of its file. The objects must be at rest: nothing runs them.
 */
export async function storedDigests(directory: string): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".sqlite")).toSorted()) {
    const database = new DatabaseSync(join(directory, file));
    try {
      if (!isPartition(database)) continue;
      const storage = storageOver(database);
      digests.set(file, await digestOf(storage, new StoredAuction(storage)));
    } finally {
      database.close();
    }
  }
  return digests;
}

/** The runtime has files of its own beside the objects'. */
function isPartition(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'entries'").get() !== undefined;
}
