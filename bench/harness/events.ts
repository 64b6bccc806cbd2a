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

/** What a bid's request carries, with what every layer of the edge looks at. */
export function bidHeaders(authorization: string): Readonly<Record<string, string>> {
  return {
    authorization,
    "content-type": "application/json",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    // One of the addresses that documents may use (RFC 5737).
    "cf-connecting-ip": "192.0.2.44",
  };
}
