import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reducer } from "../../src/auction/reducer.ts";
import type { Outcome } from "../../src/auction/events.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { covers } from "./covers.ts";
import { journals } from "./journals.ts";
import { MemoryStore } from "./memory-store.ts";
import { decode } from "./plain-decoding.ts";
import { PlainModel } from "./plain-model.ts";
import type { PlainOutput } from "./plain-model.ts";
import { categoryRows, itemView } from "./plain-views.ts";

const runs = Number(process.env["REDUCER_RUNS"] ?? 3_000);

interface Reduced {
  readonly store: MemoryStore;
  /** By offset in the journal, openings' too. */
  readonly outcomes: Map<number, Outcome>;
}

function reduce(journal: readonly LogRecord[]): Reduced {
  const store = new MemoryStore();
  const outcomes = new Map<number, Outcome>();
  let current: LogRecord | undefined;
  const reducer = new Reducer(store, {
    group: "auction",
    topic: "auction.bids",
    itemsTopic: "auction.items",
    partition: 3,
    onOutcome: (topic, offset, outcome) =>
      outcomes.set(topic === "items" ? (current?.offset ?? -1) : offset, outcome),
  });
  for (const record of journal) {
    current = record;
    reducer.apply(record);
  }
  return { store, outcomes };
}

function expectSameOutputs({ store }: Reduced, model: PlainModel): void {
  const plain = ({ topic, type, data }: Pick<PlainOutput, "topic" | "type" | "data">): object => ({
    topic,
    type,
    data,
  });
  // Field by field of the model's; the product may say more, as an error's text.
  for (const [index, expected] of model.outputs.entries()) {
    const output = store.outputs[index];
    if (output !== undefined && covers(plain(output), plain(expected))) continue;
    expect(output && plain(output), `output ${index}`).toMatchObject(plain(expected));
  }
  expect(store.outputs).toHaveLength(model.outputs.length);
}

describe("the reducer and the plain model", () => {
  test("decide the same outputs in the same order", () => {
    fc.assert(
      fc.property(journals, (journal) => expectSameOutputs(reduce(journal), PlainModel.of(journal))),
      { numRuns: runs },
    );
    expect.hasAssertions();
  });

  test("tell the same outcome of every event", () => {
    fc.assert(
      fc.property(journals, (journal) => {
        const { outcomes } = reduce(journal);
        const model = PlainModel.of(journal);
        expect(Object.fromEntries(outcomes)).toMatchObject(Object.fromEntries(model.outcomes));
      }),
      { numRuns: runs },
    );
  });

  test("hold the same items and counts", () => {
    fc.assert(
      fc.property(journals, (journal) => {
        const { store } = reduce(journal);
        const model = PlainModel.of(journal);
        expect(store.state.streamTime).toBe(model.streamTime);
        for (const [itemId, item] of model.items) {
          const departed = model.isForgotten(item);
          expect(store.item(itemId) === undefined).toBe(departed);
          if (!departed) expect(stateView(store, itemId)).toEqual(itemView(item, model));
        }
        for (const { category, currency, grossValue, ...counts } of categoryRows(model)) {
          const { counts: stored } = store.aggregates;
          expect(stored.get(`${category} ${currency} gross`)).toBe(Number(grossValue));
          for (const [name, count] of Object.entries(counts)) {
            expect(stored.get(`${category} ${currency} ${name}`) ?? 0, name).toBe(count);
          }
        }
      }),
      { numRuns: runs },
    );
  });
});

describe("drawn journals", () => {
  test("contain every kind of record, reason and output", () => {
    const seen = new Set<string>();
    for (const journal of fc.sample(journals, { numRuns: 3_000, seed: 1 })) {
      const model = PlainModel.of(journal);
      for (const record of journal) seen.add(decode(record).kind);
      for (const { type } of model.outputs) seen.add(type);
      for (const { reason, duplicate } of model.outcomes.values()) {
        seen.add(reason ?? "accepted");
        if (duplicate) seen.add("duplicate");
      }
      for (const item of model.items.values()) {
        seen.add(item.status);
        if (model.isForgotten(item)) seen.add("forgotten");
      }
    }
    expect([...seen].toSorted()).toEqual(everyKind.toSorted());
  });
});

const everyKind = [
  ...["bid", "withdrawal", "opening", "tick", "undecodable"],
  ...["accepted", "duplicate", "unknown-item", "withdrawn", "not-started", "ended"],
  ...["currency-mismatch", "own-item", "below-start", "too-low", "already-listed", "not-seller"],
  ...["gavel.item.completed.v1", "gavel.bidder.outbid.v1", "gavel.bidder.won.v1"],
  ...["gavel.bidder.lost.v1", "gavel.bidder.rejected.v1", "gavel.dead-letter.v1", "gavel.log.gap.v1"],
  ...["open", "sold", "unsold", "forgotten"],
];

function stateView(store: MemoryStore, itemId: string): object {
  const item = store.item(itemId);
  if (item === undefined) throw new Error(`no item ${itemId}`);
  const { phase: status, highest, bids, rejected, bidders, closedAt } = item;
  const offset = highest?.offset ?? null;
  const standing = highest && { amount: highest.amount, bidderId: highest.bidderId, bidId: highest.bidId };
  return { status, highest: standing, offset, bids, rejected, bidders, closedAt };
}
