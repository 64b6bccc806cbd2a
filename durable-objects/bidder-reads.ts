import { toIso } from "../src/auction/outputs.ts";
import { isComplete } from "../src/auction/rules.ts";
import type { Entry, ItemState } from "../src/auction/state.ts";
import type { BidderBidsPage, BidderBidsQuery, BidderBidStatus, BidderBidView } from "./rpc.ts";
import type { StoredAuction } from "./storage/auction-store.ts";

/** What one call looks at: a filter that matches little, or a bidder that is rare, goes on in the next call. */
const bounds = { candidates: 500, runs: 64 };

/** A bidder's bids, the last judged first. A bid on an item that has left is not kept. */
export function readBidderBids(
  store: StoredAuction,
  partition: number,
  { bidderId, limit, status, through = store.state.entries }: BidderBidsQuery,
): BidderBidsPage {
  const bids: { number: number; at: number; view: BidderBidView }[] = [];
  const rest = store.walkBids(bidderId, through, bounds, (entry) => {
    const item = store.item(entry.itemId);
    if (item === undefined) return true;
    const view = viewOf(entry, item, partition);
    if (status === undefined || status === view.status) {
      bids.push({ number: entry.number, at: entry.timestamp, view });
    }
    return bids.length < limit;
  });
  store.trim();
  if (rest === 0) return { bids };
  return { bids, rest: { through: rest, at: store.entry(rest)?.timestamp ?? null } };
}

function viewOf(entry: Entry, item: ItemState, partition: number): BidderBidView {
  const { itemId, bidId, amount, timestamp, reason, offset } = entry;
  const [bid, place] = [
    { itemId, bidId, amount },
    { partition, offset },
  ];
  const at = toIso(timestamp);
  if (reason !== null) {
    return {
      ...bid,
      at,
      status: "rejected",
      reason: reason as NonNullable<BidderBidView["reason"]>,
      ...place,
    };
  }
  return { ...bid, currency: item.currency, at, status: statusOf(entry, item), ...place };
}

/** What has become of an accepted bid. */
function statusOf(entry: Entry, item: ItemState): BidderBidStatus {
  const isHighest = item.highest?.entry === entry.number;
  if (!isComplete(item)) return isHighest ? "winning" : "outbid";
  return isHighest && item.phase === "sold" ? "won" : "lost";
}
