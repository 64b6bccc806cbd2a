import { z } from "zod";
import { timestamp } from "../../src/ingest/schemas.ts";
import { type ErrorCode, problemKinds } from "../../src/lib/problem.ts";
import { type GroupName, groups } from "../../src/topology.ts";
import { count, nullable, offset, partition } from "./events.ts";

/** As topology.ts declares them. */
export const group = z.enum(Object.keys(groups) as GroupName[]);

const place = { group, partition };

export const groupList = z
  .strictObject({
    groups: z.array(
      z
        .strictObject({
          group,
          topics: z.array(z.string()),
          functions: z.union([z.literal("subscriptions"), z.array(z.string())]),
          partitions: z.int().min(1),
        })
        .meta({ id: "Group" }),
    ),
  })
  .meta({ id: "Groups" });

/** Milliseconds since the epoch. */
const milliseconds = z.int().min(0);

const functionStatus = z
  .strictObject({
    name: z.string(),
    position: offset,
    next: offset,
    parked: count,
    inFlight: count,
    oldestUnfinished: offset.optional(),
    circuit: z.strictObject({ openedAt: milliseconds, probeAt: milliseconds, reason: z.string() }).optional(),
    full: z.string().optional(),
  })
  .meta({ id: "FunctionStatus" });

const topicStatus = z
  .strictObject({
    topic: z.string(),
    topicId: z.string().optional(),
    position: offset,
    endOffset: nullable(offset),
    startOffset: nullable(offset),
    lag: nullable(count),
    lagMs: nullable(count),
  })
  .meta({ id: "TopicStatus", description: "Null is what the log does not say" });

export const partitionView = z
  .strictObject({
    ...place,
    paused: z.boolean(),
    topics: z.array(topicStatus),
    parked: count,
    deadLettered: count,
    oldest: nullable(offset),
    functionLag: nullable(count),
    outbox: count,
    lostOffsets: count,
    functions: z.array(functionStatus),
    stalled: z.string().optional(),
  })
  .meta({ id: "PartitionView" });

const silentPartition = z
  .strictObject({ ...place, stalled: z.string() })
  .meta({ id: "SilentPartition", description: "Its object does not answer" });

export const partitionList = z
  .strictObject({ group, partitions: z.array(z.union([partitionView, silentPartition])) })
  .meta({ id: "Partitions" });

export const paused = z.strictObject({ ...place, paused: z.boolean() }).meta({ id: "Paused" });

export const sought = z
  .strictObject({ ...place, from: offset, to: offset, note: z.string() })
  .meta({ id: "Sought" });

export const parkedPage = z
  .strictObject({
    ...place,
    parked: z.array(
      z
        .strictObject({
          function: z.string(),
          key: z.string(),
          offset,
          attempts: count,
          error: z.string(),
          firstAttemptAt: nullable(timestamp),
          nextAttemptAt: nullable(timestamp),
        })
        .meta({ id: "ParkedRecord" }),
    ),
    next: z.string().optional(),
  })
  .meta({ id: "ParkedPage" });

export const ofKey = z
  .strictObject({ ...place, key: z.string(), records: z.int().min(1) })
  .meta({ id: "OfKey", description: "How many records of the key it was" });

const deadLetterId = z.string().regex(/^(?:0|[1-9]\d{0,5})-[1-9]\d{0,14}$/);

export const deadLetterPage = z
  .strictObject({
    group,
    deadLetters: z.array(
      z
        .strictObject({
          id: deadLetterId,
          partition,
          function: z.string(),
          key: z.string(),
          offset,
          attempts: count,
          redriven: count,
          error: z.string(),
          endedAt: timestamp,
        })
        .meta({ id: "DeadLetter" }),
    ),
    next: deadLetterId.optional(),
  })
  .meta({ id: "DeadLetterPage" });

const failures = (Object.keys(problemKinds) as ErrorCode[]).filter(
  (code) => problemKinds[code].status === 503,
);

export const redriven = z
  .strictObject({
    group,
    redriven: count,
    left: count,
    partitions: z.array(
      z.union([
        z.strictObject({ partition, redriven: count, left: count }),
        z.strictObject({ partition, code: z.enum(failures), detail: z.string() }),
      ]),
    ),
  })
  .meta({ id: "Redriven" });
