import fc from "fast-check";
import { expect, test } from "vitest";
import { Arrivals } from "../../../durable-objects/arrivals.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";

function recordAt(offset: number): LogRecord {
  return { topic: "t", partition: 0, offset, timestamp: offset, key: "k", value: "{}", headers: [] };
}

test("whatever the order and number of arrivals, a run is contiguous from the position and each record comes once", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(60), { maxLength: 200 }),
      fc.integer({ min: 1, max: 10 }),
      (offsets, limit) => {
        const arrivals = new Arrivals(1_000, 1_000_000);
        let position = 0;
        const taken: number[] = [];
        for (const offset of offsets) {
          arrivals.offer(recordAt(offset), position);
          const run = arrivals.takeRun(position, limit);
          taken.push(...run.map((record) => record.offset));
          position += run.length;
        }
        expect(taken).toEqual(taken.map((_, index) => index));
        const seen = new Set(offsets);
        const missing =
          Array.from({ length: 62 }, (_, offset) => offset).find((offset) => !seen.has(offset)) ?? 62;
        expect(position).toBeLessThanOrEqual(missing);
      },
    ),
  );
});

test("what does not fit is refused, except the record that the position waits for", () => {
  const arrivals = new Arrivals(2, 1_000);
  expect(arrivals.offer(recordAt(5), 0)).toBe(true);
  expect(arrivals.offer(recordAt(6), 0)).toBe(true);
  expect(arrivals.offer(recordAt(7), 0)).toBe(false);
  expect(arrivals.offer(recordAt(0), 0)).toBe(true);
  expect(arrivals.has(0)).toBe(true);
});

test("what lies before the position is known and not kept", () => {
  const arrivals = new Arrivals(10, 1_000);
  arrivals.offer(recordAt(3), 4);
  expect(arrivals.size).toBe(0);
  arrivals.offer(recordAt(5), 4);
  arrivals.dropBefore(6);
  expect(arrivals.size).toBe(0);
  expect(arrivals.hasBehind(4)).toBe(false);
});

test("large records fill the room by their size, and leave it as they are taken or known", () => {
  const arrivals = new Arrivals(100, 10);
  const large = (offset: number): LogRecord => ({ ...recordAt(offset), value: "x".repeat(6) });
  expect(arrivals.offer(large(5), 0)).toBe(true);
  expect(arrivals.offer(large(6), 0)).toBe(true);
  // Known already: that takes no room.
  expect(arrivals.offer(large(6), 0)).toBe(true);
  expect(arrivals.offer(large(7), 0)).toBe(false);
  expect(arrivals.takeRun(5, 1)).toHaveLength(1);
  expect(arrivals.offer(large(8), 6)).toBe(true);
  expect(arrivals.offer(large(9), 6)).toBe(false);
  arrivals.dropBefore(9);
  expect(arrivals.offer(large(9), 9)).toBe(true);
});
