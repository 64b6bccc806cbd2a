import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { readAuctions } from "../../demo/auctions.ts";
import { bids, endOfTime, listings, tick } from "../../demo/events.ts";
import { Gateway } from "../../demo/gateway.ts";
import type { AnalysisResult } from "../../src/functions/market-analysis/result.ts";
import { acceptedBids } from "../support/accepted-bids.ts";
import { freshHome, killEverything, npmStart } from "./support/home.ts";

const graceMs = 2_000;
const published = readAuctions("demo/ebay-auctions.csv");

/** Lists the auctions in the past, bids on them and lets them end. */
async function replay(gateway: Gateway): Promise<void> {
  const epoch = Date.now() - 3_600_000 - endOfTime(0, published, graceMs);
  const places = await gateway.publish(listings(published, epoch), () => undefined);
  for (const [index, { id }] of published.entries()) {
    const place = places[index];
    if (place !== undefined) expect(await gateway.itemStatus(id, place)).toBe("open");
  }
  await gateway.publish(bids(published, epoch), () => undefined);
  const items = new Map(places.map(({ partition }, index) => [partition, published[index]?.id ?? ""]));
  const end = endOfTime(epoch, published, graceMs);
  await gateway.publish(
    [...items.values()].map((item) => tick(item, end)),
    () => undefined,
  );
}

/** What has to come out, computed from the published bids. */
function expectedOf(category: string) {
  const accepted = acceptedBids(published.filter((auction) => auction.category === category));
  const prices = [...Map.groupBy(accepted, ({ auction }) => auction).values()]
    .map((all) => Math.max(...all.map(({ amount }) => amount)))
    .toSorted((one, other) => one - other);
  const auctionsOf = [...Map.groupBy(accepted, ({ bidder }) => bidder)].map(
    ([bidder, all]) => [bidder, new Set(all.map(({ auction }) => auction)).size] as const,
  );
  const pairs = auctionsOf.reduce((sum, [, auctions]) => sum + auctions, 0);
  const [most] = auctionsOf.toSorted(([one, more], [other, fewer]) => fewer - more || (one < other ? -1 : 1));
  return {
    auctions: published.filter((auction) => auction.category === category).length,
    sold: prices.length,
    prices: [
      {
        currency: "USD",
        error: 0,
        min: prices[0],
        p50: prices[Math.ceil(prices.length / 2) - 1],
        p95: prices[Math.ceil(prices.length * 0.95) - 1],
        max: prices.at(-1),
      },
    ],
    bidders: {
      distinct: auctionsOf.length,
      onThreeOrMore: auctionsOf.filter(([, auctions]) => auctions >= 3).length,
      ...{ pairs, expectedPairs: pairs },
      most: expect.arrayContaining([{ bidderId: most?.[0], auctions: most?.[1] }]) as unknown,
    },
  };
}

it("analyses the real auctions as they were bid on, also where everything is killed meanwhile", async () => {
  const home = freshHome();
  const first = await npmStart({ home });
  await replay(new Gateway(first.local.url, first.local.keys.trusted));
  killEverything(first, home);
  await first.ended;
  const { local } = await npmStart({ home });
  const headers = { authorization: `Bearer ${local.keys.backend}` };
  for (const category of new Set(published.map((auction) => auction.category))) {
    const expected = expectedOf(category);
    let found: AnalysisResult | undefined;
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(500)) {
      const response = await fetch(`${local.url}/v1/analyses/${category}`, { headers });
      if (response.ok) found = (await response.json()) as AnalysisResult;
      if (found?.bidders.pairs === expected.bidders.pairs && found.auctions === expected.auctions) break;
    }
    expect(found).toMatchObject(expected);
  }
});
