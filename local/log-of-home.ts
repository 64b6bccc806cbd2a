import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Home, jsonOf } from "./home.ts";
import { PlainError } from "./problem.ts";

const identitySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("sqlite") }),
  z.object({ kind: z.literal("kafka"), clusterId: z.string() }),
]);

/** Which log a home's objects are made from: its own, or the Kafka cluster of an id. */
export type LogIdentity = z.infer<typeof identitySchema>;

/**
 * Binds a home to its log, at the first start and for good: the objects' positions are places in
 * that log, and mean nothing in another.
 * @throws {PlainError} when the home belongs to another log.
 */
export function bindLog(home: Home, log: LogIdentity): void {
  const file = join(home.directory, "log.json");
  const bound = boundLog(home, file);
  if (bound === null) {
    // Whole or not at all.
    const draft = join(home.run, "log.json");
    writeFileSync(draft, `${JSON.stringify(log)}\n`);
    renameSync(draft, file);
    return;
  }
  if (nameOf(bound) === nameOf(log)) return;
  throw new PlainError(
    `what is in ${home.directory} was made from ${nameOf(bound)}, and not from ${nameOf(log)}. ` +
      "Set GAVEL_HOME to another directory for a log of its own.",
  );
}

function boundLog(home: Home, file: string): LogIdentity | null {
  if (existsSync(file)) {
    const parsed = identitySchema.safeParse(jsonOf(readFileSync(file, "utf8")));
    if (parsed.success) return parsed.data;
    throw new PlainError(`${file} is not what npm start wrote.`);
  }
  // From before homes told: there was only the embedded log.
  return existsSync(home.log) || existsSync(home.objects) ? { kind: "sqlite" } : null;
}

function nameOf(log: LogIdentity): string {
  return log.kind === "sqlite" ? "its embedded log" : `the Kafka cluster ${log.clusterId}`;
}
