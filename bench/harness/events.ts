/** Items and bids of the benchmarks, as plain bodies and as the records that Gavel makes of them. */
const bidders = 50_000;

export function itemBody(itemId: string, endsAt: number, listed: number): string {
  const category = `category-${listed % 10}`;
  return (
    `{"itemId":"${itemId}","sellerId":"seller-${listed % 1000}","title":"Lot ${itemId}","category":"${category}",` +
    `"currency":"EUR","startingPrice":100,"endsAt":"${new Date(endsAt).toISOString()}"}`
  );
}

export function bidBody(itemId: string, bidder: number, amount: number): string {
  return `{"itemId":"${itemId}","bidderId":"bidder-${bidder}","amount":${amount},"currency":"EUR"}`;
}

/** Bidders in an order without a pattern that a cache could profit from. */
export function bidderOf(index: number): number {
  return (Math.imul(index, 0x9e3779b1) >>> 0) % bidders;
}
