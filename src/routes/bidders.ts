import type { BidderBidsQuery } from "../../durable-objects/rpc.ts";
import { Problem } from "../lib/problem.ts";
import {
  decodePositions,
  encodePositions,
  mergeBids,
  type PartitionPage,
  type Positions,
} from "./merge-bids.ts";
import { admit, type AppContext } from "./operation.ts";
import { bidderBidsParameters, readBidderId, readParameters } from "./parameters.ts";
import type { Partitions } from "../partitions.ts";

/** `GET /v1/bidders/{bidderId}/bids?status&limit&cursor`. A bound credential reads its own. */
export async function getBidderBids(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "read");
  const bidderId = readBidderId(context.req.param("bidderId"));
  if (credential.subject !== undefined && credential.subject !== bidderId) {
    throw new Problem("forbidden-subject", "The credential may read its own subject's bids only");
  }
  const { status, limit, cursor } = readParameters(bidderBidsParameters, context.req.queries());
  // One more than fits tells whether there is more.
  const query = { bidderId, limit: limit + 1, ...(status === undefined ? {} : { status }) };
  const { partitions } = services;
  const from = cursor === undefined ? everywhere(partitions) : decodePositions(cursor, partitions.count);
  const { bids, next } = mergeBids(await ask(partitions, from, query), limit);
  return context.json(next.size === 0 ? { bids } : { bids, next: encodePositions(next) });
}

type Places = ReadonlyMap<number, number | undefined>;

/** Every partition, from its last bid on. */
function everywhere({ count }: Partitions): Places {
  return new Map(Array.from({ length: count }, (_, partition) => [partition, undefined]));
}

/** Asks the partitions that have something left, side by side. */
function ask(
  partitions: Partitions,
  from: Places | Positions,
  query: BidderBidsQuery,
): Promise<PartitionPage[]> {
  const asked = [...from].map(async ([partition, through]) => {
    const page = await partitions.call(partition, (object) =>
      object.readBidderBids(through === undefined ? query : { ...query, through }),
    );
    return { partition, page };
  });
  return Promise.all(asked);
}
