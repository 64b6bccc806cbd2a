import { header, type LogRecord } from "./log-reader.ts";

/** What an item has to be, by the log alone. */
export interface ExpectedItem {
  highest: {
    readonly amount: number;
    readonly bidderId: string;
    readonly bidId: string;
  } | null;
  bids: number;
  rejected: number;
  readonly startingPrice: number;
  readonly endsAt: number;
}

export interface Expected {
  readonly items: ReadonlyMap<string, ExpectedItem>;
  /** Records, as `topic/partition/offset`, that have to have caused a `rejected` or an `outbid`. */
  readonly rejections: ReadonlySet<string>;
  readonly outbids: ReadonlySet<string>;
}

/**
 * The interface's rules, written down once more as plainly as possible and applied to one journal
 * partition: an item is what its first opening says, an event counts once, a bid stands when it is
 * in time and above the highest. Written for bids that follow their item's opening.
 */
export function expectedOf(journal: readonly LogRecord[]): Expected {
  const items = new Map<string, ExpectedItem>();
  const seen = new Set<string>();
  const rejections = new Set<string>();
  const outbids = new Set<string>();
  for (const record of journal) {
    const type = header(record, "ce_type");
    if (type === "gavel.item.opened.v1" && !items.has(record.key)) {
      items.set(record.key, openingOf(record));
    }
    if (type !== "gavel.bid.placed.v1") continue;
    const identity = `${header(record, "ce_source")} ${header(record, "ce_id")}`;
    const item = items.get(record.key);
    if (item === undefined) throw new Error(`${identity} is ahead of its item`);
    if (seen.has(identity)) continue;
    seen.add(identity);
    const cause = `${record.topic}/${record.partition}/${record.offset}`;
    const displaced = item.highest?.bidderId;
    if (!applyBid(item, record)) rejections.add(cause);
    // Nobody is told to have outbid themselves.
    else if (displaced !== undefined && displaced !== item.highest?.bidderId) outbids.add(cause);
  }
  return { items, rejections, outbids };
}

function openingOf(record: LogRecord): ExpectedItem {
  const { startingPrice, endsAt } = JSON.parse(record.value) as {
    startingPrice: number;
    endsAt: string;
  };
  return { highest: null, bids: 0, rejected: 0, startingPrice, endsAt: Date.parse(endsAt) };
}

/** Whether the bid stands. */
function applyBid(item: ExpectedItem, record: LogRecord): boolean {
  const { amount, bidderId } = JSON.parse(record.value) as { amount: number; bidderId: string };
  const enough = item.highest === null ? item.startingPrice : item.highest.amount + 1;
  if (record.timestamp >= item.endsAt || amount < enough) {
    item.rejected += 1;
    return false;
  }
  item.highest = { amount, bidderId, bidId: header(record, "ce_id") };
  item.bids += 1;
  return true;
}
