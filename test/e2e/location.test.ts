import { expect, test } from "vitest";
import { topics } from "../../src/topics.ts";
import { freshHome, npmStart } from "./support/home.ts";
import { send } from "./support/http.ts";
import { readTopic } from "./support/log-reader.ts";

test("the first requests of a fresh gateway, all at once, each have their client's country", async () => {
  const gavel = await npmStart({ home: freshHome() });
  const { url, keys, bridge } = gavel.local;
  const clients = [
    "193.0.6.139",
    "[2001:67c:2e8:22::c100:68b]:443",
    "::ffff:193.0.6.139",
    "10.0.0.1, 193.0.6.139",
  ];
  const requests = Array.from({ length: 64 }, (_, index) => {
    const bid = { itemId: `lot-${index}`, bidderId: "lin", amount: 100, currency: "EUR" };
    const headers = { "x-forwarded-for": clients[index % clients.length] ?? "" };
    return send(`${url}/v1/bids`, keys.trusted, bid, headers);
  });
  const answers = await Promise.all(requests);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  const records = (await readTopic(bridge, topics.journal)).flat();
  expect(records).toHaveLength(64);
  const places = records.map(({ value }) => {
    const { edge } = JSON.parse(value) as { edge: Record<string, unknown> };
    return `${String(edge["country"])} ${String(edge["cell"])} ${String(edge["colo"])}`;
  });
  expect(new Set(places)).toEqual(new Set(["NL 82196ffffffffff AMS"]));
  // One that is not forwarded is from where the gateway is.
  const own = await send<{ partition: number; offset: number }>(`${url}/v1/bids`, keys.trusted, {
    ...{ itemId: "lot-0", bidderId: "lin", amount: 200, currency: "EUR" },
  });
  const [record] = (await readTopic(bridge, topics.journal))[own.body.partition]?.slice(-1) ?? [];
  expect(record?.value).toContain('"city":"Amsterdam"');
});
