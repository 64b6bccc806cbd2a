import { z } from "zod";
import { subscription, subscriptionsAnswer } from "../answers.ts";
import type { Call, Command, Result } from "../command.ts";
import { UsageError } from "../failure.ts";
import { distance } from "../format.ts";
import { parameter } from "../read.ts";
import { printable, table } from "../table.ts";

const columns = [
  { title: "ID" },
  { title: "HOST", isCut: "late" },
  { title: "STATUS" },
  { title: "MADE" },
] as const;

export const subscriptions: Command = {
  name: "subscriptions",
  summary: "Lists subscribers; shows, enables or removes one",
  parameters: "[list | show <id> | enable <id> | remove <id>]",
  least: 0,
  most: 2,
  help: `A subscriber whose calls failed for days, or who answered 410, is disabled;
enabled again, it goes on where it stopped. The list tells hosts alone, since an
address may hold a token. Making one, and its secret: docs/subscriptions.md.`,
  async run(call) {
    const [action = "list"] = call.parameters;
    if (action === "list" && call.parameters.length < 2) return list(call);
    const path = `/v1/subscriptions/${encodeURIComponent(parameter(call, 1))}`;
    switch (action) {
      case "show":
        return shown(await call.gateway.request(subscription, "GET", path));
      case "enable":
        return shown(await call.gateway.request(subscription, "POST", `${path}/enable`));
      case "remove":
        await call.gateway.request(z.null(), "DELETE", path);
        return { text: "Removed.\n", json: {} };
      default:
        throw new UsageError(`subscriptions takes ${subscriptions.parameters}`);
    }
  },
};

async function list({ gateway, now, width }: Call): Promise<Result> {
  const answer = await gateway.request(subscriptionsAnswer, "GET", "/v1/subscriptions");
  if (answer.subscriptions.length === 0) return { text: "There are no subscriptions.\n", json: answer };
  const rows = answer.subscriptions.map(({ createdAt, id, status, url }) => [
    id,
    URL.parse(url)?.host ?? "",
    status,
    distance(createdAt, now),
  ]);
  return { text: table(columns, rows, width), json: answer };
}

function shown(one: z.output<typeof subscription>): Result {
  const rows = Object.entries(one).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const longest = Math.max(...rows.map(([name]) => name?.length ?? 0));
  const lines = rows.map(([name = "", value = ""]) => `${name.padEnd(longest)}  ${printable(value)}\n`);
  return { text: lines.join(""), json: one };
}
