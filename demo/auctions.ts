import { readFileSync } from "node:fs";

/** One row of the file: a bid as eBay showed it. Money in cents, times in milliseconds. */
export interface PublishedBid {
  readonly bidder: string;
  readonly amount: number;
  /** Since the auction's start. */
  readonly at: number;
  /** Line of the file, from 1: ties in time keep the file's order. */
  readonly line: number;
}

export interface PublishedAuction {
  readonly id: string;
  readonly category: string;
  readonly days: number;
  readonly openingPrice: number;
  /** As eBay published it. */
  readonly closingPrice: number;
  readonly bids: readonly PublishedBid[];
}

const header = "auction,category,days,opening_cents,bidder,bid_cents,at_ms,closing_cents";

/**
 * Reads auctions and their bids from a file like `ebay-auctions.csv`.
 * @throws {Error} naming the first line that does not fit.
 */
export function readAuctions(path: string): PublishedAuction[] {
  const [first, ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  if (first !== header) throw new Error(`${path} does not begin with ${header}`);
  const auctions = new Map<string, PublishedAuction & { readonly bids: PublishedBid[] }>();
  for (const [index, line] of lines.entries()) {
    const row = parseLine(line, `${path}:${index + 2}`);
    const auction = auctions.get(row.auction.id);
    const bid = { ...row.bid, line: index + 2 };
    if (auction === undefined) {
      auctions.set(row.auction.id, { ...row.auction, bids: [bid] });
    } else {
      auction.bids.push(bid);
      // One auction's rows disagree about its opening price; the lowest refuses no bid of its own.
      if (row.auction.openingPrice < auction.openingPrice) {
        auctions.set(row.auction.id, { ...auction, openingPrice: row.auction.openingPrice });
      }
    }
  }
  return [...auctions.values()];
}

function parseLine(line: string, where: string) {
  const fields = line.split(",");
  const [id = "", category = "", , , bidder = ""] = fields;
  const number = (index: number): number => {
    const text = fields[index] ?? "";
    if (!/^\d+$/.test(text)) throw new Error(`${where}: field ${index + 1} is no whole number`);
    return Number(text);
  };
  if (fields.length !== 8) throw new Error(`${where}: 8 fields expected, not ${fields.length}`);
  return {
    auction: { id, category, days: number(2), openingPrice: number(3), closingPrice: number(7) },
    bid: { bidder, amount: number(5), at: number(6) },
  };
}
