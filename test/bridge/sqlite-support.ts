import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import type { MakeLog } from "./contract/harness.ts";

/** A directory for one test's files. */
export async function makeDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "gavel-bridge-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** An empty SQLite log in a file of its own. */
export const makeSqliteLog: MakeLog = async (topics) => {
  const directory = await makeDirectory();
  const log = new SqliteLog({ file: join(directory.path, "log.sqlite"), topics });
  return { log, remove: directory.remove };
};
