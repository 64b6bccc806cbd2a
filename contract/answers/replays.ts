import { z } from "zod";
import { analysisNames } from "../../src/analyses/registry.ts";
import { timestamp } from "../../src/ingest/schemas.ts";
import { placeSchema } from "../../src/replays/place.ts";
import type { ReplayFailure, ReplayStatus } from "../../src/replays/replay.ts";
import { count, offset, partition } from "./events.ts";

const statuses = ["running", "done", "cancelled", "failed"] as const satisfies ReplayStatus[];
const failures = [
  "analysis",
  "maximum-bytes",
  "topic-replaced",
  "state-too-large",
  "too-long",
  "internal",
] as const satisfies ReplayFailure["code"][];

const waiting = z.strictObject({ reason: z.string(), failures: count, retryAt: timestamp }).optional();

/** As it was asked for; of how many partitions is no matter of the document. */
const place = placeSchema(1).optional();

const summary = {
  id: z.uuid(),
  analysis: z.enum(analysisNames),
  topic: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  from: place,
  to: place,
  maximumRecords: count,
  maximumBytes: count,
  status: z.enum(statuses),
  failure: z.strictObject({ code: z.enum(failures), detail: z.string() }).optional(),
  createdAt: timestamp,
  createdBy: z.string(),
  finishedAt: timestamp.optional(),
  progress: z.strictObject({
    offsets: count,
    read: count,
    records: count,
    bytes: count,
    lostOffsets: count,
  }),
};

const part = z
  .strictObject({
    partition,
    from: offset,
    to: offset,
    position: offset,
    records: count,
    bytes: count,
    lostOffsets: count,
    waiting,
  })
  .meta({ id: "ReplayPart" });

export const replay = z
  .strictObject({
    ...summary,
    partitions: z.array(part),
    conclusion: z.strictObject({ merged: count, step: count, steps: count, waiting }),
    // What an analysis answers is its own: docs/replays.md.
    result: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: "Replay" });

export const replayList = z
  .strictObject({ replays: z.array(z.strictObject(summary).meta({ id: "ReplaySummary" })) })
  .meta({ id: "Replays" });
