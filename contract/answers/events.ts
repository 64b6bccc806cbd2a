import { z } from "zod";
import { eventIdentifier, id, timestamp } from "../../src/ingest/schemas.ts";
import type { RejectionReason } from "../../src/auction/events.ts";
import type { ErrorCode } from "../../src/lib/problem.ts";
import { problemKinds } from "../../src/lib/problem.ts";
import { faults, problemMembers } from "../problems.ts";

/** Place in a topic partition. */
export const partition = z.int().min(0);
export const offset = z.int().min(0);
export const count = z.int().min(0);

/** Money as answers tell it. */
export const amount = z.int().min(0);

export function nullable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.null()]);
}

/** Why a bid is rejected, in the order in which they are looked at; cannot miss one. */
export const bidReasons = [
  "unknown-item",
  "withdrawn",
  "not-started",
  "ended",
  "currency-mismatch",
  "own-item",
  "below-start",
  "too-low",
] as const;

export const rejectionReasons = [
  ...bidReasons,
  "already-listed",
  "not-seller",
] as const satisfies RejectionReason[];

export const highestBid = z
  .strictObject({ amount, bidderId: id, bidId: eventIdentifier })
  .meta({ id: "HighestBid" });

const outcome = z
  .strictObject({
    status: z.enum(["accepted", "rejected"]),
    reason: z.enum(rejectionReasons).optional(),
    duplicate: z.literal(true).optional(),
    highest: highestBid.optional(),
    bids: count.optional(),
  })
  .meta({ id: "Outcome", description: "What became of the event" });

const coordinates = {
  id: eventIdentifier,
  source: eventIdentifier,
  topic: z.string(),
  partition,
  offset,
  timestamp,
};

export const accepted = z
  .strictObject(coordinates)
  .meta({ id: "Accepted", description: "Where the event is in the log" });

export const acceptedWithOutcome = z
  .strictObject({ ...coordinates, outcome })
  .meta({ id: "AcceptedWithOutcome" });

/** What one event of several can be refused with. */
const refusals = (Object.keys(problemKinds) as ErrorCode[]).filter((code) =>
  [403, 413, 422, 503].includes(problemKinds[code].status),
);

const result = z.union([
  z
    .strictObject({
      index: count,
      status: z.literal(202),
      id: eventIdentifier,
      topic: z.string(),
      partition,
      offset,
    })
    .meta({ id: "Taken" }),
  z
    .strictObject({
      index: count,
      status: z.union([z.literal(403), z.literal(413), z.literal(422), z.literal(503)]),
      code: z.enum(refusals),
      detail: z.string(),
      errors: faults,
    })
    .meta({ id: "Refused" }),
]);

const severalMembers = { accepted: count, rejected: count, results: z.array(result) };

export const several = z.strictObject(severalMembers).meta({
  id: "Several",
  description: "One result for each event; the rejected alone with `return=minimal`",
});

/** An empty array has no results to tell the reason in. */
export const none = z
  .strictObject({ ...severalMembers, ...problemMembers(422) })
  .meta({ id: "NoEvents", description: "The body holds no event" });
