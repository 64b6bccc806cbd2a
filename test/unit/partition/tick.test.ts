import { expect, test } from "vitest";
import { tickAt } from "../../../src/auction/tick.ts";
import { eventTypes } from "../../../src/topics.ts";

const target = { journal: "auction.bids", partition: 3, source: "/groups/auction/3" };

function headersOf(now: number): Record<string, string> {
  return Object.fromEntries(tickAt(now, "lamp", target).headers.map(({ key, value }) => [key, value]));
}

test("a tick carries its time as the edge's own, so that the wall clock is not taken for a trusted one", () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  const tick = tickAt(now, "lamp", target);
  const { edge } = JSON.parse(tick.value) as { edge: { receivedAt: string; credential: string } };
  expect(Date.parse(edge.receivedAt)).toBe(tick.timestamp);
  expect(tick).toMatchObject({ topic: "auction.bids", partition: 3, key: "lamp", timestamp: now });
  expect(headersOf(now)).toMatchObject({ ce_type: eventTypes.tick, ce_subject: "lamp" });
});

test("a tick starts a valid trace of its own, the same one for the same tick", () => {
  const trace = headersOf(1_000).ce_traceparent;
  expect(trace).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
  expect(headersOf(1_000).ce_traceparent).toBe(trace);
  expect(headersOf(2_000).ce_traceparent).not.toBe(trace);
});
