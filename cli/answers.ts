/** What the gateway answers, as far as it is used here. Source: docs/api.md, "Operating". */
import { z } from "zod";

export const groupsAnswer = z.object({
  groups: z.array(
    z.object({
      group: z.string(),
      topics: z.array(z.string()),
      functions: z.union([z.string(), z.array(z.string())]),
      partitions: z.number(),
    }),
  ),
});

const nullableNumber = z.number().nullable();

const partition = z.object({
  group: z.string(),
  partition: z.number(),
  paused: z.boolean(),
  topics: z.array(
    z.object({
      topic: z.string(),
      position: z.number(),
      endOffset: nullableNumber,
      startOffset: nullableNumber,
      lag: nullableNumber,
      lagMs: nullableNumber,
    }),
  ),
  parked: z.number(),
  deadLettered: z.number(),
  oldest: nullableNumber,
  outbox: z.number(),
  lostOffsets: z.number(),
  functions: z.array(
    z.looseObject({
      name: z.string(),
      position: z.number(),
      parked: z.number(),
      circuit: z.object({ reason: z.string(), probeAt: z.number() }).optional(),
      full: z.string().optional(),
    }),
  ),
  stalled: z.string().optional(),
});

export type PartitionAnswer = z.output<typeof partition>;

export const partitionsAnswer = z.object({ group: z.string(), partitions: z.array(partition) });

export const parkedAnswer = z.object({
  parked: z.array(
    z.object({
      function: z.string(),
      key: z.string(),
      offset: z.number(),
      attempts: z.number(),
      error: z.string(),
      firstAttemptAt: z.string().nullable(),
      nextAttemptAt: z.string().nullable(),
    }),
  ),
  next: z.string().optional(),
});

export const deadLettersAnswer = z.object({
  deadLetters: z.array(
    z.object({
      id: z.string(),
      partition: z.number(),
      function: z.string(),
      key: z.string(),
      offset: z.number(),
      attempts: z.number(),
      redriven: z.number(),
      error: z.string(),
      endedAt: z.string(),
    }),
  ),
  next: z.string().optional(),
});

export const redriveAnswer = z.object({ redriven: z.number(), left: z.number() });
export const pausedAnswer = z.object({ group: z.string(), partition: z.number(), paused: z.boolean() });
export const seekAnswer = z.object({
  group: z.string(),
  partition: z.number(),
  from: z.number(),
  to: z.number(),
  note: z.string(),
});
export const keyAnswer = z.object({ key: z.string(), records: z.number() });

/** Every member is named, so that no other can be printed. */
export const subscription = z.object({
  id: z.string(),
  url: z.string(),
  filter: z.unknown().optional(),
  order: z.string(),
  mode: z.string(),
  batch: z.object({ count: z.number() }),
  from: z.string(),
  status: z.string(),
  disabledReason: z.string().optional(),
  disabledAt: z.string().optional(),
  enabledAt: z.string().optional(),
  createdAt: z.string(),
  createdBy: z.string(),
});

export const subscriptionsAnswer = z.object({ subscriptions: z.array(subscription) });
export const readinessAnswer = z.object({
  status: z.string(),
  checks: z.object({ log: z.string(), partitions: z.string(), history: z.string().optional() }),
});
