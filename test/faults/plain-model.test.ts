/** What the guarantees promise holds of the plain model itself, which the product is held against. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventTypes } from "../../src/topics.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { journals } from "./journals.ts";
import { decode } from "./plain-decoding.ts";
import { accepted } from "./plain-item.ts";
import type { PlainItem } from "./plain-item.ts";
import { PlainModel } from "./plain-model.ts";

const runs = 1_000;

function everyItem(check: (item: PlainItem, model: PlainModel) => void): void {
  fc.assert(
    fc.property(journals, (journal) => {
      const model = PlainModel.of(journal);
      for (const item of model.items.values()) check(item, model);
    }),
    { numRuns: runs },
  );
}

describe("the plain model", () => {
  test("accepts only bids that reach the start and exceed the highest by the increment", () => {
    expect.hasAssertions();
    everyItem((item) => {
      let least = item.opening.startingPrice;
      for (const { amount, at } of accepted(item)) {
        expect(amount).toBeGreaterThanOrEqual(least);
        expect(at).toBeLessThan(item.endsAt);
        least = amount + (item.opening.increment ?? 1);
      }
    });
  });

  test("completes an item once, and tells each of its bidders once who won", () => {
    expect.hasAssertions();
    everyItem((item, model) => {
      const told = (...types: string[]): unknown[] =>
        model.outputs
          .filter(({ type, data }) => types.includes(type) && data["itemId"] === item.opening.itemId)
          .map(({ data }) => data["bidderId"]);
      const isComplete = item.status !== "open";
      expect(told(eventTypes.itemCompleted)).toHaveLength(isComplete ? 1 : 0);
      const bidders = new Set(isComplete ? accepted(item).map(({ bidderId }) => bidderId) : []);
      const wonOrLost = told(eventTypes.bidderWon, eventTypes.bidderLost);
      expect(wonOrLost).toHaveLength(bidders.size);
      expect(new Set(wonOrLost)).toEqual(bidders);
    });
  });

  test("decides the same when openings are relayed more than once", () => {
    const relayedAgain = journals.map((journal) => ({ journal, again: journal.flatMap(twice) }));
    fc.assert(
      fc.property(relayedAgain, ({ journal, again }) => {
        expect(outputsOf(again)).toEqual(outputsOf(journal));
      }),
      { numRuns: runs },
    );
  });
});

function twice(record: LogRecord): LogRecord[] {
  return decode(record).kind === "opening" ? [record, record] : [record];
}

function outputsOf(journal: readonly LogRecord[]): object[] {
  return PlainModel.of(journal).outputs;
}
