import { nothingSchema } from "../../src/groups/operations.ts";

/** The body of an operation whose path says everything: none, or an empty object. */
export const nothing = {
  required: false,
  content: {
    "application/json": {
      schema: nothingSchema.meta({ id: "Nothing" }),
      examples: { nothing: { summary: "Nothing", value: {} } },
    },
  },
};
