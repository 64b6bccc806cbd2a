import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freshHome, npmStart } from "./support/home.ts";
import { item, send } from "./support/http.ts";
import { readTopic } from "./support/log-reader.ts";

/** Addresses of clients, and of a client behind a proxy: kept for documentation, nobody's. */
const addresses = ["203.0.113.77", "198.51.100.23", "2001:db8:77::1"] as const;

const headers = {
  "cf-connecting-ip": addresses[0],
  "x-real-ip": addresses[0],
  "x-forwarded-for": `${addresses[1]}, ${addresses[0]}`,
  forwarded: `for="[${addresses[2]}]"`,
  "cf-connecting-ipv6": addresses[2],
};

/** Every byte that Gavel has on disk: the log, the objects' databases and their journals. */
function onDisk(home: string): Buffer {
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // The bundle is code: it holds no client's bytes.
    .filter((path) => !path.startsWith(join(home, "run", "worker")));
  return Buffer.concat(files.map((path) => readFileSync(path)));
}

test("a client's address is in no record, no log line and no file", async () => {
  const home = freshHome();
  const gavel = await npmStart({ home });
  const { url, keys, bridge } = gavel.local;
  const bid = { itemId: "lamp", bidderId: "lin", amount: 100, currency: "EUR" };
  const answers = [
    await send(`${url}/v1/items`, keys.trusted, item("lamp", 600_000), headers),
    await send(`${url}/v1/bids`, keys.trusted, bid, { ...headers, prefer: "wait=5" }),
    await send(`${url}/v1/bids`, keys.client, { ...bid, bidderId: "ada" }, { ...headers, prefer: "wait=5" }),
    await send(`${url}/v1/bids`, keys.backend, { ...bid, amount: "much" }, headers),
    await send(`${url}/v1/items/lamp`, "gvl_nobody_0", undefined, headers),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 200, 200, 422, 401]);
  const topics = ["auction.items", "auction.bids", "auction.notifications"];
  const records = await Promise.all(topics.map((topic) => readTopic(bridge, topic)));
  await gavel.stop();
  const written = {
    answers: JSON.stringify(answers.map(({ body, headers: sent }) => [body, [...sent]])),
    records: JSON.stringify(records),
    printed: gavel.output(),
    files: onDisk(home).toString("latin1"),
  };
  for (const text of Object.values(written)) {
    // What is searched is really there: each has heard of the requests.
    expect(text).toMatch(/lamp|route/);
    for (const address of addresses) expect(text).not.toContain(address);
  }
});
