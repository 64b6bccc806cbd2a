import { z } from "zod";
import { id, timestamp } from "../../src/ingest/schemas.ts";
import type { LineageView } from "../../src/lineage/answer.ts";
import { count, nullable, offset, partition, rejectionReasons } from "./events.ts";
import { edgeMembers } from "./edge.ts";
import { group } from "./groups.ts";

const place = { topic: z.string(), partition, offset };

const appliedStatuses = ["not-yet", "waiting", "applied", "dead-lettered"] as const;
const invokedStatuses = [
  "done",
  "running",
  "waiting",
  "parked",
  "dead-lettered",
  "skipped",
  "not-yet",
  "unknown",
] as const satisfies readonly LineageView["invoked"][number]["status"][];

const { receivedAt: at, ...whereAndBy } = edgeMembers;

const applied = z
  .strictObject({
    group,
    partition,
    status: z.enum(appliedStatuses),
    position: offset,
    at: nullable(timestamp),
    outcome: z
      .strictObject({
        status: z.enum(["accepted", "rejected"]),
        reason: z.enum(rejectionReasons).optional(),
        duplicate: z.literal(true).optional(),
      })
      .optional(),
    decidedBy: z.strictObject({ position: offset, at: timestamp }).optional(),
  })
  .meta({ id: "Applied" });

const produced = z
  .strictObject({
    ...place,
    id: z.string(),
    type: z.string(),
    itemId: z.string(),
    timestamp,
    at: nullable(timestamp),
  })
  .meta({ id: "Produced" });

const invoked = z
  .strictObject({
    group,
    partition,
    function: z.string().optional(),
    event: z.string(),
    status: z.enum(invokedStatuses),
    attempts: count.optional(),
    startedAt: timestamp.optional(),
    endedAt: timestamp.optional(),
  })
  .meta({ id: "Invoked" });

export const lineage = z
  .strictObject({
    id: z.string(),
    source: z.string(),
    type: z.string(),
    itemId: id,
    traceId: nullable(z.string().regex(/^[0-9a-f]{32}$/)),
    accepted: nullable(z.strictObject({ at, ...whereAndBy })),
    record: z.strictObject({ ...place, timestamp }),
    applied,
    produced: z.array(produced),
    totals: z.strictObject({ produced: count, unsent: count }),
    invoked: z.array(invoked),
    repetitions: z.array(z.strictObject(place)),
    complete: z.boolean(),
  })
  .meta({ id: "Lineage" });
