import { expect, test } from "vitest";
import { createTellPartitions } from "../../../durable-objects/subscriptions/tell-partitions.ts";

/** Objects that note what they are told; a stand-in, so that single ones can fail. */
function objects(failing: readonly string[]) {
  const told: string[] = [];
  const getByName = (name: string) => ({
    subscriptionsChanged: async (version: number): Promise<void> => {
      await Promise.resolve();
      if (failing.includes(name)) throw new Error("the object was reset");
      told.push(`${name} ${version}`);
    },
  });
  return { told, getByName };
}

test("every partition of the group is told", async () => {
  const { told, getByName } = objects([]);
  await createTellPartitions({ getByName }, 3)(7);
  expect(told).toEqual(["notify/0 7", "notify/1 7", "notify/2 7"]);
});

test("a partition that fails keeps no other from being told, and is counted", async () => {
  const { told, getByName } = objects(["notify/0", "notify/2"]);
  const telling = createTellPartitions({ getByName }, 4)(7);
  await expect(telling).rejects.toThrow("2 of 4 partitions: Error: the object was reset");
  expect(told).toEqual(["notify/1 7", "notify/3 7"]);
});
