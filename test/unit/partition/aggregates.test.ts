import { getRes0Cells, latLngToCell } from "h3-js";
import { expect, test } from "vitest";
import type { Entry } from "../../../src/auction/state.ts";
import { StoredAggregates } from "../../../durable-objects/storage/aggregates.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

function bidFrom(number: number, cell: string): Entry {
  return {
    number,
    previous: 0,
    kind: "bid",
    offset: number,
    timestamp: 0,
    itemId: "lamp",
    identity: { subject: "", source: "/tests", id: `event-${number}` },
    reason: null,
    bids: 1,
    highestEntry: 0,
    bidderId: `bidder-${number}`,
    bidId: "",
    amount: 1,
    cell,
    country: "NL",
  };
}

test("with more geocells than are kept, new ones count as their parents, coarse or unreadable ones as they can", () => {
  const aggregates = new StoredAggregates(memoryStorage());
  let number = 0;
  const count = (cell: string): void => aggregates.countCell(bidFrom((number += 1), cell));
  for (let row = 0; row < 64; row += 1)
    for (let column = 0; column < 64; column += 1) count(latLngToCell(row - 32, column * 2 - 64, 5));
  const [coarsest = ""] = getRes0Cells();
  const strangers = [latLngToCell(80, 100, 5), latLngToCell(80, 100, 1), coarsest, "nonsense"];
  for (const cell of strangers) count(cell);
  const counted = aggregates.listCells().slice(-3);
  expect(counted.map(({ cell, bids }) => [cell, bids])).toEqual([
    [latLngToCell(80, 100, 1), 2],
    [coarsest, 1],
    ["", 1],
  ]);
});
