import type { Declaration } from "../../../../src/functions/declare.ts";

export const shout: Declaration = {
  create:
    ({ logger }) =>
    async ({ records }) => {
      for (const record of records) logger("info", "sold", { item: record.key });
      return { outcomes: records.map(() => ({ status: "done" })) };
    },
};
