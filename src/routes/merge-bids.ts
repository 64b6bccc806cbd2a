import type { BidderBidsPage, BidderBidView } from "../../durable-objects/rpc.ts";
import { Problem } from "../lib/problem.ts";

/** Where the next page goes on, in each partition that has more: the number of a judged event. */
export type Positions = ReadonlyMap<number, number>;

export interface PartitionPage {
  readonly partition: number;
  readonly page: BidderBidsPage;
}

/** What comes next in a partition's page: a bid, or without one what is not known yet. */
interface Head {
  readonly at: number;
  readonly view?: BidderBidView;
}

/**
 * One page out of the partitions' pages. Within a partition bids keep the order in which they were
 * judged, which their times follow but where one waited for its item; between partitions the later
 * time comes first. Where a partition's scan was cut short, only what is later than that place is
 * told: what it has behind it comes first of the rest.
 */
export function mergeBids(
  pages: readonly PartitionPage[],
  limit: number,
): { readonly bids: readonly BidderBidView[]; readonly next: Positions } {
  const taken = pages.map(() => 0);
  const bids: BidderBidView[] = [];
  while (bids.length < limit) {
    const heads = pages.map(({ page }, index) => headOf(page, taken[index] ?? 0));
    const latest = indexOfLatest(heads);
    const view = heads[latest]?.view;
    if (view === undefined) break;
    bids.push(view);
    taken[latest] = (taken[latest] ?? 0) + 1;
  }
  const next = new Map<number, number>();
  for (const [index, { partition, page }] of pages.entries()) {
    const through = page.bids[taken[index] ?? 0]?.number ?? page.rest?.through;
    if (through !== undefined) next.set(partition, through);
  }
  return { bids, next };
}

function headOf({ bids, rest }: BidderBidsPage, taken: number): Head | undefined {
  // What is behind a place without a time may be of any.
  return bids[taken] ?? (rest === undefined ? undefined : { at: rest.at ?? Number.POSITIVE_INFINITY });
}

/** -1 where all pages are at their end. */
function indexOfLatest(heads: readonly (Head | undefined)[]): number {
  let latest = -1;
  for (const [index, head] of heads.entries()) {
    if (head !== undefined && head.at > (heads[latest]?.at ?? -1)) latest = index;
  }
  return latest;
}

/** An opaque cursor: `{partition}.{number}` of each, in base 36. */
export function encodePositions(positions: Positions): string {
  return [...positions].map((pair) => pair.map((part) => part.toString(36)).join(".")).join("~");
}

/** @throws {Problem} `invalid-parameter` for a text that is no cursor over so many partitions. */
export function decodePositions(cursor: string, partitionCount: number): Positions {
  const pairs = cursor.split("~").map((pair) => {
    const [, partition = "", number = ""] = /^([0-9a-z]{1,3})\.([0-9a-z]{1,10})$/.exec(pair) ?? [];
    return [Number.parseInt(partition, 36), Number.parseInt(number, 36)] as const;
  });
  const positions = new Map(pairs);
  const isCursor = pairs.every(([partition, number]) => partition < partitionCount && number > 0);
  if (isCursor && positions.size === pairs.length) return positions;
  throw new Problem("invalid-parameter", "cursor: must be the next of an answer of this route");
}
