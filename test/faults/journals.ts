/** Small journals, drawn by fast-check, in which everything meets everything: few ids, few times. */
import fc from "fast-check";
import { eventTypes } from "../../src/topics.ts";
import type { LogRecord } from "../../src/kafka/port.ts";

const hour = 3_600_000;
/** All times of a journal lie around this one. */
const epoch = Date.UTC(2026, 0, 1);

/** Mostly moments apart, sometimes days: the windows of stream time are hours long. */
const moment = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }).map((step) => step * 100) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }).map((step) => step * hour) },
);
const itemId = fc.constantFrom("a", "b", "c");
const person = fc.constantFrom("ann", "bob", "cem", "sue");
const time = (at: number): string => new Date(epoch + at).toISOString();

interface Draft {
  readonly type: string;
  readonly itemId: string;
  readonly data: object;
}

const opening = fc
  .record(
    {
      itemId,
      sellerId: fc.constant("sue"),
      title: fc.string({ minLength: 1, maxLength: 5 }),
      category: fc.constantFrom("art", "toys"),
      currency: fc.constantFrom("EUR", "USD"),
      startingPrice: fc.integer({ min: 0, max: 5 }),
      endsAt: moment.map(time),
      reserve: fc.integer({ min: 0, max: 15 }),
      increment: fc.integer({ min: 1, max: 4 }),
      startsAt: moment.map(time),
      attributes: fc.constant({ size: 1 }),
      // Around the offsets of listings, so that the relay's duplicates are among them.
      itemsOffset: fc.integer({ min: 0, max: 12 }),
      listing: fc.record({ source: fc.constant("/listings"), id: fc.constantFrom("1", "2") }),
      rules: fc.constant(1),
      graceMs: fc.constantFrom(0, 500),
      earlyBidWaitMs: fc.constantFrom(0, 800, hour),
      retentionMs: fc.constantFrom(0, 30 * hour),
      itemsGap: fc.constantFrom({ from: 0, to: 2 }, { from: 3, to: 4 }),
    },
    {
      requiredKeys: [
        "itemId",
        "sellerId",
        "title",
        "category",
        "currency",
        "startingPrice",
        "endsAt",
        "itemsOffset",
        "listing",
        "rules",
        "graceMs",
        "earlyBidWaitMs",
        "retentionMs",
      ],
    },
  )
  .map(({ startsAt, ...terms }): Draft => {
    // The edge takes no item that ends before it starts.
    const starts = startsAt !== undefined && startsAt < terms.endsAt ? { startsAt } : {};
    return { type: eventTypes.itemOpened, itemId: terms.itemId, data: { ...terms, ...starts } };
  });

const bid = fc
  .record(
    {
      itemId,
      bidderId: person,
      amount: fc.integer({ min: 1, max: 30 }),
      currency: fc.constantFrom("EUR", "EUR", "EUR", "USD"),
      bidId: fc.constantFrom("x", "y"),
    },
    { requiredKeys: ["itemId", "bidderId", "amount", "currency"] },
  )
  .map((data): Draft => ({ type: eventTypes.bidPlaced, itemId: data.itemId, data }));

const withdrawal = itemId.map((id): Draft => ({
  type: eventTypes.itemWithdrawn,
  itemId: id,
  data: { itemId: id },
}));
const tick = itemId.map((id): Draft => ({ type: eventTypes.tick, itemId: id, data: {} }));
const unreadable = fc.constantFrom<Draft>(
  { type: eventTypes.bidPlaced, itemId: "a", data: { itemId: "a", amount: "5" } },
  { type: eventTypes.itemOpened, itemId: "a", data: { itemId: "a" } },
  { type: eventTypes.itemOpened, itemId: "a", data: { itemsOffset: 9, itemsGap: { from: 5, to: 9 } } },
  { type: "", itemId: "a", data: {} },
);

const draft = fc.oneof(
  { weight: 3, arbitrary: opening },
  { weight: 12, arbitrary: bid },
  { weight: 1, arbitrary: withdrawal },
  { weight: 2, arbitrary: tick },
  { weight: 1, arbitrary: unreadable },
);

const identity = fc.record({
  id: fc.integer({ min: 1, max: 12 }).map(String),
  source: fc.constantFrom("/one", "/two"),
  subject: fc.option(fc.constantFrom("ann", "sue"), { nil: undefined }),
});

/** A journal with offsets that have gaps, as transactions' markers leave them. */
export const journals: fc.Arbitrary<LogRecord[]> = fc
  .array(fc.tuple(draft, identity, moment, fc.integer({ min: 1, max: 12 })), { maxLength: 70, size: "max" })
  .map((drafts) => {
    let offset = -1;
    return drafts.map(([{ type, itemId: key, data }, { id, source, subject }, at, step]) => {
      offset += step === 12 ? 3 : 1;
      const edge = { receivedAt: time(at), credential: "key", ...(subject !== undefined && { subject }) };
      const headers = { ce_id: id, ce_source: source, ce_type: type };
      return {
        topic: "auction.bids",
        partition: 3,
        offset,
        timestamp: epoch + at,
        key,
        value: JSON.stringify({ ...data, edge }),
        headers: Object.entries(headers)
          .filter(([, value]) => value !== "")
          .map(([name, value]) => ({ key: name, value })),
      };
    });
  });
