import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { PlainError } from "./problem.ts";

const localFileSchema = z.object({
  url: z.string(),
  bridge: z.object({ url: z.string(), username: z.string(), password: z.string() }),
  keys: z.object({
    client: z.string(),
    backend: z.string(),
    trusted: z.string(),
    operator: z.string(),
  }),
  subjects: z.object({ client: z.string() }),
});

/** `local.json`: where everything is and the keys to it, for people, scripts and tests. */
export type LocalFile = z.infer<typeof localFileSchema>;

/** What stays from one start to the next; only the addresses may change. */
export type LocalSecrets = Pick<LocalFile, "keys" | "subjects"> & {
  readonly bridge: Pick<LocalFile["bridge"], "username" | "password">;
};

/** Paths under the home directory. */
export interface Home {
  readonly directory: string;
  readonly localFile: string;
  /** The bridge's embedded log. */
  readonly log: string;
  /** SQLite files of the Durable Objects and of the database. */
  readonly objects: string;
  /** What belongs to running processes; nothing in it outlives them in value. */
  readonly run: string;
}

/** Makes the directory where it is missing, readable by its owner alone, since it holds keys. */
export function openHome(path: string): Home {
  try {
    mkdirSync(join(path, "run"), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new PlainError(`GAVEL_HOME ${path} cannot be written: ${String(error)}`);
  }
  // The real path: processes of this home are told by it, however the home is spelled.
  const directory = realpathSync(path);
  return {
    directory,
    localFile: join(directory, "local.json"),
    log: join(directory, "log.sqlite"),
    objects: join(directory, "objects"),
    run: join(directory, "run"),
  };
}

/**
 * Claims the home for this process until it ends, in whatever way: SQLite's exclusive lock is one
 * of the operating system's, which a `kill -9` releases and no stale file can feign.
 * @throws {PlainError} when another process holds it.
 */
export function claimHome(home: Home): DatabaseSync {
  const lock = new DatabaseSync(join(home.run, "lock.sqlite"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    writeFileSync(join(home.run, "supervisor.pid"), String(process.pid));
    return lock;
  } catch {
    lock.close();
    throw new PlainError(
      `another npm start is running on ${home.directory}${holder(home)}. Stop it first, or set GAVEL_HOME to another directory.`,
    );
  }
}

/** For the sentence alone: which process to look for. */
function holder(home: Home): string {
  try {
    return ` (process ${readFileSync(join(home.run, "supervisor.pid"), "utf8")})`;
  } catch {
    return "";
  }
}

/** The keys of the first start, or new ones. @throws {PlainError} when the file is not ours. */
export function readSecrets(home: Home): LocalSecrets {
  let text: string;
  try {
    text = readFileSync(home.localFile, "utf8");
  } catch {
    return newSecrets();
  }
  const parsed = localFileSchema.safeParse(jsonOf(text));
  if (parsed.success) return secretsOf(parsed.data);
  throw new PlainError(
    `${home.localFile} is not what npm start wrote. Remove it, and the next start makes new keys.`,
  );
}

/** Without the addresses, which belong to the start that wrote them. */
function secretsOf({ bridge: { username, password }, keys, subjects }: LocalFile): LocalSecrets {
  return { bridge: { username, password }, keys, subjects };
}

/** What a text means as JSON; undefined for what is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function newSecrets(): LocalSecrets {
  // The secret is hexadecimal, so that the key's own separator cannot occur in it.
  const key = (name: keyof LocalFile["keys"]): string => `gvl_${name}_${randomBytes(32).toString("hex")}`;
  return {
    bridge: { username: "gavel", password: randomBytes(32).toString("hex") },
    keys: {
      client: key("client"),
      backend: key("backend"),
      trusted: key("trusted"),
      operator: key("operator"),
    },
    subjects: { client: "ada" },
  };
}

/** Writes `local.json` whole or not at all, readable by its owner alone. */
export function writeLocalFile(home: Home, content: LocalFile): void {
  const draft = join(home.run, "local.json");
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, home.localFile);
}
