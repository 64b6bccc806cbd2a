import type { PublishedAuction } from "./auctions.ts";
import type { Completed } from "./completed.ts";

/** Compares what came out of the log with what eBay published, auction by auction. */
export function priceTable(
  auctions: readonly PublishedAuction[],
  completed: ReadonlyMap<string, Completed>,
): string {
  const rows = auctions.map((auction) => {
    const result = completed.get(auction.id);
    const price = result?.price;
    return { auction, result, price, same: price === auction.closingPrice };
  });
  const lines = rows.map(({ auction, result, price, same }) =>
    [
      auction.id.padEnd(10),
      auction.category.padEnd(10),
      String(auction.bids.length).padStart(5),
      String(result?.bids ?? 0).padStart(8),
      money(price).padStart(10),
      money(auction.closingPrice).padStart(10),
      same ? "" : "  differs",
    ]
      .join(" ")
      .trimEnd(),
  );
  const total = auctions.reduce((sum, { bids }) => sum + bids.length, 0);
  const accepted = [...completed.values()].reduce((sum, { bids }) => sum + bids, 0);
  const matching = rows.filter(({ same }) => same).length;
  const differing = rows.filter(({ same }) => !same).map(({ auction }) => auction.id);
  return [
    "auction    category    bids accepted      price  published",
    ...lines,
    "",
    `${total} bids: ${accepted} accepted, ${total - accepted} rejected`,
    `closing prices as published: ${matching} of ${auctions.length}`,
    ...(differing.length > 0 ? [`differing: ${differing.join(", ")}`] : []),
  ].join("\n");
}

function money(cents: number | undefined): string {
  return cents === undefined ? "unsold" : (cents / 100).toFixed(2);
}
