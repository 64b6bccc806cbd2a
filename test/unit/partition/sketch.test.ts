import fc from "fast-check";
import { expect, test } from "vitest";
import { countSketch, DistinctCounter, mergeSketches } from "../../../src/auction/sketch.ts";

function counterOf(values: Iterable<string>): DistinctCounter {
  const counter = new DistinctCounter();
  for (const value of values) counter.add(value);
  return counter;
}

function names(count: number, prefix = "bidder"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

test("few distinct values are counted exactly, however often they come", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 120 }), (values) => {
      const counter = counterOf([...values, ...values]);
      expect(counter.count()).toEqual({ count: new Set(values).size, estimate: false });
    }),
  );
});

test.each([1_000, 20_000, 200_000])(
  "%d distinct values are estimated within ten per cent, and it says so",
  (count) => {
    const { count: estimated, estimate } = counterOf(names(count)).count();
    expect(estimate).toBe(true);
    expect(Math.abs(estimated - count) / count).toBeLessThan(0.1);
  },
);

test("a sketch is a function of the set of values alone", () => {
  const values = names(500);
  expect(counterOf(values.toReversed()).toSketch()).toEqual(counterOf(values).toSketch());
  const few = names(50);
  expect(counterOf(few.toReversed()).toSketch()).toEqual(counterOf(few).toSketch());
});

test("merged sketches count the union, and restoring one loses nothing", () => {
  const [left, right] = [counterOf(names(300)), counterOf(names(400))];
  expect(mergeSketches([left.toSketch(), right.toSketch()])).toEqual(counterOf(names(400)).toSketch());
  const few = mergeSketches([counterOf(names(10)).toSketch(), counterOf(names(10, "other")).toSketch()]);
  expect(countSketch(few)).toEqual({ count: 20, estimate: false });
  const mixed = mergeSketches([counterOf(names(10)).toSketch(), left.toSketch()]);
  expect(mixed).toEqual(left.toSketch());
});
