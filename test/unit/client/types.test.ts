import { expect, test } from "vitest";
import type { z } from "zod";
import type { Bid, CellStats, FinishedAuction, Item, WindowStats } from "../../../client/types.ts";
import type { CompletedAuction } from "../../../src/functions/completed-event.ts";
import { bidSchema, itemSchema } from "../../../src/ingest/schemas.ts";
import { mergeCells, mergeWindows } from "../../../src/routes/merge-stats.ts";

// The compiler holds that one side is what the other is; what runs holds that no field is missing.

/** Without the `undefined` that an optional field of a schema may have and JSON has not. */
type Json<Value> = Value extends object
  ? { [Name in keyof Value]: Json<Exclude<Value[Name], undefined>> }
  : Value;

test("an item and a bid have the fields that the gateway's schemas have, and their types", () => {
  const item: Required<Item> = {
    itemId: "lamp-1",
    sellerId: "ada",
    title: "A lamp",
    category: "lamps",
    currency: "EUR",
    startingPrice: 1000,
    endsAt: "2027-01-01T00:00:00.000Z",
    description: "of brass",
    attributes: { height: 40, isOld: true, maker: "unknown" },
    reserve: 2000,
    increment: 50,
    startsAt: "2026-12-01T00:00:00.000Z",
  };
  const bid: Required<Bid> = { itemId: "lamp-1", bidderId: "lin", amount: 1100, currency: "EUR", bidId: "b" };
  const [items, bids]: [z.input<typeof itemSchema>, z.input<typeof bidSchema>] = [item, bid];
  const [toItem, toBid] = [items as Json<typeof items>, bids as Json<typeof bids>] satisfies [Item, Bid];
  expect(Object.keys(toItem).toSorted()).toEqual(Object.keys(itemSchema.shape).toSorted());
  expect(Object.keys(toBid).toSorted()).toEqual(Object.keys(bidSchema.shape).toSorted());
  expect(itemSchema.parse(item)).toEqual(item);
  expect(bidSchema.parse(bid)).toEqual(bid);
});

test("statistics and finished auctions have the types of what the routes answer", () => {
  const row = { start: 0, category: "lamps", currency: "EUR", bids: 2, highest: null, hottest: [] };
  const windows: WindowStats["windows"] = mergeWindows([[{ ...row, bidders: { exact: [1, 2] } }]]);
  expect(windows).toEqual([{ ...row, start: "1970-01-01T00:00:00.000Z", bidders: 2 }]);
  const cells: CellStats["cells"] = mergeCells([], 5);
  expect(cells).toEqual([]);
  const completed = { itemId: "lamp-1", outcome: "unsold" } as Json<CompletedAuction>;
  const auction: FinishedAuction = completed;
  expect(auction.outcome).toBe("unsold");
});
