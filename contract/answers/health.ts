import { z } from "zod";

export const healthy = z.strictObject({ status: z.literal("ok") }).meta({ id: "Healthy" });

const checks = z.strictObject({
  log: z.string(),
  partitions: z.string(),
  topics: z.string().optional(),
  history: z.string().optional(),
});

export const ready = z.strictObject({ status: z.literal("ready"), checks }).meta({ id: "Ready" });

export const unready = z.strictObject({ status: z.literal("unready"), checks }).meta({ id: "Unready" });
