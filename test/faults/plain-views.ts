/**
 * What can be read of a partition, computed from the plain model's whole history each time, and
 * compared with what the object answers.
 */
import type { BidView, CategoryCounts, WindowStats } from "../../durable-objects/rpc.ts";
import type { ObjectHost } from "./object-host.ts";
import { accepted, bidders, highestOf } from "./plain-model.ts";
import type { JudgedBid, PlainItem, PlainModel } from "./plain-model.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { covers } from "./covers.ts";

const windowMs = 10_000;
/** How long windows are kept, in milliseconds of stream time. */
const windowsKeptMs = 3_600_000;

export async function compareViews(
  model: PlainModel,
  host: ObjectHost,
  scheduler: Scheduler,
): Promise<string[]> {
  const problems: string[] = [];
  const ask: Ask = (method) => scheduler.finish(host.call(method));
  const same = (what: string, is: unknown, should: unknown): void => {
    if (covers(is, should) && size(is) === size(should)) return;
    problems.push(`${what}: ${JSON.stringify(is)}, expected ${JSON.stringify(should)}`);
  };
  for (const item of model.items.values()) {
    const { itemId } = item.opening;
    const answer = await ask((core) => core.readItem({ itemId, waitMs: 0 }));
    if (model.isForgotten(item)) {
      same(itemId, answer.kind, "unknown");
      continue;
    }
    same(itemId, answer.kind === "item" ? withoutOptional(answer.item) : answer, viewOf(item, model));
    same(`bids of ${itemId}`, await readAllBids(itemId, ask), bidViews(item));
  }
  same(
    "categories",
    sorted((await ask((core) => core.categoryStats())).categories),
    sorted(categoryRows(model)),
  );
  const windowStats = await ask((core) => core.windowStats({ seconds: windowMs / 1_000 }));
  same("windows", sorted(windowStats.map(withCount)), windows(model));
  same("cells", sorted((await ask((core) => core.cellStats())).map(withCount)), cells(model));
  return problems;
}

type Ask = <Result>(method: Parameters<typeof ObjectHost.prototype.call<Result>>[0]) => Promise<Result>;

