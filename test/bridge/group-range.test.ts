import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assignRanges } from "../../bridge/groups/range.ts";

const topicNames = ["bids", "items", "notes"];
const candidates = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 4 }), topics: fc.subarray(topicNames) }),
  { selector: ({ name }) => name, maxLength: 8 },
);
const counts = fc
  .tuple(fc.nat(9), fc.nat(9))
  .map(([bids, items]) => new Map(Object.entries({ bids, items })));

describe("the division of a group's partitions", () => {
  test("gives each partition to exactly one member that subscribes to its topic, evenly", () => {
    fc.assert(
      fc.property(candidates, counts, (members, partitions) => {
        const assigned = assignRanges(members, partitions);
        for (const topic of topicNames) {
          const takers = [...members.keys()].filter((index) => members[index]?.topics.includes(topic));
          const shares = assigned.map((share) => share.find((one) => one.topic === topic)?.partitions ?? []);
          const count = takers.length === 0 ? 0 : (partitions.get(topic) ?? 0);
          expect(shares.flat().sort((a, b) => a - b)).toEqual(
            Array.from({ length: count }, (_, index) => index),
          );
          const sizes = takers.map((index) => shares[index]?.length ?? 0);
          expect(Math.max(0, ...sizes) - Math.min(...sizes, count)).toBeLessThanOrEqual(1);
          for (const index of members.keys()) if (!takers.includes(index)) expect(shares[index]).toEqual([]);
        }
      }),
    );
  });

  test("is the same whatever order the members come in", () => {
    fc.assert(
      fc.property(candidates, counts, (members, partitions) => {
        const reversed = members.toReversed();
        expect(assignRanges(reversed, partitions).toReversed()).toEqual(assignRanges(members, partitions));
      }),
    );
  });

  test("is Kafka's: runs of partitions, the first members with one more", () => {
    const members = ["b", "a", "c"].map((name) => ({ name, topics: ["bids"] }));
    expect(assignRanges(members, new Map([["bids", 7]]))).toEqual([
      [{ topic: "bids", partitions: [3, 4] }],
      [{ topic: "bids", partitions: [0, 1, 2] }],
      [{ topic: "bids", partitions: [5, 6] }],
    ]);
  });
});
