import { expect, test } from "vitest";
import { decodeJournalRecord } from "../../../src/auction/decode.ts";
import { openingOf } from "../../../src/auction/opening.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { eventTypes, topics } from "../../../src/topics.ts";

const received = Date.UTC(2026, 0, 2);

function journalRecord(type: string, data: object, timestamp: number): LogRecord {
  const edge = { receivedAt: new Date(received).toISOString(), credential: "test" };
  const headers = [
    { key: "ce_id", value: "1" },
    { key: "ce_source", value: "/tests" },
    { key: "ce_type", value: type },
  ];
  const value = JSON.stringify({ itemId: "lamp", ...data, edge });
  return { topic: topics.journal, partition: 0, offset: 7, timestamp, key: "lamp", value, headers };
}

const tickAt = (timestamp: number) => decodeJournalRecord(journalRecord(eventTypes.tick, {}, timestamp));

test("a time more than five seconds ahead of its acceptance is not read: it would close auctions early", () => {
  expect(tickAt(received + 5_000).kind).toBe("tick");
  expect(tickAt(received + 5_001).kind).toBe("unreadable");
  expect(tickAt(received - 40 * 86_400_000).kind).toBe("tick");
});

test.each([-1, 8.64e15 + 1, Number.MAX_SAFE_INTEGER])(
  "a timestamp of %d is not read, and throws nowhere",
  (timestamp) => {
    expect(tickAt(timestamp).kind).toBe("unreadable");
    const settings = { graceMs: 1, earlyBidWaitMs: 1, retentionMs: 1 };
    const item = { ...journalRecord(eventTypes.itemListed, {}, timestamp), topic: topics.items };
    const opening = openingOf(item, settings, { journal: topics.journal, source: "/groups/auction/0" });
    const event = decodeJournalRecord({ ...opening, offset: 1 });
    expect(event).toMatchObject({ kind: "unreadable", itemsOffset: 7 });
  },
);

test("an item that ends beyond the year 9999 is not read: its closing could not be written", () => {
  const terms = { sellerId: "sue", title: "x", category: "c", currency: "EUR", startingPrice: 1 };
  const settings = { itemsOffset: 1, rules: 1, graceMs: 1, earlyBidWaitMs: 1, retentionMs: 1 };
  const opening = { ...terms, ...settings, listing: { source: "/tests", id: "1" } };
  const of = (endsAt: string) =>
    decodeJournalRecord(journalRecord(eventTypes.itemOpened, { ...opening, endsAt }, received));
  expect(of("9999-12-31T23:59:59.999Z").kind).toBe("opening");
  expect(of("+275760-09-13T00:00:00.000Z").kind).toBe("unreadable");
});
