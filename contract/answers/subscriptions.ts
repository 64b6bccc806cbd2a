import { z } from "zod";
import { filterSchema } from "../../src/functions/filter.ts";
import { timestamp } from "../../src/ingest/schemas.ts";
import { settingsSchema } from "../../src/subscriptions/validate.ts";

/**
 * A filter in the words of JSON Schema. Zod's own generator makes it: the other one takes members
 * that are exactly optional for required.
 */
function filterDocument(): Record<string, unknown> {
  const { $schema: _, ...document } = z.toJSONSchema(filterSchema, { io: "input", unrepresentable: "any" });
  return { id: "Filter", ...document };
}

const filter = z.looseObject({}).meta(filterDocument());

const { url, order, mode, batch, from } = settingsSchema.shape;

export const subscriptionSettings = settingsSchema
  .extend({ filter: filter.optional() })
  .meta({ id: "SubscriptionSettings" });

const members = {
  id: z.uuid(),
  url,
  filter: filter.optional(),
  order: order.unwrap(),
  mode: mode.unwrap(),
  batch: z.strictObject({ count: batch.unwrap().shape.count.unwrap() }),
  from: from.unwrap(),
  status: z.enum(["active", "disabled"]),
  disabledReason: z.string().optional(),
  disabledAt: timestamp.optional(),
  enabledAt: timestamp.optional(),
  createdAt: timestamp,
  createdBy: z.string(),
  secrets: z
    .array(z.strictObject({ createdAt: timestamp, expiresAt: timestamp.optional() }))
    .min(1)
    .max(2),
};

export const subscription = z.strictObject(members).meta({ id: "Subscription" });

export const subscriptionWithSecret = z
  .strictObject({ ...members, secret: z.string().regex(/^whsec_[A-Za-z0-9+/]{43}=$/) })
  .meta({ id: "SubscriptionWithSecret", description: "The one answer that has the secret" });

export const subscriptionList = z
  .strictObject({ subscriptions: z.array(subscription).max(100) })
  .meta({ id: "Subscriptions" });
