/** Quantiles told of a distribution, with their names. */
const told = { p05: 0.05, p25: 0.25, median: 0.5, p75: 0.75, p95: 0.95 } as const;

/**
 * What is told of a distribution of integers of any size: how many, the least and the greatest, the
 * mean to the nearest integer, and quantiles by nearest rank (the least value that is not below its
 * share of all); null where there is none.
 * @param counted values in any order, each with how often it is there
 */
export function spreadOf(counted: readonly (readonly [value: bigint, count: number])[]) {
  const sorted = counted.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  const count = sorted.reduce((total, [, times]) => total + times, 0);
  const [least] = sorted[0] ?? [];
  const [greatest] = sorted.at(-1) ?? [];
  if (least === undefined || greatest === undefined) return null;
  const total = sorted.reduce((sum, [value, times]) => sum + value * BigInt(times), 0n);
  return {
    count,
    mean: inJson((2n * total + BigInt(count)) / (2n * BigInt(count))),
    least: inJson(least),
    ...Object.fromEntries(
      Object.entries(told).map(([name, share]) => [
        name,
        inJson(quantileOf(sorted, Math.ceil(share * count))),
      ]),
    ),
    greatest: inJson(greatest),
  };
}

/** @param rank from 1 */
function quantileOf(sorted: readonly (readonly [bigint, number])[], rank: number): bigint {
  let passed = 0;
  for (const [value, times] of sorted) {
    passed += times;
    if (passed >= rank) return value;
  }
  throw new RangeError(`there is no value of rank ${rank}`);
}

/** An integer of any size as JSON's own number. */
function inJson(value: bigint): unknown {
  return JSON.rawJSON(String(value));
}
