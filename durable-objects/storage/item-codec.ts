import type { ItemState } from "../../src/auction/state.ts";

/** How an item is stored: what never changes apart from what every bid changes. */
export type ItemRow = { readonly rules: string; readonly state: string };

type Rules = [
  sellerId: string,
  category: string,
  currency: string,
  startingPrice: number,
  increment: number,
  reserve: number | null,
  startsAt: number | null,
  endsAt: number,
  closesAt: number,
  listedAt: number,
  subject: string,
  source: string,
  id: string,
];

type Highest = [amount: number, bidderId: string, bidId: string, offset: number, entry: number];

type State = [
  phase: ItemState["phase"],
  highest: Highest | null,
  bids: number,
  rejected: number,
  bidders: number,
  firstEntry: number,
  lastEntry: number,
  closedAt: number | null,
  departsAt: number | null,
];

export function encodeRules(item: ItemState): string {
  const rules: Rules = [
    item.sellerId,
    item.category,
    item.currency,
    item.startingPrice,
    item.increment,
    item.reserve,
    item.startsAt,
    item.endsAt,
    item.closesAt,
    item.listedAt,
    item.listing.subject,
    item.listing.source,
    item.listing.id,
  ];
  return JSON.stringify(rules);
}

export function encodeState(item: ItemState): string {
  const { highest } = item;
  const state: State = [
    item.phase,
    highest === null
      ? null
      : [highest.amount, highest.bidderId, highest.bidId, highest.offset, highest.entry],
    item.bids,
    item.rejected,
    item.bidders,
    item.firstEntry,
    item.lastEntry,
    item.closedAt,
    item.departsAt,
  ];
  return JSON.stringify(state);
}

export function decodeItem(itemId: string, row: ItemRow): ItemState {
  const rules = JSON.parse(row.rules) as Rules;
  const [sellerId, category, currency, startingPrice, increment, reserve] = rules;
  const [, , , , , , startsAt, endsAt, closesAt, listedAt, subject, source, id] = rules;
  const state = JSON.parse(row.state) as State;
  const [phase, standing, bids, rejected, bidders, firstEntry, lastEntry, closedAt, departsAt] = state;
  const terms = { itemId, sellerId, category, currency, startingPrice, increment, reserve };
  const times = {
    startsAt,
    endsAt,
    closesAt,
    listedAt,
    listing: { subject, source, id },
    closedAt,
    departsAt,
  };
  const counts = { bids, rejected, bidders, firstEntry, lastEntry };
  return { ...terms, ...times, ...counts, phase, highest: standing === null ? null : highestOf(standing) };
}

function highestOf([amount, bidderId, bidId, offset, entry]: Highest): NonNullable<ItemState["highest"]> {
  return { amount, bidderId, bidId, offset, entry };
}
