import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PriceSketch } from "../../../src/functions/market-analysis/price-sketch.ts";

const price = fc.oneof(
  fc.integer({ min: 0, max: 500 }),
  fc.integer({ min: 0, max: 2_000_000 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);
const prices = fc.array(price, { minLength: 1, maxLength: 400 });
const parts = [0.05, 0.25, 0.5, 0.75, 0.95, 1];

function sketchOf(all: readonly number[], most?: number): PriceSketch {
  const sketch = new PriceSketch(undefined, most);
  for (const one of all) sketch.add(one);
  return sketch;
}

/** By their definition: the smallest price that at least that part of all is not above. */
function quantilesOf(all: readonly number[]): number[] {
  const sorted = all.toSorted((left, right) => left - right);
  return parts.map(
    (part) => sorted.find((_, index) => (index + 1) / sorted.length >= part - 1e-12) ?? Number.NaN,
  );
}

describe("quantiles", () => {
  test("are those of the prices themselves while there is room for each", () => {
    fc.assert(
      fc.property(prices, (all) => {
        const sketch = sketchOf(all);
        expect(sketch.error).toBe(0);
        expect(sketch.quantiles(parts)).toEqual(quantilesOf(all));
      }),
    );
  });

  test("are off by no more than is said where there is not", () => {
    fc.assert(
      fc.property(prices, fc.integer({ min: 250, max: 300 }), (all, most) => {
        const sketch = sketchOf(all, most);
        expect(sketch.toStored().counts.length).toBeLessThanOrEqual(most);
        sketch.quantiles(parts).forEach((estimate, index) => {
          const exact = quantilesOf(all)[index] ?? 0;
          expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(sketch.error * exact);
        });
      }),
    );
  });
});

test("what is stored depends on the prices, and neither on their order nor on where it was stored between", () => {
  fc.assert(
    fc.property(
      prices.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 5 }),
      ([all, shuffled], stops) => {
        let sketch = new PriceSketch(undefined, 100);
        shuffled.forEach((one, index) => {
          if (stops.includes(index)) {
            sketch = new PriceSketch(JSON.parse(JSON.stringify(sketch.toStored())) as never, 100);
          }
          sketch.add(one);
        });
        expect(sketch.toStored()).toEqual(sketchOf(all, 100).toStored());
      },
    ),
  );
});

test("every price is in exactly one bar of the histogram, also where prices are counted by leading bits", () => {
  fc.assert(
    fc.property(prices, (all) => {
      const bars = sketchOf(all, 60).histogram();
      for (const { from, to, count } of bars) {
        expect(all.filter((one) => from <= one && one < to)).toHaveLength(count);
      }
      expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
    }),
  );
});

test("a hundred thousand different prices are counted within 4,096 counts, and off by less than a hundredth", () => {
  const all = Array.from({ length: 100_000 }, (_, index) => 100 + index * 37);
  const sketch = sketchOf(all);
  expect(sketch.toStored().counts.length).toBeLessThanOrEqual(4_096);
  expect(sketch.error).toBeGreaterThan(0);
  expect(sketch.error).toBeLessThan(0.01);
  expect(Math.abs((sketch.quantiles([0.5])[0] ?? 0) / 1_850_063 - 1)).toBeLessThan(0.01);
});
