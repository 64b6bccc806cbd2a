/** The value below which a share of all values lies; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A figure with its digits: whole numbers above 100, three significant ones below. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** min / median / max, as every figure of several rounds is told. */
export function spread(values: readonly number[]): string {
  return [Math.min(...values), median(values), Math.max(...values)].map(plain).join(" / ");
}
