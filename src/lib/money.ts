/** An integer of any size as JSON's own number: sums of prices pass 2^53. */
interface RawNumber {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    /** ECMAScript's "JSON.parse source text access"; V8 has it. */
    rawJSON(text: string): RawNumber;
  }
}

export function toRawNumber(sum: bigint): RawNumber {
  return JSON.rawJSON(String(sum));
}

/** The average to the nearest minor unit, halves up; null of nothing. */
export function averageOf(sum: bigint, count: number): number | null {
  if (count === 0) return null;
  const divisor = BigInt(count);
  return Number((2n * sum + divisor) / (2n * divisor));
}
