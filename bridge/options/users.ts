import { z } from "zod";
import { User } from "../http/auth.ts";
import { allRights, type Grant, grantedRights, isTopicPattern, verbs } from "../http/rights.ts";
import type { Secret } from "../secret.ts";
import { readText, type Sources } from "./sources.ts";

const grant = z.strictObject({
  verbs: z.array(z.enum(verbs)).min(1),
  topics: z.array(z.string().refine(isTopicPattern)).min(1),
});

const entry = z
  .strictObject({
    username: z.string(),
    password: z.string().optional(),
    passwordSha256: z
      .string()
      .regex(/^[\da-f]{64}$/i)
      .optional(),
    rights: z.array(grant),
  })
  .refine(({ password, passwordSha256 }) => (password === undefined) !== (passwordSha256 === undefined));

/**
 * Who may use the bridge: one pair with every right, or a list with rights. Exactly one of the
 * two, so that no forgotten variable opens what a list closes.
 * @throws {Error} with a plain sentence, which names an entry by its place alone.
 */
export function readUsers(from: Sources): readonly User[] {
  const username = from.secretOrFile("BRIDGE_USERNAME");
  const password = from.secretOrFile("BRIDGE_PASSWORD");
  const list = from.secret("BRIDGE_USERS");
  const path = from.text("users-file");
  const given = [username ?? password, list, path].filter((source) => source !== undefined).length;
  if (given > 1) {
    throw new Error("Give one of BRIDGE_USERNAME with BRIDGE_PASSWORD, BRIDGE_USERS and --users-file.");
  }
  if (list !== undefined) return parseUsers(list.reveal(), "BRIDGE_USERS");
  if (path !== undefined) return parseUsers(readText(path, "users-file"), "users-file");
  return [
    User.withPassword(
      required(username, "Set BRIDGE_USERNAME."),
      required(password, "Set BRIDGE_PASSWORD."),
      allRights,
    ),
  ];
}

function required(secret: Secret | undefined, sentence: string): string {
  const text = secret?.reveal() ?? "";
  if (text === "") throw new Error(sentence);
  return text;
}

/** Neither JSON's nor the schema's own messages are passed on: they may quote what they refuse. */
function parseUsers(text: string, source: string): readonly User[] {
  const entries = z.array(z.unknown()).min(1).safeParse(parseJson(text, source));
  if (!entries.success) throw new Error(`${source} must be a JSON array of at least one entry.`);
  const users = entries.data.map((value, index) => userOf(value, `${source}, entry ${index + 1}`));
  if (new Set(users.map(({ username }) => username)).size < users.length) {
    throw new Error(`${source} names one user twice.`);
  }
  return users;
}

function userOf(value: unknown, place: string): User {
  const parsed = entry.safeParse(value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join(".") ?? "";
    throw new Error(
      `${place}${path === "" ? "" : `, ${path}`}: expected {"username", "password" or "passwordSha256", ` +
        `"rights": [{"verbs": [${verbs.map((verb) => `"${verb}"`).join(", ")}], "topics": ["name", "beginning*"]}]}.`,
    );
  }
  const { username, password, passwordSha256, rights } = parsed.data;
  const granted = grantedRights(rights satisfies readonly Grant[]);
  try {
    return passwordSha256 === undefined
      ? User.withPassword(username, password ?? "", granted)
      : User.withDigest(username, passwordSha256, granted);
  } catch (error) {
    throw new Error(`${place}: ${error instanceof Error ? error.message : "unusable"}`, { cause: error });
  }
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${source} is not JSON.`);
  }
}
