/**
 * What the gateway answers, as far as it is used here; what else it answers is handed on by `--json`.
 * Source: docs/api.md, "Operating".
 */
import { z } from "zod";

export const groupsAnswer = z.looseObject({
  groups: z.array(
    z.looseObject({
      group: z.string(),
      topics: z.array(z.string()),
      functions: z.union([z.string(), z.array(z.string())]),
      partitions: z.number(),
    }),
  ),
});

const nullableNumber = z.number().nullable();

const partition = z.looseObject({
  group: z.string(),
  partition: z.number(),
  paused: z.boolean(),
  topics: z.array(
    z.looseObject({
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
      next: z.number(),
      parked: z.number(),
      circuit: z.looseObject({ reason: z.string(), probeAt: z.number() }).optional(),
      full: z.string().optional(),
    }),
  ),
  stalled: z.string().optional(),
});

/** Of a partition whose object does not answer. */
const silentPartition = z.looseObject({ group: z.string(), partition: z.number(), stalled: z.string() });

export const partitionAnswer = partition;
export type PartitionAnswer = z.output<typeof partition>;
export type SilentAnswer = z.output<typeof silentPartition>;

export const partitionsAnswer = z.looseObject({
  group: z.string(),
  partitions: z.array(z.union([partition, silentPartition])),
});

export function isSilent(told: PartitionAnswer | SilentAnswer): told is SilentAnswer {
  return !("topics" in told);
}

export const parkedAnswer = z.looseObject({
  parked: z.array(
    z.looseObject({
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

export const deadLettersAnswer = z.looseObject({
  deadLetters: z.array(
    z.looseObject({
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

const redriven = z.looseObject({ partition: z.number(), redriven: z.number(), left: z.number() });
const failed = z.looseObject({ partition: z.number(), code: z.string(), detail: z.string() });

export const redriveAnswer = z.looseObject({
  redriven: z.number(),
  left: z.number(),
  partitions: z.array(z.union([redriven, failed])),
});
export type RedriveAnswer = z.output<typeof redriveAnswer>;
export const pausedAnswer = z.looseObject({ group: z.string(), partition: z.number(), paused: z.boolean() });
export const seekAnswer = z.looseObject({
  group: z.string(),
  partition: z.number(),
  from: z.number(),
  to: z.number(),
  note: z.string(),
});
export const keyAnswer = z.looseObject({ key: z.string(), records: z.number() });

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

export const subscriptionsAnswer = z.looseObject({ subscriptions: z.array(subscription) });
/** Every member is named, so that no other can be printed. */
export const apiKey = z.object({
  id: z.string(),
  scopes: z.array(z.string()),
  subject: z.string().optional(),
  createdAt: z.string(),
  createdBy: z.string(),
  revokedAt: z.string().optional(),
  revokedBy: z.string().optional(),
});

export const apiKeysAnswer = z.object({
  keys: z.array(apiKey),
  next: z.string().optional(),
  /** On the first page. */
  keysOfSecret: z.array(apiKey.pick({ id: true, scopes: true, subject: true })).optional(),
});

/** The one answer with a key in it. */
export const newApiKey = apiKey.extend({ key: z.string() });

export const readinessAnswer = z.object({
  status: z.string(),
  checks: z.object({
    log: z.string(),
    topics: z.string().optional(),
    partitions: z.string(),
    history: z.string().optional(),
  }),
});
