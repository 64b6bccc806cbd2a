/**
 * What the examples of the document tell of: one auction. Their times count from `exampleNow`;
 * whoever sends an example moves them by as much as the clock is ahead of it.
 */
export const exampleNow = "2026-11-25T12:00:00.000Z";

export const itemId = "lamp-1";

export const item = {
  itemId,
  sellerId: "ayse",
  title: "A lamp of brass",
  category: "lamps",
  currency: "EUR",
  startingPrice: 1000,
  reserve: 2000,
  increment: 50,
  endsAt: "2026-11-25T13:00:00.000Z",
  attributes: { material: "brass", year: 1931, works: true },
};

export const bid = { itemId, bidderId: "ben", amount: 1500, currency: "EUR" };
