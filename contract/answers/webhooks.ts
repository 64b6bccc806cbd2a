import { z } from "zod";

/** What of a batch is done, is to be tried again, or is a dead letter; what is not listed is done. */
export const outcomes = z
  .looseObject({
    results: z
      .array(
        z.looseObject({
          id: z.string().optional(),
          offset: z.union([z.int().min(0), z.string()]).optional(),
          status: z.enum(["done", "retry", "reject"]),
          reason: z.string().optional(),
          delayMs: z.number().min(0).optional(),
        }),
      )
      .optional(),
    // As AWS Lambda has it.
    batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string() })).optional(),
  })
  .meta({ id: "Outcomes" });
