import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { murmur2, partitionFor } from "../../../src/kafka/partitioner.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("murmur2", () => {
  test.each([
    // Kafka's own vectors (UtilsTest.testMurmur2).
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
    // Every length of tail, and keys beyond ASCII.
    ["", 275646681],
    ["a", -1563381124],
    ["abcd", -1323649548],
    ["müşteri", 167297675],
    ["日本", -700811021],
  ])("of %j is Kafka's", (text, expected) => {
    expect(murmur2(bytes(text))).toBe(expected);
  });
});

describe("partitionFor", () => {
  test("clears the sign bit instead of taking the absolute value", () => {
    expect(partitionFor("21", 8)).toBe((-973932308 & 0x7fffffff) % 8);
    expect(partitionFor("21", 7)).not.toBe(973932308 % 7);
  });

  test("hashes the UTF-8 bytes of keys of every kind and length", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 100 }), fc.string({ unit: "grapheme", maxLength: 100 })),
        (key) => {
          expect(partitionFor(key, 10_000)).toBe((murmur2(bytes(key)) & 0x7fffffff) % 10_000);
        },
      ),
    );
  });

  test("is always one of the partitions, and the same for the same key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 10_000 }), (key, count) => {
        const partition = partitionFor(key, count);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(count);
        expect(partitionFor(key, count)).toBe(partition);
      }),
    );
  });
});