function size(value: unknown): number {
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

/** Keeps of a view what the model knows; the rest says where and when it was read. */
function withoutOptional(view: object): object {
  const known = ["itemId", "status", "highest", "reserveMet", "bids", "rejected", "bidders"];
  const entries = known.map((name) => [name, Reflect.get(view, name)] as const);
  const outcome: unknown = Reflect.get(view, "outcome");
  return { ...Object.fromEntries(entries), ...(outcome !== undefined && { outcome }) };
}

function statusOf(item: PlainItem, model: PlainModel): string {
  const { startsAt } = item.opening;
  const scheduled = startsAt !== undefined && model.streamTime < Date.parse(startsAt);
  return item.status === "open" && scheduled ? "scheduled" : item.status;
}

function viewOf(item: PlainItem, model: PlainModel): object {
  const highest = highestOf(item);
  const { offset: _offset, closedAt: _closedAt, ...state } = itemView(item, model);
  const view = {
    itemId: item.opening.itemId,
    ...state,
    reserveMet: highest !== undefined && highest.amount >= (item.opening.reserve ?? 0),
  };
  if (item.closedAt === null) return view;
  const closedAt = new Date(item.closedAt).toISOString();
  const outcome = { outcome: item.status, closedAt };
  if (item.status !== "sold" || highest === undefined) return { ...view, outcome };
  const { amount, bidderId, bidId, offset } = highest;
  return { ...view, outcome: { ...outcome, price: amount, winner: { bidderId, bidId, offset } } };
}

/** An item's state as the plain model has it. */
export function itemView(item: PlainItem, model: PlainModel): ItemSummary {
  const highest = highestOf(item);
  return {
    status: statusOf(item, model),
    highest: highest === undefined ? null : standingOf(highest),
    offset: highest?.offset ?? null,
    bids: accepted(item).length,
    // A withdrawal that was refused counts as little as one that was not.
    rejected: item.bids.length - accepted(item).length,
    bidders: bidders(item),
    closedAt: item.closedAt,
  };
}

interface ItemSummary {
  readonly status: string;
  readonly highest: object | null;
  readonly offset: number | null;
  readonly bids: number;
  readonly rejected: number;
  readonly bidders: number;
  readonly closedAt: number | null;
}

function standingOf({ amount, bidderId, bidId }: JudgedBid): object {
  return { amount, bidderId, bidId };
}

function bidViews(item: PlainItem): object[] {
  return item.bids
    .toSorted((one, other) => other.offset - one.offset)
    .map(({ bidId, bidderId, amount, at, reason, offset }) => ({
      bidId,
      bidderId,
      amount,
      at: new Date(at).toISOString(),
      outcome: reason === null ? "accepted" : "rejected",
      ...(reason !== null && { reason }),
      offset,
    }));
}

/** All bids of an item, page by page, with pages of uneven length. */
async function readAllBids(itemId: string, ask: Ask): Promise<BidView[]> {
  const random = new Random(itemId.length);
  const all: BidView[] = [];
  for (let before: number | undefined; ;) {
    const limit = random.integer(1, 40);
    const query = { itemId, limit, ...(before !== undefined && { before }) };
    const page = await ask((core) => core.readBids(query));
    all.push(...(page?.bids ?? []));
    before = page?.next;
    if (before === undefined) return all;
  }
}

export function categoryRows(model: PlainModel): CategoryCounts[] {
  const items = [...model.items.values()];
  const rows = groupBy(items, ({ opening }) => [opening.category, opening.currency]);
  return rows.map(([[category = "", currency = ""], own]) => {
    const count = (status: string): number => own.filter((item) => statusOf(item, model) === status).length;
    const sold = own.filter((item) => item.status === "sold");
    return {
      category,
      currency,
      scheduled: count("scheduled"),
      open: count("open"),
      sold: count("sold"),
      unsold: count("unsold"),
      withdrawn: count("withdrawn"),
      bids: sum(own.map((item) => accepted(item).length)),
      grossValue: String(sum(sold.map((item) => highestOf(item)?.amount ?? 0))),
    };
  });
}

interface Accepted {
  readonly bid: JudgedBid;
  readonly item: PlainItem;
}

function allAccepted(model: PlainModel): Accepted[] {
  return [...model.items.values()].flatMap((item) => accepted(item).map((bid) => ({ bid, item })));
}

function windows(model: PlainModel): object[] {
  const kept = allAccepted(model).filter(({ bid }) => {
    const start = bid.at - (bid.at % windowMs);
    return model.streamTime < start + windowMs + windowsKeptMs;
  });
  const rows = groupBy(kept, ({ bid, item }) => [
    String(bid.at - (bid.at % windowMs)),
    item.opening.category,
    item.opening.currency,
  ]);
  return sorted(
    rows.map(([[start, category, currency], own]) => ({
      start: Number(start),
      category,
      currency,
      bids: own.length,
      bidders: distinctBidders(own),
    })),
  );
}

function cells(model: PlainModel): object[] {
  const placed = allAccepted(model).filter(({ bid }) => bid.edge.cell !== undefined);
  const rows = groupBy(placed, ({ bid }) => [bid.edge.cell ?? "", bid.edge.country ?? ""]);
  return sorted(
    rows.map(([[cell, country], own]) => ({
      cell,
      country,
      bids: own.length,
      bidders: distinctBidders(own),
    })),
  );
}

/** The object's row with its sketch read as a count; few bidders are counted exactly. */
function withCount<Row extends { bidders: WindowStats["bidders"] }>(row: Row): object {
  const { highest: _highest, hottest: _hottest, ...rest } = row as Row & Partial<WindowStats>;
  const exact = "exact" in row.bidders ? row.bidders.exact.length : "estimated";
  return { ...rest, bidders: exact };
}

function distinctBidders(own: readonly Accepted[]): number {
  return new Set(own.map(({ bid }) => bid.bidderId)).size;
}

function groupBy<Value>(values: readonly Value[], key: (value: Value) => string[]): [string[], Value[]][] {
  const groups = Map.groupBy(values, (value) => JSON.stringify(key(value)));
  return [...groups].map(([text, own]) => [JSON.parse(text) as string[], own]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sorted<Row extends object>(rows: readonly Row[]): Row[] {
  const text = (row: Row): string =>
    ["start", "category", "currency", "cell", "country"]
      .map((name) => String(Reflect.get(row, name)))
      .join(" ");
  return rows.toSorted((one, other) => text(one).localeCompare(text(other), "en"));
}
