import { expect, test } from "vitest";
import type { Entry, ItemState } from "../../../src/auction/state.ts";
import {
  addAuction,
  addBid,
  endAuction,
  mergeSamples,
  newSample,
  type Sample,
} from "../../../src/analyses/what-if/sample.ts";

function item(itemId: string, phase: ItemState["phase"] = "open"): ItemState {
  return { itemId, increment: 1, reserve: null, phase } as ItemState;
}

function bid(bidderId: string, amount: number, reason: Entry["reason"] = null): Entry {
  return { kind: "bid", reason, bidderId, amount } as Entry;
}

/** Auctions `from` to `to`, each with ten bids, sold for its number. */
function sampleOf(from: number, to: number): Sample {
  const sample = newSample();
  for (let number = from; number < to; number += 1) {
    addAuction(sample, item(`item-${number}`), 1);
    for (let amount = 1; amount <= 10; amount += 1) addBid(sample, `item-${number}`, bid("bidder", amount));
    endAuction(sample, item(`item-${number}`, "sold"), number);
  }
  return sample;
}

test("more auctions than fit are a sample by chance, whose size is bounded and whose mean is that of all", () => {
  const sample = sampleOf(0, 30_000);
  const prices = Object.values(sample.auctions).map(({ price }) => price ?? 0);
  expect(JSON.stringify(sample).length).toBeLessThan(600_000);
  expect(prices.length).toBeGreaterThan(500);
  expect(sample.finished).toBe(30_000);
  const mean = prices.reduce((sum, price) => sum + price, 0) / prices.length;
  const error = 30_000 / Math.sqrt(12 * prices.length);
  expect(Math.abs(mean - 15_000)).toBeLessThan(4 * error);
  expect(Object.values(sample.auctions).every(({ draw }) => draw < sample.threshold)).toBe(true);
});

test("merged samples are one by the lower threshold, as large as one may be, and count what all have", () => {
  const merged = [sampleOf(5_000, 5_100), sampleOf(10_000, 40_000)].reduce(mergeSamples, sampleOf(0, 5_000));
  expect(JSON.stringify(merged).length).toBeLessThan(1_200_000);
  expect(merged.finished).toBe(35_100);
  const draws = Object.values(merged.auctions).map(({ draw }) => draw);
  expect(Math.max(...draws)).toBeLessThan(merged.threshold);
  const counted = Object.entries(merged.auctions).reduce(
    (sum, [name, { bids }]) => sum + 150 + name.length - 1 + bids.length * (20 + "bidder".length),
    0,
  );
  expect(merged.characters).toBe(counted);
});

test("only bids that could stand are kept, withdrawn auctions are counted and left out, and any id is a name", () => {
  const sample = newSample();
  for (const itemId of ["__proto__", "12", "toString"]) addAuction(sample, item(itemId), 1);
  addBid(sample, "__proto__", bid("ada", 5));
  addBid(sample, "__proto__", bid("lin", 4, "too-low"));
  addBid(sample, "__proto__", bid("eve", 1, "below-start"));
  addBid(sample, "nowhere", bid("ada", 5));
  endAuction(sample, item("12", "withdrawn"), null);
  endAuction(sample, item("__proto__", "sold"), 5);
  expect(Object.keys(sample.auctions)).toEqual(["=__proto__", "=toString"]);
  expect(sample).toMatchObject({ started: 3, finished: 1, withdrawn: 1 });
  const again = JSON.parse(JSON.stringify(sample)) as Sample;
  expect(again.auctions["=__proto__"]).toMatchObject({
    price: 5,
    bids: [
      ["ada", 5],
      ["lin", 4],
    ],
  });
});
