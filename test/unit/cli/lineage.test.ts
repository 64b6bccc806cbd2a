import { expect, it } from "vitest";
import { runAgainst } from "./gateway-world.ts";

const at = (milliseconds: number) => new Date(Date.UTC(2026, 0, 1) + milliseconds).toISOString();
const place = { topic: "auction.bids", partition: 1, offset: 5 };
const output = { ...place, topic: "auction.notifications", offset: 3, type: "gavel.bidder.outbid.v1" };

const answer = {
  ...{ id: "bid/1", source: "/shop", type: "gavel.bid.placed.v1", itemId: "lamp", traceId: null },
  accepted: { at: at(0), credential: "shop", country: "NL" },
  record: { ...place, timestamp: at(0) },
  applied: {
    ...{ group: "auction", partition: 1, status: "applied", position: 5, at: at(10) },
    outcome: { status: "rejected", reason: "too-low" },
    decidedBy: { position: 9, at: at(2_000) },
  },
  produced: [{ ...output, id: "auction.bids/1/9/1", itemId: "lamp", timestamp: at(0), at: null }],
  totals: { produced: 3, unsent: 1 },
  invoked: [
    {
      group: "notify",
      partition: 1,
      function: "shop\u001b[2J",
      event: "x",
      status: "done",
      attempts: 2,
      endedAt: at(61_000),
    },
    { group: "bidders", partition: 1, event: "x", status: "unknown" },
  ],
  repetitions: [],
  complete: true,
};
const path = "GET /v1/events/bid%2F1/lineage";

it("follows an event, a step a line, with what is not known and what is not there yet", async () => {
  const { code, out } = await runAgainst({ [path]: [answer] }, "lineage", "bid/1", "--item", "lamp");
  expect(code).toBe(0);
  const lines = out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | ").trimEnd());
  expect(lines).toEqual([
    "gavel.bid.placed.v1 of lamp, trace unknown",
    "AFTER | STEP | WHERE | WHAT",
    "0 ms | accepted | NL | by shop",
    " | recorded | auction.bids/1/5",
    "2 s | applied | auction/1 | rejected: too-low, decided by 9",
    "? | produced | auction.notifications/1/3 | gavel.bidder.outbid.v1",
    "1 min | invoked | notify/1 | done, 2 attempts: shop\ufffd[2J",
    "? | invoked | bidders/1 | unknown: ?",
    "",
    "1 event of it is not in the log yet.",
    "",
    "1 event of it is not listed.",
    "",
  ]);
});

it("is for programs what the gateway answers, and a refusal is one line", async () => {
  const { out } = await runAgainst({ [path]: [answer] }, "lineage", "bid/1", "--json");
  expect(JSON.parse(out)).toEqual(answer);
  const refused = await runAgainst({ [path]: [404] }, "lineage", "bid/1");
  expect([refused.code, refused.out, refused.err.split("\n").length]).toEqual([1, "", 2]);
});
