import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "./failure.ts";

/** Which gateway, and by which key. */
export interface Target {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
}

export interface TargetFlags {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const localSchema = z.object({ url: z.string(), keys: z.object({ operator: z.string() }) });

/**
 * From the flags, else the environment, else what `npm start` wrote. A key of this machine is for
 * the gateway of this machine: an address from elsewhere needs a key from elsewhere.
 * @throws {UsageError} which names no key
 */
export function findTarget(flags: TargetFlags, environment: Environment): Target {
  const url = flags.url ?? (environment["GAVEL_URL"] || undefined);
  const key = flags.key ?? (environment["GAVEL_KEY"] || undefined);
  const local = url === undefined ? readLocal(environment) : undefined;
  const address = url ?? local?.url;
  if (address === undefined)
    throw new UsageError("Say which gateway: --url, GAVEL_URL, or start one with npm start");
  const bearer = key ?? local?.keys.operator;
  if (bearer === undefined)
    throw new UsageError("Say which key: --key or GAVEL_KEY, of one with the scope operate");
  return { url: addressOf(address), key: keyOf(bearer) };
}

function readLocal(environment: Environment): z.output<typeof localSchema> | undefined {
  try {
    const text = readFileSync(join(environment["GAVEL_HOME"] || ".gavel", "local.json"), "utf8");
    return localSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function addressOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new UsageError("The gateway's address is a URL, such as https://gavel.example.com");
  if (url.username !== "" || url.password !== "")
    throw new UsageError("The gateway's address holds no credentials; the key goes by itself");
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

function keyOf(text: string): string {
  // What no header can carry is not repeated either.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new UsageError("The key is not one: it has spaces, or characters that are not of ASCII");
}
