import type { LocalFile } from "./home.ts";

const dayMs = 86_400_000;

/**
 * Commands that list an item and bid on it, ready to paste. The item's id and end are made for
 * the moment of printing, so that they work at each start.
 */
export function firstAuction({ url, keys }: LocalFile, now: number): string {
  const itemId = `chair-${now.toString(36)}`;
  const item = {
    itemId,
    sellerId: "grace",
    title: "Oak chair",
    category: "furniture",
    currency: "EUR",
    startingPrice: 10_00,
    endsAt: new Date(now + dayMs).toISOString(),
  };
  const bid = { itemId, bidderId: "ada", amount: 12_50, currency: "EUR" };
  return [
    post(`${url}/v1/items`, keys.backend, [], item),
    post(`${url}/v1/bids`, keys.backend, ["Prefer: wait=5"], bid),
  ].join(" && echo && \\\n");
}

function post(url: string, key: string, headers: readonly string[], body: object): string {
  const lines = [`Authorization: Bearer ${key}`, "Content-Type: application/json", ...headers];
  const options = lines.map((line) => `-H ${quoted(line)}`).join(" ");
  return `curl -sS ${quoted(url)} ${options} \\\n  -d ${quoted(JSON.stringify(body))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
