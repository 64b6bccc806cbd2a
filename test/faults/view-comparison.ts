/** Compares what the object answers to every read with what the plain model's history says. */
import type { BidderBidView, BidView, WindowStats } from "../../durable-objects/rpc.ts";
import { covers } from "./covers.ts";
import type { Core, ObjectHost } from "./object-host.ts";
import type { PlainModel } from "./plain-model.ts";
import {
  bidderViews,
  bidViews,
  categoryRows,
  cells,
  openItems,
  sorted,
  viewOf,
  windowMs,
  windows,
} from "./plain-views.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

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
  const bidders = [...model.items.values()].flatMap(({ bids }) => bids.map(({ bidderId }) => bidderId));
  for (const bidderId of new Set(bidders)) {
    same(`bids by ${bidderId}`, await readAllOf(bidderId, ask), bidderViews(bidderId, model));
  }
  for (const sort of ["ending", "newest"] as const) {
    same(`items by ${sort}`, await listAll(sort, ask), openItems(sort, model));
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

type Ask = <Result>(method: (core: Core) => Promise<Result>) => Promise<Result>;

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

/** All bids of a bidder, page by page, with pages of uneven length. */
async function readAllOf(bidderId: string, ask: Ask): Promise<BidderBidView[]> {
  const random = new Random(bidderId.length);
  const all: BidderBidView[] = [];
  for (let through: number | undefined; ;) {
    const limit = random.integer(1, 40);
    const query = { bidderId, limit, ...(through !== undefined && { through }) };
    const { bids, rest } = await ask((core) => core.readBidderBids(query));
    all.push(...bids.map(({ view }) => view));
    through = rest?.through;
    if (through === undefined) return all;
  }
}

async function listAll(sort: "ending" | "newest", ask: Ask): Promise<string[]> {
  const all: string[] = [];
  for (let from: { key: number; itemId: string } | undefined; ;) {
    const query = { sort, limit: 7, ...(from !== undefined && { from }) };
    const page = await ask((core) => core.listItems(query));
    all.push(...page.entries.map(({ view }) => view.itemId));
    from = page.scannedTo;
    if (from === undefined) return all;
  }
}

/**
 * The object's row with its sketch read as a count, as few bidders are counted exactly, and with
 * the highest's amount alone, as two of the same amount may come in either order.
 */
function withCount<Row extends { bidders: WindowStats["bidders"] }>(row: Row & Partial<WindowStats>): object {
  const count = "exact" in row.bidders ? row.bidders.exact.length : "estimated";
  return { ...row, bidders: count, ...(row.highest != null && { highest: row.highest.amount }) };
}
