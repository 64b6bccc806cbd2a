import { bidBody, bidderOf, itemBody } from "./events.ts";

/** Of 50 events Nexmark makes 1 person (dropped: Gavel knows no such event), 3 auctions, 46 bids. */
const itemsOfCycle = 3;
const bidsOfCycle = 46;
const perRequest = 1_000;
/** Bids go to the newest items, this many. */
const biddable = 10_000;
/** Half of the bids go to the hot one of each hundred items that came last. */
const hotEvery = 100;
/** How long an item takes bids. The rate decides how many are open: 3,000 items/s leave 10,000. */
const auctionMs = 3_300;
const watched = 64;
const day = 24 * 60 * 60 * 1000;

interface NexmarkRequest {
  readonly kind: "items" | "bids";
  readonly body: string;
  /** Events in the body. */
  readonly count: number;
}

/**
 * Nexmark's mix as bodies of 1,000 items or 1,000 bids, three of the one to 46 of the other.
 * Prices rise, so that most bids stand and displace another bidder, which makes an output each.
 */
export class NexmarkMix {
  #requests = 0;
  #items = 0;
  #bids = 0;

  /** Long-lived items, whose partitions' positions are watched, and the first that take bids. */
  *firstItems(): Generator<string> {
    const now = Date.now();
    const long = Array.from({ length: watched }, (_, index) =>
      itemBody(`watched-${index}`, now + day, index),
    );
    yield `[${long.join(",")}]`;
    // From the moment they are asked for: a slow log may take longer over the first than they last.
    while (this.#items < biddable) yield this.#itemBodies(Date.now() + auctionMs);
  }

  next(now: number): NexmarkRequest {
    const place = this.#requests % (itemsOfCycle + bidsOfCycle);
    this.#requests += 1;
    // Spread over the cycle: requests 0, 16 and 32 of 49.
    const isItems =
      place % Math.floor((itemsOfCycle + bidsOfCycle) / itemsOfCycle) === 0 && place < bidsOfCycle;
    const body = isItems ? this.#itemBodies(now + auctionMs) : this.#bidBodies();
    return { kind: isItems ? "items" : "bids", body, count: perRequest };
  }

  #itemBodies(endsAt: number): string {
    const bodies: string[] = [];
    for (let index = 0; index < perRequest; index += 1) {
      // Spread over a second: a request's items do not all close in the same moment.
      bodies.push(itemBody(`item-${this.#items}`, endsAt + index, this.#items));
      this.#items += 1;
    }
    return `[${bodies.join(",")}]`;
  }

  #bidBodies(): string {
    const bodies: string[] = [];
    for (let index = 0; index < perRequest; index += 1) {
      this.#bids += 1;
      bodies.push(bidBody(`item-${this.#itemOf(this.#bids)}`, bidderOf(this.#bids), 100 + this.#bids));
    }
    return `[${bodies.join(",")}]`;
  }

  #itemOf(bid: number): number {
    const newest = this.#items - 1;
    if (bid % 2 === 0) return newest - (newest % hotEvery);
    return newest - ((Math.imul(bid, 0x9e3779b1) >>> 0) % biddable);
  }
}
