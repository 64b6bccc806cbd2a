import { z } from "zod";
import { type apiKey, apiKeysAnswer, newApiKey } from "../answers.ts";
import type { Call, Command, Result } from "../command.ts";
import { UsageError } from "../failure.ts";
import { distance } from "../format.ts";
import { option, parameter } from "../read.ts";
import { table } from "../table.ts";

const path = "/v1/keys";

const columns = [
  { title: "ID", isCut: "late" },
  // Whole: it is what one looks for.
  { title: "SCOPES" },
  { title: "SUBJECT", isCut: "late" },
  { title: "MADE" },
  { title: "BY", isCut: "late" },
  { title: "REVOKED" },
] as const;

export const keys: Command = {
  name: "keys",
  summary: "Lists API keys; makes or revokes one",
  parameters: "[list | create [<id>] --scopes <list> | revoke <id>]",
  least: 0,
  most: 2,
  options: { scopes: { type: "string" }, subject: { type: "string" } },
  help: `A new key is printed once; Gavel keeps its hash alone. Once revoked, it opens
nothing anywhere within a minute, and its id is given to no other key. Those of
the secret API_KEYS are listed too; only a deployment changes them.
  --scopes <list>   items:write, bids:write, read, operate, trusted-time,
                    trusted-proxy, with commas between them
  --subject <id>    the only bidder or seller that its bearer may write`,
  async run(call) {
    const [action = "list", id] = call.parameters;
    if (action === "create") return create(call);
    requireNoOptions(call);
    if (action === "list" && id === undefined) return list(call);
    if (action !== "revoke") throw new UsageError(`keys takes ${keys.parameters}`);
    const revoked = parameter(call, 1);
    await call.gateway.request(z.null(), "DELETE", `${path}/${encodeURIComponent(revoked)}`);
    return { text: `${revoked} is revoked: it opens nothing anywhere within a minute.\n`, json: {} };
  },
};

/** Options of another action are not lost without a word. */
function requireNoOptions({ values }: Call): void {
  if (values["scopes"] === undefined && values["subject"] === undefined) return;
  throw new UsageError("--scopes and --subject are for keys create");
}

async function create(call: Call): Promise<Result> {
  const scopes = option(call, "scopes")?.split(",");
  if (scopes === undefined) throw new UsageError("Say what the key may do: --scopes bids:write,read");
  const answer = await call.gateway.request(newApiKey, "POST", path, {
    id: call.parameters[1],
    scopes,
    subject: option(call, "subject"),
  });
  return { text: `${answer.key}\n`, json: answer };
}

/** All pages: the order is that of the ids. */
async function list({ gateway, now, width }: Call): Promise<Result> {
  const first = await gateway.request(apiKeysAnswer, "GET", path);
  const found = [...first.keys];
  for (let { next } = first; next !== undefined;) {
    const page = await gateway.request(apiKeysAnswer, "GET", `${path}?cursor=${encodeURIComponent(next)}`);
    found.push(...page.keys);
    ({ next } = page);
  }
  const ofSecret = first.keysOfSecret ?? [];
  const rows = [
    ...ofSecret.map(({ id, scopes, subject = "" }) => [id, scopes.join(","), subject, "", "API_KEYS", ""]),
    ...found.map((key) => rowOf(key, now)),
  ];
  const json = { keys: found, keysOfSecret: ofSecret };
  return { text: rows.length === 0 ? "There are no keys.\n" : table(columns, rows, width), json };
}

function rowOf(key: z.output<typeof apiKey>, now: number): string[] {
  const { createdAt, createdBy, id, revokedAt, scopes, subject = "" } = key;
  return [
    id,
    scopes.join(","),
    subject,
    distance(createdAt, now),
    createdBy,
    distance(revokedAt ?? null, now),
  ];
}
