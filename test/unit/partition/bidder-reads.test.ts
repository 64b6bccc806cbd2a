import { expect, test } from "vitest";
import type { BidderBidsQuery } from "../../../durable-objects/rpc.ts";
import { bid, listing, pushOf, startsAt, World } from "./core-world.ts";

const dayMs = 24 * 60 * 60 * 1_000;

async function started(): Promise<World> {
  const world = new World();
  await world.core.start();
  return world;
}

/** What a bidder is told: `{item} {amount} {status}`, and why where it was rejected. */
async function told(world: World, bidderId: string, query: Partial<BidderBidsQuery> = {}): Promise<string[]> {
  const { bids } = await world.core.readBidderBids({ bidderId, limit: 100, ...query });
  return bids.map(({ view: { itemId, amount, status, reason } }) => {
    return [itemId, amount, status, ...(reason === undefined ? [] : [reason])].join(" ");
  });
}

test("a bidder's bids are winning or outbid while their items are open, and won or lost from then on", async () => {
  const world = await started();
  const endsAt = startsAt + 60_000;
  for (const itemId of ["lamp", "vase", "desk"]) await world.list(itemId, endsAt);
  await world.bid("lamp", "ann", 10);
  await world.bid("lamp", "ben", 20);
  await world.bid("vase", "ann", 30);
  await world.bid("lamp", "ann", 5);
  await world.bid("desk", "ann", 40);
  await world.bid("desk", "ann", 50);
  expect(await told(world, "ann")).toEqual([
    "desk 50 winning",
    "desk 40 outbid",
    "lamp 5 rejected too-low",
    "vase 30 winning",
    "lamp 10 outbid",
  ]);
  expect(await told(world, "ben")).toEqual(["lamp 20 winning"]);
  expect(await told(world, "cem")).toEqual([]);
  expect(await told(world, "ann", { status: "winning" })).toEqual(["desk 50 winning", "vase 30 winning"]);
  expect(await told(world, "ann", { status: "lost" })).toEqual([]);

  await world.core.push(pushOf("journal", [world.log.append(bid("nowhere", "cem", 1, endsAt + 10_000))]));
  expect(await told(world, "ann")).toEqual([
    "desk 50 won",
    "desk 40 lost",
    "lamp 5 rejected too-low",
    "vase 30 won",
    "lamp 10 lost",
  ]);
  expect(await told(world, "ann", { status: "lost" })).toEqual(["desk 40 lost", "lamp 10 lost"]);
  expect(await told(world, "ben", { status: "won" })).toEqual(["lamp 20 won"]);
});

test("a bid is told with its item, place and currency, and a rejected one without a currency", async () => {
  const world = await started();
  await world.list("lamp", startsAt + 60_000);
  const taken = await world.bid("lamp", "ann", 10);
  const refused = await world.bid("lamp", "ann", 10);
  const { bids, rest } = await world.core.readBidderBids({ bidderId: "ann", limit: 10 });
  expect(rest).toBeUndefined();
  const common = { itemId: "lamp", amount: 10, partition: 0 };
  const at = [refused, taken].map(({ timestamp }) => new Date(timestamp).toISOString());
  const ids = [refused, taken].map(({ headers }) => headers.find(({ key }) => key === "ce_id")?.value);
  expect(bids.map(({ view }) => view)).toEqual([
    { ...common, at: at[0], bidId: ids[0], status: "rejected", reason: "too-low", offset: refused.offset },
    { ...common, at: at[1], bidId: ids[1], status: "winning", currency: "EUR", offset: taken.offset },
  ]);
});

test("bids are told alike after a restart, and not any more once their item has left", async () => {
  const world = await started();
  await world.list("lamp", startsAt + 60_000);
  await world.list("vase", startsAt + 9 * dayMs);
  for (const amount of [1, 2, 3]) await world.bid("lamp", "ann", amount);
  await world.bid("vase", "ann", 7);
  const before = await told(world, "ann");
  expect(before).toEqual(["vase 7 winning", "lamp 3 winning", "lamp 2 outbid", "lamp 1 outbid"]);
  await world.restart();
  expect(await told(world, "ann")).toEqual(before);
  for (const later of [startsAt + dayMs, startsAt + 3 * dayMs, startsAt + 5 * dayMs]) {
    await world.core.push(pushOf("journal", [world.log.append(bid("vase", "ben", 8, later))]));
  }
  expect(await told(world, "ann")).toEqual(["vase 7 outbid"]);
});

/** A partition with many bids of one bidder, the last ones of another. */
async function withBids(count: number, last: number): Promise<World> {
  const world = await started();
  await world.list("lamp", startsAt + 60_000);
  const records = Array.from({ length: count + last }, (_, index) => {
    return world.log.append(bid("lamp", index < count ? "ann" : "ben", index + 1, startsAt));
  });
  for (let start = 0; start < records.length; start += 1_000) {
    await world.core.push(pushOf("journal", records.slice(start, start + 1_000)));
  }
  return world;
}

test("a page of a bidder with very many bids reads the page's own, and all pages together read each once", async () => {
  const count = 40_000;
  const world = await withBids(count, 1);
  await world.restart();
  let reads = 0;
  const all = world.storage.all.bind(world.storage);
  world.storage.all = (...asked) => {
    reads += 1;
    return all(...asked) as never;
  };
  const page = await world.core.readBidderBids({ bidderId: "ann", limit: 51, through: 20_000 });
  expect(page.bids.map(({ number }) => number)).toEqual(
    Array.from({ length: 51 }, (_, index) => 20_000 - index),
  );
  expect(page.rest?.through).toBe(20_000 - 51);
  // The item and its terms, a run's filter and directory, a slice or two, and two pages of entries.
  expect(reads).toBeLessThanOrEqual(8);
  expect(await readAll(world)).toBe(count);
  // A partition that is older than the index begins without one.
  for (const table of ["bidder_runs", "bidder_slices"]) world.storage.run(`DELETE FROM ${table}`);
  await world.restart();
  await world.bid("lamp", "ann", count + 2);
  expect(await readAll(world)).toBe(count + 1);
});

async function readAll(world: World): Promise<number> {
  let [seen, through] = [0, Number.MAX_SAFE_INTEGER];
  while (through > 0) {
    const page = await world.core.readBidderBids({ bidderId: "ann", limit: 200, through });
    seen += page.bids.length;
    through = page.rest?.through ?? 0;
  }
  return seen;
}

test("a filter that matches nothing looks at a bounded number of bids, and says where to go on", async () => {
  const world = await withBids(2_000, 1);
  const steps: number[] = [];
  let through: number | undefined;
  do {
    const query = { bidderId: "ann", limit: 10, status: "winning" as const };
    const page = await world.core.readBidderBids(through === undefined ? query : { ...query, through });
    expect(page.bids).toEqual([]);
    through = page.rest?.through;
    if (through !== undefined) steps.push(through);
  } while (through !== undefined);
  expect(steps).toEqual([1_500, 1_000, 500]);
});

test("an item listed and bid on in one push has its bids told like any other", async () => {
  const world = await started();
  const early = world.log.append(bid("lamp", "ann", 9, startsAt));
  await world.core.push(pushOf("journal", [early]));
  expect(await told(world, "ann")).toEqual([]);
  const listed = world.log.append(listing("lamp", startsAt, startsAt + 60_000));
  await world.core.push(pushOf("items", [listed]));
  expect(await told(world, "ann")).toEqual(["lamp 9 winning"]);
});
