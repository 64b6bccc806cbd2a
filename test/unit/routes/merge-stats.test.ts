import { cellToParent } from "h3-js";
import { describe, expect, test } from "vitest";
import type { CategoryCounts, WindowStats } from "../../../durable-objects/rpc.ts";
import { DistinctCounter } from "../../../src/auction/sketch.ts";
import { mergeCategories, mergeCells, mergeWindows } from "../../../src/routes/merge-stats.ts";

function sketch(...bidders: string[]) {
  const counter = new DistinctCounter();
  for (const bidder of bidders) counter.add(bidder);
  return counter.toSketch();
}

const counts = (more: Partial<CategoryCounts>): CategoryCounts => ({
  category: "lamps",
  currency: "EUR",
  scheduled: 0,
  open: 0,
  sold: 0,
  unsold: 0,
  withdrawn: 0,
  bids: 0,
  grossValue: "0",
  ...more,
});

describe("categories", () => {
  test("are summed over partitions, currencies apart, as of the latest stream time", () => {
    const merged = mergeCategories([
      { asOf: 1_000, categories: [counts({ open: 1, sold: 1, bids: 3, grossValue: "100" })] },
      { asOf: 0, categories: [] },
      {
        asOf: 2_000,
        categories: [counts({ currency: "USD", open: 5 }), counts({ sold: 2, bids: 4, grossValue: "201" })],
      },
    ]);
    expect(JSON.parse(JSON.stringify(merged))).toEqual({
      asOf: "1970-01-01T00:00:02.000Z",
      categories: [
        { ...counts({ open: 1, sold: 3, bids: 7 }), grossValue: 301, averagePrice: 100 },
        { ...counts({ currency: "USD", open: 5 }), grossValue: 0, averagePrice: null },
      ],
    });
  });

  test.each([
    ["5", 2, 3],
    ["4", 3, 1],
    ["0", 2, 0],
    ["18014398509481982", 2, 9007199254740991],
  ])("a gross value of %s over %d items is %d on average, halves up", (grossValue, sold, averagePrice) => {
    const { categories } = mergeCategories([{ asOf: 1, categories: [counts({ sold, grossValue })] }]);
    expect(categories[0]?.averagePrice).toBe(averagePrice);
  });

  test("a gross value beyond 2^53 loses no cent in the JSON", () => {
    const part = { asOf: 1, categories: [counts({ sold: 1, grossValue: "9007199254740993" })] };
    expect(JSON.stringify(mergeCategories([part, part]))).toContain('"grossValue":18014398509481986,');
  });

  test("before any record have no time", () => {
    expect(mergeCategories([{ asOf: 0, categories: [] }])).toEqual({ asOf: null, categories: [] });
  });
});

describe("windows", () => {
  const window = (more: Partial<WindowStats>): WindowStats => ({
    start: 10_000,
    category: "lamps",
    currency: "EUR",
    bids: 1,
    bidders: sketch("ada"),
    highest: { amount: 5, itemId: "a", bidderId: "ada" },
    hottest: [{ itemId: "a", bids: 1 }],
    ...more,
  });

  test("count a bidder of two partitions once, and name the highest and the hottest of all", () => {
    const merged = mergeWindows([
      [window({ bids: 3, bidders: sketch("ada", "ben"), hottest: [{ itemId: "a", bids: 3 }] })],
      [
        window({
          bids: 4,
          bidders: sketch("ben", "cem"),
          highest: { amount: 9, itemId: "z", bidderId: "cem" },
          hottest: [{ itemId: "z", bids: 4 }],
        }),
        window({ start: 0, highest: null, bids: 0 }),
      ],
    ]);
    expect(merged).toEqual([
      expect.objectContaining({ start: "1970-01-01T00:00:00.000Z", bids: 0, highest: null }),
      {
        start: "1970-01-01T00:00:10.000Z",
        category: "lamps",
        currency: "EUR",
        bids: 7,
        bidders: 3,
        highest: { amount: 9, itemId: "z", bidderId: "cem" },
        hottest: [
          { itemId: "z", bids: 4 },
          { itemId: "a", bids: 3 },
        ],
      },
    ]);
  });

  test("say so where the bidders are an estimate", () => {
    const many = sketch(...Array.from({ length: 2_000 }, (_, index) => `bidder-${index}`));
    const [merged] = mergeWindows([[window({ bidders: many })], [window({})]]);
    expect(merged).toMatchObject({ biddersEstimated: true });
    expect(Math.abs((merged?.bidders ?? 0) - 2_001)).toBeLessThan(300);
  });
});

test("cells are as coarse as asked, countries apart, the busiest first", () => {
  const cell = "851f1d4bfffffff";
  const other = "851f1d4ffffffff";
  const parent = cellToParent(cell, 3);
  const partitions = [
    [{ cell, country: "DE", bids: 2, bidders: sketch("ada") }],
    [
      { cell: other, country: "DE", bids: 3, bidders: sketch("ada", "ben") },
      { cell: parent, country: "PL", bids: 9, bidders: sketch("cem") },
    ],
  ];
  expect(mergeCells(partitions, 3)).toEqual([
    { cell: parent, country: "PL", bids: 9, bidders: 1 },
    { cell: parent, country: "DE", bids: 5, bidders: 2 },
  ]);
  expect(mergeCells(partitions, 5)).toHaveLength(3);
});
